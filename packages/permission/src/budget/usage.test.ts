import { describe, expect, it } from 'vitest';
import type { Charge } from '../decision.ts';
import { spentFrom } from './budget.ts';
import { restoreUsage, serialiseUsage } from './usage-json.ts';
import {
  charge,
  cloneUsage,
  createUsage,
  effectiveTime,
  findBudget,
  forgetGrant,
  isOutstanding,
  settle,
  type Usage,
} from './usage.ts';

const HOUR = 'volume native 3600s';
const volume = (amount: bigint, grant = 'a'): Charge => ({ grant, budget: HOUR, amount });
const count = (budget: string, grant = 'a'): Charge => ({ grant, budget, amount: 1n });
const period = { fromMs: 86_400_000, untilMs: 172_800_000 };

const spent = (usage: Usage, grant: string, budget: string, now: number) =>
  spentFrom(findBudget(usage, grant, budget), effectiveTime(usage, now), period);

describe('usage', () => {
  const owed = (amount: bigint): Charge => ({ grant: 'a', budget: 'outstanding native', amount, holds: 'spent' });

  it('says whether something of a signature is unsettled', () => {
    const usage = createUsage();
    charge(usage, [volume(5n), owed(5n)], 1000, '1');
    charge(usage, [volume(5n, 'b')], 1000, '2');
    expect(['1', '2', '3'].map((ref) => isOutstanding(usage, ref))).toEqual([true, false, false]);
    expect(settle(usage, '3', 'never')).toBe(false);
    expect(settle(usage, '1', 'allowance-ended')).toBe(false);
    expect(settle(usage, '1', 'executed')).toBe(true);
    expect(isOutstanding(usage, '1')).toBe(false);
    expect(settle(usage, '1', 'executed')).toBe(false);
  });

  it('is copied whole: what is charged to one is not charged to the other', () => {
    const usage = createUsage();
    const charges = (): Charge[] => [
      ...[volume(5n), owed(5n), { grant: 'a', budget: 'volume native day UTC', amount: 5n, ...period }],
      ...[{ grant: 'a', budget: 'volume native ever', amount: 5n }, count('min-interval')],
    ];
    charge(usage, charges(), 90_000_000, '1');
    const before = serialiseUsage(usage);
    const copy = cloneUsage(usage);
    expect(serialiseUsage(copy)).toEqual(before);
    charge(copy, charges(), 91_000_000, '2');
    settle(copy, '1', 'never');
    forgetGrant(copy, 'b');
    expect(serialiseUsage(usage)).toEqual(before);
    expect(isOutstanding(usage, '1')).toBe(true);
    expect(serialiseUsage(copy)).not.toEqual(before);
  });

  it.each<[Partial<Charge>, string]>([
    [{ amount: -1n }, 'a charge is not negative'],
    [{ budget: 'volume native' }, 'no budget has the key volume native'],
    [{ budget: 'count day UTC' }, 'a charge of a calendar budget names its period'],
    [{ budget: 'count day UTC', fromMs: 5 }, 'a charge of a calendar budget names its period'],
    [{ budget: 'count day UTC', untilMs: 5 }, 'a charge of a calendar budget names its period'],
    [{ budget: 'count day UTC', fromMs: 5, untilMs: 5 }, 'a charge of a calendar budget names its period'],
    [{ budget: 'count day UTC', fromMs: 6, untilMs: 5 }, 'a charge of a calendar budget names its period'],
  ])('refuses a charge that cannot be, and charges nothing: %#', (bad, words) => {
    const usage = createUsage();
    expect(() => charge(usage, [volume(1n), { ...volume(1n), ...bad }], 7, '1')).toThrow(new RangeError(words));
    expect(usage).toEqual(createUsage());
    expect(() => effectiveTime(usage, 0.5)).toThrow('a time is a whole number of milliseconds since 1970');
  });

  it('keeps grants and budgets apart', () => {
    const usage = createUsage();
    charge(usage, [volume(5n), count('count 3600s'), volume(7n, 'b')], 1000, '1');
    expect(spent(usage, 'a', HOUR, 1000)).toBe(5n);
    expect(spent(usage, 'a', 'count 3600s', 1000)).toBe(1n);
    expect(spent(usage, 'a', 'volume native 60s', 1000)).toBe(0n);
    expect(spent(usage, 'b', HOUR, 1000)).toBe(7n);
    forgetGrant(usage, 'a');
    expect(spent(usage, 'a', HOUR, 1000)).toBe(0n);
    expect(spent(usage, 'b', HOUR, 1000)).toBe(7n);
  });

  it('takes an earlier time for the time of the latest charge, whichever grant it was', () => {
    const usage = createUsage();
    charge(usage, [volume(5n)], 0, '1');
    charge(usage, [volume(1n, 'b')], 3_600_000, '2');
    expect(effectiveTime(usage, 10)).toBe(3_600_000);
    expect(spent(usage, 'a', HOUR, 10)).toBe(0n);
    charge(usage, [volume(2n)], 10, '3');
    expect(spent(usage, 'a', HOUR, 7_199_999)).toBe(2n);
    expect(spent(usage, 'a', HOUR, 7_200_000)).toBe(0n);
  });

  it('never forgets what was spent for ever', () => {
    const usage = createUsage();
    charge(usage, [{ grant: 'a', budget: 'volume native ever', amount: 5n }], 0, '1');
    expect(spent(usage, 'a', 'volume native ever', 8_000_000_000_000_000)).toBe(5n);
  });

  it('counts a calendar charge until its period has ended, and in every period that overlaps it', () => {
    const usage = createUsage();
    const day = (fromMs: number, untilMs: number, amount: bigint): Charge => ({
      ...{ grant: 'a', budget: 'volume native day UTC', amount },
      ...{ fromMs, untilMs },
    });
    charge(usage, [day(0, 86_400_000, 5n), day(86_400_000, 172_800_000, 2n), day(80_000_000, 90_000_000, 1n)], 0, '1');
    // The day that the query is about begins at 86,400,000: the first has ended, the odd one overlaps it.
    expect(spent(usage, 'a', 'volume native day UTC', 0)).toBe(3n);
  });

  it('refuses what would give budget back, without charging a part of it', () => {
    const usage = createUsage();
    expect(() => charge(usage, [volume(5n), volume(-1n)], 0, '1')).toThrow(RangeError);
    for (const budget of [
      'volume',
      'volume native',
      'volume native 0s',
      'count',
      'count x',
      'volume native year UTC',
    ]) {
      expect(() => charge(usage, [volume(5n), { grant: 'a', budget, amount: 1n }], 0, '1')).toThrow(RangeError);
    }
    expect(() => charge(usage, [volume(5n), { ...volume(1n), budget: 'count day UTC' }], 0, '1')).toThrow(RangeError);
    expect(usage).toEqual(createUsage());
    for (const now of [-1, 0.5, Number.NaN, Infinity, 8_000_000_000_000_001]) {
      expect(() => charge(usage, [volume(5n)], now, '1')).toThrow(RangeError);
    }
  });

  it('is not changed by looking at it, and clones deeply', () => {
    const usage = createUsage();
    charge(usage, EACH, 5, '1');
    const before = serialiseUsage(usage);
    for (const { grant, budget } of EACH) spent(usage, grant, budget, 99_000_000);
    const copy = cloneUsage(usage);
    charge(copy, EACH, 6, '2');
    settle(copy, '1', 'never');
    expect(serialiseUsage(usage)).toEqual(before);
  });
});

