import { expect, it } from 'vitest';
import { failuresOf, tellFailure } from './test-failures.mjs';

const passed = { status: 'passed', fullName: 'a good one', failureMessages: [] };
const failed = {
  status: 'failed',
  fullName: 'adds up',
  failureMessages: ['\u001b[31mexpected 3\u001b[39m\n  at a.ts:1'],
};

it('names each failed test with its file and its words, without colours', () => {
  const report = {
    testResults: [
      {
        name: `${process.cwd()}/packages/a.test.ts`,
        status: 'failed',
        message: '',
        assertionResults: [passed, failed],
      },
    ],
  };
  expect(failuresOf('unit', report).map(tellFailure)).toEqual([
    'FAILED unit packages/a.test.ts adds up\n  expected 3\n    at a.ts:1',
  ]);
});

it('names a file that could not be loaded, and cuts long words', () => {
  const message = Array.from({ length: 50 }, (_, i) => `line ${i}`).join('\n');
  const report = {
    testResults: [{ name: `${process.cwd()}/b.test.ts`, status: 'failed', message, assertionResults: [] }],
  };
  const [only] = failuresOf('e2e', report).map(tellFailure);
  expect(only).toMatch(/^FAILED e2e b\.test\.ts\n {2}line 0\n/);
  expect(only!.split('\n').at(-1)).toBe('  …');
});

it('has nothing to say of a run without failures', () => {
  const report = { testResults: [{ name: 'c', status: 'passed', message: '', assertionResults: [passed] }] };
  expect(failuresOf('unit', report)).toEqual([]);
});
