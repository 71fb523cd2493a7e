import { describe, expect, it } from 'vitest';
import { addCharge, createRollingWindow, marksOf, MAX_MARKS, sumAt, timeUntilAtMost } from './rolling-window.ts';

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
});
