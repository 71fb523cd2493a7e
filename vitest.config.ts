import { defineConfig } from 'vitest/config';

// Two projects: `unit` is fast and starts no process; `e2e` (files named *.e2e.test.ts) starts real daemons and runs
// one file at a time, so that a machine with two cores measures nothing but the code. What is waited for may take long on
// a machine that does much else: limits are there to end what never comes, and to tell nothing about speed.
const PATIENT = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } };

export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.e2e.test.ts', '**/node_modules/**'],
          ...PATIENT,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['packages/*/src/**/*.e2e.test.ts'],
          ...PATIENT,
          fileParallelism: false,
        },
      },
    ],
  },
});