describe('settle', () => {
  const HELD = 'outstanding native';
  const items: Charge[] = [
    { grant: 'a', budget: HELD, amount: 5n, holds: 'spent' },
    { grant: 'a', budget: HELD, amount: 7n, holds: 'allowance' },
    { grant: 'a', budget: HELD, amount: 11n, holds: 'allowance', untilMs: 1000 },
    volume(23n),
  ];
  const held = (usage: Usage, now = 0) => spent(usage, 'a', HELD, now);
  const made = () => {
    const usage = createUsage();
    charge(usage, items, 0, '1');
    charge(usage, [{ grant: 'a', budget: HELD, amount: 100n, holds: 'spent' }], 0, '2');
    return usage;
  };

  it('holds everything until it is settled or has ended, however long that takes', () => {
    const usage = made();
    expect(held(usage, 999)).toBe(123n);
    expect(held(usage, 1000)).toBe(112n);
    expect(held(usage, 8_000_000_000_000_000)).toBe(112n);
  });

  it('frees what was spent when it is executed, and leaves what it allows', () => {
    const usage = made();
    expect(settle(usage, '1', 'executed')).toBe(true);
    expect(held(usage)).toBe(118n);
    expect(settle(usage, '1', 'executed')).toBe(false);
    expect(settle(usage, '1', 'allowance-ended')).toBe(true);
    expect(held(usage)).toBe(100n);
  });

  it('frees all of what will never be executed, and nothing of a window', () => {
    const usage = made();
    expect(settle(usage, '1', 'never')).toBe(true);
    expect(held(usage)).toBe(100n);
    expect(spent(usage, 'a', HOUR, 0)).toBe(23n);
    expect(settle(usage, 'unknown', 'never')).toBe(false);
  });

  it('drops what has ended from memory at the next charge', () => {
    const usage = made();
    charge(usage, [{ grant: 'a', budget: HELD, amount: 1n }], 2000, '3');
    expect(JSON.stringify(serialiseUsage(usage))).not.toContain('"11"');
    expect(held(usage, 2000)).toBe(113n);
  });
});

