import { describe, expect, it } from 'vitest';
import { fold } from '../../../keep/src/state/fold.ts';
import { simulateBudget } from './budget.ts';

const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1);

describe('64 clients who race for one budget', () => {
  it('never sign more than its limit, and use it up', () => {
    const histories = SEEDS.map((seed) => simulateBudget(seed));
    expect(histories.filter(({ fault }) => fault !== null)).toEqual([]);
    expect(histories.filter(({ used }) => used >= 90).length).toBeGreaterThan(10);
    const crashes = histories.reduce((sum, each) => sum + each.crashes, 0);
    expect(crashes).toBeGreaterThan(100);
  }, 120_000);

  it('are the same for the same seed', () => {
    expect(simulateBudget(7)).toEqual(simulateBudget(7));
  }, 60_000);

  it('are found out where a charge is forgotten', () => {
    let permits = 0;
    const forgetful: typeof fold = (state, seq, entry) => {
      const forgets = entry.type === 'request.permitted' && ++permits % 3 === 0;
      fold(state, seq, forgets ? { ...entry, charges: [] } : entry);
    };
    expect(SEEDS.some((seed) => simulateBudget(seed, { fold: forgetful }).fault !== null)).toBe(true);
  }, 120_000);
});
