import { describe, expect, it } from 'vitest';
import {
  addCharge,
  cloneRollingWindow,
  createRollingWindow,
  marksOf,
  MAX_MARKS,
  sumAt,
  timeUntilAtMost,
} from './rolling-window.ts';

describe('a rolling window of 10 seconds', () => {
  it('counts a charge until just before ten seconds have passed, and no longer at ten seconds', () => {
    const window = createRollingWindow(10);
    addCharge(window, 7n, 5000);
    expect(sumAt(window, 5000)).toBe(7n);
    expect(sumAt(window, 14_999)).toBe(7n);
    expect(sumAt(window, 15_000)).toBe(0n);
  });

  it('lets each charge go by itself', () => {
    const window = createRollingWindow(10);
    addCharge(window, 1n, 0);
    addCharge(window, 2n, 4000);
    addCharge(window, 4n, 4000);
    addCharge(window, 8n, 9999);
    expect([0, 4000, 9999, 10_000, 13_999, 14_000, 19_999].map((now) => sumAt(window, now))).toEqual([
      15n,
      15n,
      15n,
      14n,
      14n,
      8n,
      0n,
    ]);
    expect(marksOf(window)).toEqual([
      [0, 1n],
      [4000, 6n],
      [9999, 8n],
    ]);
    expect(timeUntilAtMost(window, 15n, 9999)).toBe(9999);
    expect(timeUntilAtMost(window, 14n, 9999)).toBe(10_000);
    expect(timeUntilAtMost(window, 13n, 9999)).toBe(14_000);
    expect(timeUntilAtMost(window, 0n, 9999)).toBe(19_999);
  });

  it('holds as many marks exactly as it says, and then merges within 1/1024 of the window', () => {
    const window = createRollingWindow(1024 * 4);
    for (let i = 0; i < MAX_MARKS; i++) addCharge(window, 1n, i);
    expect(marksOf(window).length).toBe(MAX_MARKS);
    addCharge(window, 1n, MAX_MARKS);
    // A cell of the grid is 4 seconds wide: everything so far lies in one.
    expect(marksOf(window)).toEqual([[MAX_MARKS, BigInt(MAX_MARKS) + 1n]]);
    expect(sumAt(window, MAX_MARKS + 4_095_999)).toBe(BigInt(MAX_MARKS) + 1n);
    expect(sumAt(window, MAX_MARKS + 4_096_000)).toBe(0n);
  });

  it('merges cell by cell, at the time of the latest of each, and keeps the sums', () => {
    const window = createRollingWindow(1024 * 4);
    // 2,049 charges over 5 cells of 4 seconds.
    for (let i = 0; i <= MAX_MARKS; i++) addCharge(window, 1n, i * 8);
    const marks = marksOf(window);
    expect(marks.map(([time]) => time)).toEqual([3_992, 7_992, 11_992, 15_992, 16_384]);
    expect(marks.map(([, amount]) => amount)).toEqual([500n, 500n, 500n, 500n, 49n]);
    expect(sumAt(window, 16_384)).toBe(2_049n);
    expect(sumAt(window, 3_992 + 4_096_000)).toBe(1_549n);
  });

  it('forgets what has left the window, and never grows beyond what it holds', () => {
    const window = createRollingWindow(10);
    let at = 0;
    for (let i = 0; i < 10_000; i++) {
      at += 20;
      addCharge(window, 1n, at);
      expect(window.times.length).toBeLessThanOrEqual(2 * 1_024);
    }
    expect(sumAt(window, at)).toBe(500n);
    expect(marksOf(window)).toHaveLength(500);
    expect(marksOf(window)[0]).toEqual([at - 499 * 20, 1n]);
    expect(timeUntilAtMost(window, 499n, at)).toBe(at - 499 * 20 + 10_000);
    expect(timeUntilAtMost(window, 100n, at)).toBe(at - 100 * 20 + 10_000);
    expect(window.totals).toHaveLength(window.times.length);
    expect(window.departed + 500n).toBe(10_000n);
  });

  it('is copied whole', () => {
    const window = createRollingWindow(10);
    addCharge(window, 3n, 5);
    const copy = cloneRollingWindow(window);
    addCharge(window, 4n, 6);
    expect(marksOf(copy)).toEqual([[5, 3n]]);
    expect(sumAt(copy, 6)).toBe(3n);
  });
});