/** A charge of each kind of budget. */
const EACH: Charge[] = [
  volume(5n),
  count('count 60s'),
  { grant: 'a', budget: 'count ever', amount: 1n },
  { grant: 'b', budget: 'volume erc20:0x00 week Europe/Berlin', amount: 3n, ...period },
  { grant: 'b', budget: 'min-interval', amount: 0n },
  { grant: 'b', budget: 'outstanding native', amount: 4n, holds: 'spent' },
  { grant: 'b', budget: 'outstanding native', amount: 6n, holds: 'allowance', untilMs: 77 },
];

describe('restoreUsage', () => {
  it('stands in a snapshot in one order', () => {
    const one = createUsage();
    charge(one, EACH, 5, '1');
    const two = createUsage();
    charge(two, [...EACH.slice(3), ...EACH.slice(0, 3)], 5, '1');
    expect(JSON.stringify(serialiseUsage(one))).toBe(JSON.stringify(serialiseUsage(two)));
    expect(serialiseUsage(one)).toEqual({
      version: 2,
      lastMs: 5,
      grants: [
        {
          id: 'a',
          budgets: [
            ['count 60s', [[5, '1']]],
            ['count ever', '1'],
            [HOUR, [[5, '5']]],
          ],
        },
        {
          id: 'b',
          budgets: [
            ['min-interval', 5],
            [
              'outstanding native',
              [
                [
                  '1',
                  [
                    ['spent', '4', null],
                    ['allowance', '6', 77],
                  ],
                ],
              ],
            ],
            ['volume erc20:0x00 week Europe/Berlin', [[86_400_000, 172_800_000, '3']]],
          ],
        },
      ],
    });
  });

  it('goes on as the usage that was written, merged marks and all', () => {
    const usage = createUsage();
    const busy = (target: Usage, from: number) => {
      for (let i = 0; i < 3000; i++)
        charge(target, [volume(1n), ...(i === 7 ? EACH : [])], from + 700 * i, `${from} ${i}`);
    };
    busy(usage, 0);
    const json = serialiseUsage(usage);
    expect((json.grants[0]!.budgets.at(-1)![1] as unknown[]).length).toBeLessThan(2049);
    const restored = restoreUsage(JSON.parse(JSON.stringify(json)));
    if (!restored.ok) throw new Error(restored.error);
    busy(usage, 3_000_000);
    busy(restored.value, 3_000_000);
    expect(serialiseUsage(restored.value)).toEqual(serialiseUsage(usage));
  });

  const snapshot = (...budgets: unknown[]) => ({ version: 2, lastMs: 9, grants: [{ id: 'a', budgets }] });

  it('reads what the cases below vary', () => {
    expect(restoreUsage(snapshot([HOUR, [[5, '1']]])).ok).toBe(true);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['another version', { ...snapshot(), version: 1 }],
    ['no time', { ...snapshot(), lastMs: '9' }],
    ['no grants', { ...snapshot(), grants: {} }],
    ['a grant twice', { ...snapshot(), grants: [...snapshot().grants, ...snapshot().grants] }],
    ['budgets that are no list', { ...snapshot(), grants: [{ id: 'a', budgets: {} }] }],
    ['a budget that is no pair', snapshot([HOUR])],
    ['a budget twice', snapshot([HOUR, []], [HOUR, []])],
    ['an unknown budget', snapshot(['max-fee', '5'])],
    ['no window', snapshot(['volume native 0s', []])],
    ['a window of 367 days', snapshot([`volume native ${367 * 86_400}s`, []])],
    ['a mark after the last time', snapshot([HOUR, [[10, '1']]])],
    [
      'times that go back',
      snapshot([
        HOUR,
        [
          [5, '1'],
          [5, '1'],
        ],
      ]),
    ],
    ['an amount of nothing', snapshot([HOUR, [[5, '0']]])],
    ['a negative amount', snapshot([HOUR, [[5, '-1']]])],
    ['an amount that is a number', snapshot([HOUR, [[5, 1]]])],
    ['more marks than a window holds', snapshot([HOUR, Array.from({ length: 2049 }, (_, i) => [i, '1'])])],
    ['an amount for ever that is none', snapshot(['count ever', 5])],
    ['a period that does not end', snapshot(['count day UTC', [[5, 5, '1']]])],
    ['a period without an amount', snapshot(['count day UTC', [[5, 6, '0']]])],
    [
      'periods out of order',
      snapshot([
        'count day UTC',
        [
          [5, 7, '1'],
          [5, 6, '1'],
        ],
      ]),
    ],
    ['an interval in the future', snapshot(['min-interval', 10])],
    ['nothing outstanding', snapshot(['outstanding native', [['1', []]]])],
    ['something else outstanding', snapshot(['outstanding native', [['1', [['lent', '1', null]]]]])],
    [
      'a signature twice',
      snapshot([
        'outstanding native',
        [
          ['1', [['spent', '1', null]]],
          ['1', [['spent', '1', null]]],
        ],
      ]),
    ],
  ])('refuses %s', (_, json) => {
    expect(restoreUsage(json)).toEqual({ ok: false, error: 'invalid_usage' });
  });
});
