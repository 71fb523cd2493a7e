import { describe, expect, it } from 'vitest';
import type { Charge } from '../decision.ts';
import { findBudget, charge, createUsage } from './usage.ts';
import { restoreUsage, serialiseUsage } from './usage-json.ts';
import { MAX_OUTSTANDING } from './outstanding-budget.ts';

// A snapshot is a file that somebody may have written by hand: what no usage would have been written as is refused.

const HOUR = 'volume native 3600s';
const DAY = 'count day UTC';
const OWED = 'outstanding native';
const snapshot = (...budgets: unknown[]) => ({ version: 2, lastMs: 9, grants: [{ id: 'a', budgets }] });
const taken = (json: unknown) => restoreUsage(json).ok;

describe('a snapshot', () => {
  it.each<[string, unknown]>([
    [
      'marks up to the last time',
      snapshot([
        HOUR,
        [
          [0, '1'],
          [9, '2'],
        ],
      ]),
    ],
    ['no marks', snapshot([HOUR, []])],
    ['sums of a hundred digits', snapshot(['volume native ever', '9'.repeat(100)])],
    ['nothing spent for ever', snapshot(['count ever', '0'])],
    [
      'periods that follow each other',
      snapshot([
        DAY,
        [
          [1, 5, '1'],
          [5, 9, '1'],
        ],
      ]),
    ],
    [
      'periods that end together',
      snapshot([
        DAY,
        [
          [1, 9, '1'],
          [2, 9, '1'],
        ],
      ]),
    ],
    ['the latest time as an interval', snapshot(['min-interval', 9])],
    [
      'what is outstanding',
      snapshot([
        OWED,
        [
          [
            '1',
            [
              ['spent', '5', null],
              ['allowance', '6', 1],
            ],
          ],
          ['2', [['spent', '1', 7]]],
        ],
      ]),
    ],
    [
      'two grants',
      {
        version: 2,
        lastMs: 0,
        grants: [
          { id: 'a', budgets: [] },
          { id: 'b', budgets: [] },
        ],
      },
    ],
  ])('with %s comes back as it was', (_, json) => {
    const restored = restoreUsage(json);
    if (!restored.ok) throw new Error(restored.error);
    expect(serialiseUsage(restored.value)).toEqual(json);
  });

  it('has as many marks as a window holds, and no more', () => {
    const marks = (count: number) => ({
      ...snapshot([HOUR, Array.from({ length: count }, (_, i) => [i, '1'])]),
      lastMs: 9_000,
    });
    expect([taken(marks(2_048)), taken(marks(2_049))]).toEqual([true, false]);
  });

  it('has as many signatures that are not settled as are kept apart, and no more', () => {
    const owed = (count: number) =>
      snapshot([OWED, Array.from({ length: count }, (_, i) => [`${i}`, [['spent', '1', null]]])]);
    expect([taken(owed(MAX_OUTSTANDING)), taken(owed(MAX_OUTSTANDING + 1))]).toEqual([true, false]);
  });

  it.each<[string, unknown]>([
    ['a list for it all', [snapshot()]],
    ['a text for a grant', { ...snapshot(), grants: ['a'] }],
    ['a grant without an id', { ...snapshot(), grants: [{ budgets: [] }] }],
    ['a grant whose id is a number', { ...snapshot(), grants: [{ id: 5, budgets: [] }] }],
    ['a grant without budgets', { ...snapshot(), grants: [{ id: 'a' }] }],
    ['a budget that is a text', snapshot('ab')],
    ['a budget of three', snapshot([HOUR, [], []])],
    ['a key that is a number', snapshot([5, []])],
    ['marks that are a number', snapshot([HOUR, 5])],
    ['marks that are a text', snapshot([HOUR, ''])],
    ['a mark that is a text', snapshot([HOUR, ['51']])],
    ['a mark of three', snapshot([HOUR, [[5, '1', 1]]])],
    ['a mark of one', snapshot([HOUR, [[5]]])],
    ['a mark at no time', snapshot([HOUR, [['5', '1']]])],
    ['a mark before all time', snapshot([HOUR, [[-1, '1']]])],
    ['an amount with a point', snapshot([HOUR, [[5, '1.5']]])],
    ['an amount of 101 digits', snapshot(['volume native ever', '9'.repeat(101)])],
    ['an amount that begins with a zero', snapshot(['volume native ever', '07'])],
    ['an amount with a space behind it', snapshot(['volume native ever', '7 '])],
    ['periods that are no list', snapshot([DAY, {}])],
    ['a period that is a text', snapshot([DAY, ['123']])],
    ['a period of two', snapshot([DAY, [[5, 6]]])],
    ['a period of four', snapshot([DAY, [[5, 6, '1', 1]]])],
    ['a period from no time', snapshot([DAY, [['5', 6, '1']]])],
    ['a period until no time', snapshot([DAY, [[5, '6', '1']]])],
    ['a period of no amount', snapshot([DAY, [[5, 6, 1]]])],
    [
      'a period twice',
      snapshot([
        DAY,
        [
          [5, 6, '1'],
          [5, 6, '1'],
        ],
      ]),
    ],
    [
      'periods that end together out of order',
      snapshot([
        DAY,
        [
          [5, 9, '1'],
          [4, 9, '1'],
        ],
      ]),
    ],
    ['an interval that is a text', snapshot(['min-interval', '5'])],
    ['entries that are no list', snapshot([OWED, {}])],
    ['an entry that is a text', snapshot([OWED, ['ab']])],
    ['an entry of three', snapshot([OWED, [['1', [['spent', '1', null]], 1]]])],
    ['an entry whose reference is a number', snapshot([OWED, [[1, [['spent', '1', null]]]]])],
    ['items that are no list', snapshot([OWED, [['1', 'x']]])],
    ['an item that is a text', snapshot([OWED, [['1', ['abc']]]])],
    ['an item of two', snapshot([OWED, [['1', [['spent', '1']]]]])],
    ['an item of four', snapshot([OWED, [['1', [['spent', '1', null, 1]]]]])],
    ['an item of nothing', snapshot([OWED, [['1', [['spent', '0', null]]]]])],
    ['an item of no amount', snapshot([OWED, [['1', [['spent', 1, null]]]]])],
    ['an item until no time', snapshot([OWED, [['1', [['spent', '1', '7']]]]])],
    ['an item until before all time', snapshot([OWED, [['1', [['spent', '1', -1]]]]])],
  ])('with %s is refused', (_, json) => {
    expect(restoreUsage(json)).toEqual({ ok: false, error: 'invalid_usage' });
  });

  it('has grants, budgets and signatures in the order of their names', () => {
    const usage = createUsage();
    const owed = (grant: string): Charge => ({ grant, budget: OWED, amount: 1n, holds: 'spent' });
    for (const ref of ['9', '10', '2'])
      charge(usage, [owed('b'), owed('a'), { grant: 'b', budget: HOUR, amount: 1n }], 5, ref);
    const { grants } = serialiseUsage(usage);
    expect(grants.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(grants[1]!.budgets.map(([key]) => key)).toEqual([OWED, HOUR]);
    expect((grants[0]!.budgets[0]![1] as readonly (readonly [string, unknown])[]).map(([ref]) => ref)).toEqual([
      '10',
      '2',
      '9',
    ]);
  });

  it('is taken at any time, whatever has ended by then', () => {
    const json = snapshot([OWED, [['1', [['allowance', '6', 3]]]]]);
    const restored = restoreUsage(json);
    expect(restored.ok && findBudget(restored.value, 'a', OWED)).toMatchObject({ kind: 'outstanding' });
    expect(taken(json)).toBe(true);
    expect(restored.ok && serialiseUsage(restored.value).grants).toEqual(json.grants);
  });
});
