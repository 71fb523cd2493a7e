import { describe, expect, it } from 'vitest';
import { addToBudget, budgetShape, createBudget, freeAt, spentFrom } from './budget.ts';

describe('the key of a budget', () => {
  it.each([
    ['volume native 1s', { kind: 'rolling', seconds: 1 }],
    ['volume erc20:0xaa 31622400s', { kind: 'rolling', seconds: 31_622_400 }],
    ['count 86400s', { kind: 'rolling', seconds: 86_400 }],
    ['volume native ever', { kind: 'ever' }],
    ['count ever', { kind: 'ever' }],
    ['count day UTC', { kind: 'calendar', unit: 'day', zone: 'UTC' }],
    ['count week UTC', { kind: 'calendar', unit: 'week', zone: 'UTC' }],
    ['volume native month Europe/Berlin', { kind: 'calendar', unit: 'month', zone: 'Europe/Berlin' }],
    ['outstanding native', { kind: 'outstanding' }],
    ['min-interval', { kind: 'interval' }],
  ])('%s says what it is', (key, shape) => {
    expect(budgetShape(key)).toEqual(shape);
  });

  it.each([
    ...[
      '',
      'volume',
      'volume native',
      'volume  1s',
      'volume native 0s',
      'volume native 01s',
      'volume native 1',
      'sum 1s',
    ],
    ...['volume native 31622401s', 'volume native 1s UTC', 'volume native year UTC', 'volume native day', 'count'],
    ...['count day ', 'count day UTC more', 'count 1s 1s', 'count x1s', 'count 1sx', 'count 1.5s', 'count never'],
    ...['outstanding', 'outstanding ', 'outstanding native ever', 'min-interval 5s', 'max-fee ever', ' ever'],
  ])('%j is none', (key) => {
    expect(budgetShape(key)).toBeUndefined();
  });
});

describe('a budget of any kind', () => {
  const KEYS = ['volume native 5s', 'volume native ever', 'count day UTC', 'min-interval', 'outstanding native'];
  const period = { fromMs: 10, untilMs: 20 };
  const item = (amount: bigint) => ({ grant: 'g', budget: '', amount, ...period });
  const made = (key: string) => createBudget(budgetShape(key)!);

  it('holds nothing at first, and nothing more by a charge of nothing', () => {
    for (const key of KEYS) {
      const budget = made(key);
      expect(spentFrom(budget, 0, period)).toBe(0n);
      expect(freeAt(budget, 0n, 15, period)).toBe(15);
      if (key === 'min-interval') continue;
      addToBudget(budget, item(0n), 12, 'r');
      expect(budget).toEqual(made(key));
    }
    expect(spentFrom(undefined, 0, period)).toBe(0n);
    expect(freeAt(undefined, 0n, 7, period)).toBe(7);
  });

  it('holds what was charged, and is free when its kind lets it go', () => {
    const after = (key: string) => {
      const budget = made(key);
      addToBudget(budget, item(3n), 12, 'r');
      return [spentFrom(budget, 12, period), ...[2n, 3n].map((amount) => freeAt(budget, amount, 15, period))];
    };
    expect(KEYS.map(after)).toEqual([
      [3n, 5_012, 15],
      [3n, null, 15],
      [3n, 20, 15],
      [0n, 15, 15],
      [3n, 20, 15],
    ]);
  });

  it('that is outstanding counts a charge of no kind as spent, without an end', () => {
    const budget = made('outstanding native');
    addToBudget(budget, { grant: 'g', budget: '', amount: 3n }, 12, 'r');
    expect(budget).toMatchObject({
      lasting: 3n,
      items: new Map([['r', [{ holds: 'spent', amount: 3n, untilMs: null }]]]),
    });
    expect(freeAt(budget, 2n, 15, undefined)).toBeNull();
  });
});
