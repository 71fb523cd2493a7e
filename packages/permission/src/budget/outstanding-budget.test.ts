import { describe, expect, it } from 'vitest';
import {
  addOutstanding,
  createOutstanding,
  outstandingAt,
  outstandingUntilAtMost,
  settleOutstanding,
  type OutstandingItem,
} from './outstanding-budget.ts';

const spent = (amount: bigint): OutstandingItem => ({ holds: 'spent', amount, untilMs: null });
const allowance = (amount: bigint, untilMs: number | null = null): OutstandingItem => ({
  ...{ holds: 'allowance', amount, untilMs },
});

function budgetOf(items: Readonly<Record<string, readonly OutstandingItem[]>>) {
  const budget = createOutstanding();
  for (const [ref, list] of Object.entries(items)) for (const item of list) addOutstanding(budget, ref, item, 0);
  return budget;
}

describe('what is outstanding', () => {
  it('stands until it is settled, and what ends by itself until then', () => {
    const budget = budgetOf({ a: [spent(1n), allowance(2n, 100)], b: [allowance(4n)], c: [allowance(8n, 200)] });
    expect(outstandingAt(budget, 0)).toBe(15n);
    expect(outstandingAt(budget, 99)).toBe(15n);
    expect(outstandingAt(budget, 100)).toBe(13n);
    expect(outstandingAt(budget, 200)).toBe(5n);
    expect(outstandingAt(budget, Number.MAX_SAFE_INTEGER)).toBe(5n);
  });

  it('is settled by how it ended', () => {
    const both = () => budgetOf({ a: [spent(1n), allowance(2n)] });
    const ends = (outcome: 'executed' | 'never' | 'allowance-ended') => {
      const budget = both();
      const changed = settleOutstanding(budget, 'a', outcome);
      return [changed, outstandingAt(budget, 0), settleOutstanding(budget, 'a', outcome), budget.items.size];
    };
    expect(ends('executed')).toEqual([true, 2n, false, 1]);
    expect(ends('allowance-ended')).toEqual([true, 1n, false, 1]);
    expect(ends('never')).toEqual([true, 0n, false, 0]);
    expect(settleOutstanding(both(), 'b', 'never')).toBe(false);
  });

  it('drops what has ended by itself when something is added, at its end and not a moment before', () => {
    const budget = budgetOf({ a: [allowance(2n, 100), spent(1n)], b: [allowance(3n, 100)] });
    addOutstanding(budget, 'c', allowance(4n, 300), 99);
    expect([...budget.ending]).toEqual(['a', 'b', 'c']);
    addOutstanding(budget, 'd', spent(5n), 100);
    expect([...budget.ending]).toEqual(['c']);
    expect([...budget.items.keys()]).toEqual(['a', 'c', 'd']);
    expect(budget.lasting).toBe(6n);
  });

  it('is free by waiting only as far as it ends by itself, the earliest end first', () => {
    const budget = budgetOf({ a: [spent(1n), allowance(2n, 300)], b: [allowance(4n, 100)], c: [allowance(8n, 200)] });
    expect(outstandingUntilAtMost(budget, 15n, 0)).toBe(0);
    expect(outstandingUntilAtMost(budget, 14n, 0)).toBe(100);
    expect(outstandingUntilAtMost(budget, 11n, 0)).toBe(100);
    expect(outstandingUntilAtMost(budget, 10n, 0)).toBe(200);
    expect(outstandingUntilAtMost(budget, 2n, 0)).toBe(300);
    expect(outstandingUntilAtMost(budget, 1n, 0)).toBe(300);
    expect(outstandingUntilAtMost(budget, 0n, 0)).toBeNull();
    // What has ended is neither counted nor waited for.
    expect(outstandingUntilAtMost(budget, 11n, 100)).toBe(100);
    expect(outstandingUntilAtMost(budget, 3n, 100)).toBe(200);
    expect(outstandingUntilAtMost(budget, 2n, 150)).toBe(300);
    expect(outstandingUntilAtMost(budget, 0n, 300)).toBeNull();
    expect(outstandingUntilAtMost(budget, 1n, 300)).toBe(300);
  });
});
