import { describe, expect, it } from 'vitest';
import { onThisClock, retryAfterMs } from './throttle.ts';

describe('unseal throttle', () => {
  it('lets three tries through and then doubles the pause up to a quarter of an hour', () => {
    const pauses = [0, 1, 2, 3, 4, 5, 13, 1_000].map((count) => retryAfterMs({ count, lastMs: 50_000 }, 50_000));
    expect(pauses).toEqual([0, 0, 0, 1_000, 2_000, 4_000, 900_000, 900_000]);
  });

  it('counts down by the time that has passed and gives nothing for a clock set back', () => {
    const failed = { count: 5, lastMs: 100_000 };
    expect(retryAfterMs(failed, 103_000)).toBe(1_000);
    expect(retryAfterMs(failed, 104_000)).toBe(0);
    expect(retryAfterMs(failed, 1_000)).toBe(4_000);
  });

  it('locks nobody out for years because a clock was years ahead', () => {
    const failed = { count: 5, lastMs: 400_000_000_000 };
    const seen = onThisClock(failed, 1_000);
    expect(retryAfterMs(seen, 1_000)).toBe(4_000);
    expect(retryAfterMs(onThisClock(seen, 5_000), 5_000)).toBe(0);
    expect(onThisClock(seen, 5_000)).toBe(seen);
  });
});
