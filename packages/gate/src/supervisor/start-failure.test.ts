import { CodedError } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import { createFirstStart, startFailure } from './start-failure.ts';

const full = new CodedError('storage_full', 'No space is left.');
const busy = new CodedError('storage_busy', 'Another process has the journal open.');

describe('what a process says of its failed start', () => {
  it('is an error with its code, words and remedy', () => {
    const failure = startFailure({ event: 'failed', code: 'storage_full', message: 'Full.', remedy: 'Make room.' });
    expect(failure).toMatchObject({ code: 'storage_full', message: 'Full.', remedy: 'Make room.' });
  });

  it('is none where it is malformed', () => {
    for (const message of [{}, { code: 7, message: 'x' }, { code: 'x' }]) expect(startFailure(message)).toBeUndefined();
  });
});

describe('the first start', () => {
  it('ends with what trying again cannot mend', () => {
    expect(createFirstStart().verdict(full)).toBe(full);
  });

  it('is tried again where processes of before may still hold what is needed, and not for ever', () => {
    const start = createFirstStart();
    const verdicts = [1, 2, 3, 4].map(() => start.verdict(busy));
    expect(verdicts).toEqual([undefined, undefined, undefined, busy]);
  });

  it('is tried again where a process said nothing', () => {
    const start = createFirstStart();
    for (let i = 0; i < 10; i++) expect(start.verdict(undefined)).toBeUndefined();
  });

  it('is over once the vault was ready', () => {
    const start = createFirstStart();
    start.succeeded();
    expect(start.verdict(full)).toBeUndefined();
  });
});
