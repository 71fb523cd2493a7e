import { describe, expect, it } from 'vitest';
import { createBackOff } from './back-off.ts';

describe('back-off', () => {
  it('doubles up to its bound, and starts over after a steady run', () => {
    let now = 0;
    const backOff = createBackOff({ firstMs: 100, mostMs: 1000, steadyMs: 5000 }, () => now);
    const quick = () => {
      backOff.started();
      now += 10;
      return backOff.nextMs();
    };
    expect([quick(), quick(), quick(), quick(), quick(), quick()]).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(backOff.quickEnds()).toBe(6);
    backOff.started();
    now += 5000;
    expect(backOff.nextMs()).toBe(100);
    expect(backOff.quickEnds()).toBe(1);
  });

  it('does not start over when nothing ever started', () => {
    let now = 0;
    const backOff = createBackOff({ firstMs: 1, mostMs: 64, steadyMs: 10 }, () => now);
    const waits = Array.from({ length: 8 }, () => {
      now += 100;
      return backOff.nextMs();
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 64]);
  });
});
