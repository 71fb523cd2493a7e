import { describe, expect, it } from 'vitest';
import { addToPeriod, periodUntilAtMost, spentInPeriod, type CalendarBudget } from './calendar-budget.ts';

const budgetOf = (...charges: readonly (readonly [fromMs: number, untilMs: number, amount: bigint])[]) => {
  const budget: CalendarBudget = { kind: 'calendar', periods: [] };
  for (const [fromMs, untilMs, amount] of charges) addToPeriod(budget, { fromMs, untilMs }, amount);
  return budget;
};

describe('a calendar budget', () => {
  it('adds up what is charged in one period, and keeps others apart', () => {
    const { periods } = budgetOf([10, 20, 1n], [10, 20, 2n], [10, 25, 4n], [15, 25, 8n], [15, 20, 16n]);
    expect(periods).toEqual([
      { fromMs: 10, untilMs: 20, spent: 3n },
      { fromMs: 15, untilMs: 20, spent: 16n },
      { fromMs: 10, untilMs: 25, spent: 4n },
      { fromMs: 15, untilMs: 25, spent: 8n },
    ]);
  });

  it('orders periods by their end, then by their beginning, however they come', () => {
    const ends = (budget: CalendarBudget) => budget.periods.map(({ fromMs, untilMs }) => [fromMs, untilMs]);
    expect(ends(budgetOf([30, 50, 1n], [20, 50, 1n], [10, 40, 1n]))).toEqual([
      [10, 40],
      [20, 50],
      [30, 50],
    ]);
  });

  it('forgets a period when another begins at or after its end', () => {
    expect(budgetOf([10, 20, 1n], [20, 30, 2n]).periods).toEqual([{ fromMs: 20, untilMs: 30, spent: 2n }]);
    expect(budgetOf([10, 20, 1n], [19, 30, 2n]).periods).toHaveLength(2);
  });

  it('counts a charge in every period that its own overlaps', () => {
    const budget = budgetOf([10, 20, 1n], [15, 30, 2n]);
    expect(spentInPeriod(budget, { fromMs: 10, untilMs: 20 })).toBe(3n);
    expect(spentInPeriod(budget, { fromMs: 19, untilMs: 29 })).toBe(3n);
    expect(spentInPeriod(budget, { fromMs: 20, untilMs: 30 })).toBe(2n);
    expect(spentInPeriod(budget, { fromMs: 30, untilMs: 40 })).toBe(0n);
  });

  it('is free when enough periods have ended, and not before the present one has', () => {
    const budget = budgetOf([10, 20, 1n], [12, 30, 2n], [12, 60, 4n]);
    const period = { fromMs: 10, untilMs: 40 };
    expect(periodUntilAtMost(budget, 7n, period)).toBe(10);
    expect(periodUntilAtMost(budget, 6n, period)).toBe(40);
    expect(periodUntilAtMost(budget, 4n, period)).toBe(40);
    expect(periodUntilAtMost(budget, 3n, period)).toBe(60);
    expect(periodUntilAtMost(budget, 0n, period)).toBe(60);
    // What has ended before the present period began is not counted, and freed nothing.
    expect(periodUntilAtMost(budget, 5n, { fromMs: 20, untilMs: 40 })).toBe(40);
    expect(periodUntilAtMost(budget, 6n, { fromMs: 20, untilMs: 40 })).toBe(20);
    expect(periodUntilAtMost(budgetOf(), 0n, period)).toBe(10);
  });
});
