import { defineConfig } from 'vitest/config';

// The tests that mutation testing runs: the examples and vectors. Properties and differential tests take seconds each and
// would run for every mutant; what they alone would notice counts as a survivor. `KEEPWATCH_MUTATED` is the package whose
// code is changed: only its own tests are asked.
const { KEEPWATCH_MUTATED: name = '{evm,permission}' } = process.env;

export default defineConfig({
  test: {
    pool: 'threads',
    include: [`packages/${name}/src/**/*.test.ts`],
    exclude: ['**/*.property.test.ts', '**/*.differential.test.ts', '**/*.e2e.test.ts', '**/node_modules/**'],
    testTimeout: 30_000,
  },
});
