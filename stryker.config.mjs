// Mutation testing: is there a test that notices when the code is wrong? `npm run test:mutation` runs it and keeps a
// summary under docs/reports; see scripts/mutation.mjs.
export default {
  plugins: ['./scripts/mutation/runner.mjs'],
  coverageAnalysis: 'perTest',
  // One mutant at a time, so that it can run beside other work: `npm run test:mutation -- --concurrency N` for more.
  concurrency: 1,
  reporters: ['json', 'progress-append-only'],
  tempDirName: '.stryker/sandbox',
  // What the tests of the pure packages do not read is not copied into the sandbox.
  ignorePatterns: [
    '/docs',
    '/vendor',
    '/dist',
    '/.git',
    '/packages/{cli,devnet,gate,keep,sdk,testkit,bitcoin,chain,journal,wire,protocol}',
  ],
  // The runner has clocks of its own, which a machine that does much else does not hurry.
  timeoutMS: 1_000_000,
  disableTypeChecks: false,
};
