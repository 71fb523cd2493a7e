import { describe, expect, it } from 'vitest';
import { blockOf, createWatch } from './watch.fixture.ts';

/** So many findings a year bring blocks that come by chance, at this part of the schedule's rate (MINSTD, so the same always). */
function alarmsInYears(rate: number, years: number, seed: number): number {
  const watch = createWatch({ network: 'main', keptBlocks: 100, stalledAfterSeconds: 1_000_000_000 });
  let random = seed;
  const next = () => (random = (random * 48_271) % 2_147_483_647) / 2_147_483_647;
  const endMs = watch.nowMs + years * 365.25 * 86_400_000;
  let alarms = 0;
  for (let height = 1; watch.nowMs < endMs; height++) {
    const minedMs = watch.nowMs + (-Math.log(next()) * 600_000) / rate;
    for (let tickMs = watch.nowMs + 600_000; tickMs < minedMs; tickMs += 300_000) {
      watch.nowMs = tickMs;
      alarms += watch.tell({ kind: 'tick' }).length;
    }
    watch.nowMs = minedMs;
    // A miner's clock: wrong by some minutes, and by an hour now and then.
    const skewMs = (next() - 0.5) * (next() < 0.05 ? 7_200_000 : 300_000);
    const block = { ...blockOf(height), timeSeconds: Math.floor((minedMs + skewMs) / 1_000) };
    watch.tell({ kind: 'connected', block, matches: [], seenBy: ['node'] });
    watch.events.length = 0;
  }
  return alarms;
}

/** The mean number of windows that come to hold no more than 16 of 48 blocks, at this part of the rate. */
function bound(rate: number, years: number): number {
  const mean = 48 * rate;
  let exactly = Math.exp(-mean);
  for (let k = 1; k <= 16; k++) exactly *= mean / k;
  return exactly * 52_596 * rate * years;
}

describe('honest chance', () => {
  it('is never told as slow in a year at the pace of the schedule, nor at a tenth less', { timeout: 120_000 }, () => {
    expect(bound(1, 350)).toBeLessThan(1.01);
    expect(bound(0.9, 17)).toBeLessThan(1.01);
    expect([alarmsInYears(1, 1, 7), alarmsInYears(0.9, 1, 11)]).toEqual([0, 0]);
  });

  it('of a network at two thirds of its pace is told now and then, and at a third always', { timeout: 120_000 }, () => {
    const alarms = alarmsInYears(0.67, 1, 13);
    expect(alarms).toBeGreaterThan(0);
    expect(alarms).toBeLessThan(bound(0.67, 1));
    for (let seed = 1; seed <= 20; seed++) expect(alarmsInYears(1 / 3, 3 / 365.25, seed)).toBeGreaterThan(0);
  });
});
