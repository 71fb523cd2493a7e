import { MAX_UINT256 } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import { addressAt, amount160Of, amountOf, boolAt, bytesAt, listAt, uintAt, untilOf } from './arguments.ts';

const BOB = `0x${'b0'.repeat(20)}`;
const args = [BOB, 5n, true, '0x1234', [1n]].map((value) => ({ name: '', type: '', value }));

describe('arguments by their place', () => {
  it('are read from it', () => {
    expect([addressAt(args, 0), uintAt(args, 1), boolAt(args, 2)]).toEqual([BOB, 5n, true]);
    expect([[...bytesAt(args, 3)], listAt(args, 4)]).toEqual([[0x12, 0x34], [1n]]);
  });

  it.each<[string, (index: number) => unknown, readonly number[]]>([
    ['an address', (index) => addressAt(args, index), [1, 2, 3, 4, 5]],
    ['an integer', (index) => uintAt(args, index), [0, 2, 3, 4, 5]],
    ['a boolean', (index) => boolAt(args, index), [0, 1, 3, 4, 5]],
    ['a bytes', (index) => bytesAt(args, index), [1, 2, 4, 5]],
    ['a list', (index) => listAt(args, index), [0, 1, 2, 3, 5]],
  ])('throw where another kind or nothing is read as %s', (kind, read, places) => {
    for (const place of places) expect(() => read(place)).toThrow(new TypeError(`not ${kind} argument`));
  });
});

describe('bounds that contracts give a meaning', () => {
  it('are met by the largest number alone', () => {
    expect([amountOf(MAX_UINT256), amountOf(MAX_UINT256 - 1n)]).toEqual(['unlimited', MAX_UINT256 - 1n]);
    const most = 2n ** 160n - 1n;
    expect([amount160Of(most), amount160Of(most - 1n), amount160Of(most + 1n)]).toEqual([
      'unlimited',
      most - 1n,
      most + 1n,
    ]);
  });

  it('take the end of year 9999 for the last time that there is', () => {
    expect(untilOf(253_402_300_799n)).toBe(Date.UTC(9999, 11, 31, 23, 59, 59));
    expect(untilOf(253_402_300_800n)).toBeNull();
  });
});
