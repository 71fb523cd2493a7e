import { defineConfig } from 'vitest/config';

// Two projects: `unit` is fast and starts no process; `e2e` (files named *.e2e.test.ts) starts real daemons and runs
// one file at a time, so that a machine with two cores measures nothing but the code.
export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.e2e.test.ts', '**/node_modules/**'],
          // Some tests hash a dozen passwords: seconds on a free machine, a minute on one that does much else.
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['packages/*/src/**/*.e2e.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
