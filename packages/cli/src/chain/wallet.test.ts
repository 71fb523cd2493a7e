import { describe, expect, it } from 'vitest';
import { readBeginning } from './wallet.ts';

describe('from when on a wallet is looked at', () => {
  it.each([
    ['0', { height: 0 }],
    ['800000', { height: 800_000 }],
    ['2024-02-29', { timeSeconds: Date.UTC(2024, 1, 29) / 1_000 }],
    ['2024-05-01T12:00:00+02:00', { timeSeconds: Date.UTC(2024, 4, 1, 10) / 1_000 }],
    ['2001-01-01', { timeSeconds: Date.UTC(2001, 0, 1) / 1_000 }],
    // Before 1970 there is nothing that could be counted.
    ['1960-01-01', { timeSeconds: 0 }],
  ])('takes %s', (text, beginning) => {
    expect(readBeginning(text, '--birthday')).toEqual(beginning);
  });

  // Days that `Date` would take for others, and one that has not come.
  it.each(['2023-02-31', '2023-02-29', '2023-13-01', '2023-00-10', '9999-01-01', 'yesterday', '-5', '1e5', '', '2023'])(
    'refuses “%s”, but for a height',
    (text) => {
      if (/^\d+$/.test(text)) expect(readBeginning(text)).toEqual({ height: Number(text) });
      else
        expect(() => readBeginning(text, '--birthday')).toThrow(expect.objectContaining({ code: 'usage_beginning' }));
    },
  );
});
