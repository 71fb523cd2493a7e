import { describe, expect, it } from 'vitest';
import { lookAtClock, watchClock } from './keep-clock.ts';

const start = { wallMs: 1_000_000, bootMs: 10_000, monotonicMs: 10_000 };
const after = (ms: number, moved: { wall?: number; slept?: number } = {}) => ({
  wallMs: start.wallMs + ms + (moved.wall ?? 0),
  bootMs: start.bootMs + ms,
  monotonicMs: start.monotonicMs + ms - (moved.slept ?? 0),
});

describe('the keep’s clock', () => {
  it('is steady while both clocks run alike', () => {
    expect(lookAtClock(watchClock(start), after(86_400_000)).verdict).toEqual({ kind: 'steady' });
  });

  it.each([6_000, -6_000, 86_400_000, -86_400_000])('sees a jump of %d ms', (wall) => {
    const { verdict } = lookAtClock(watchClock(start), after(1_000, { wall }));
    expect(verdict).toEqual({ kind: 'jumped', expectedMs: start.wallMs + 1_000, byMs: wall });
  });

  it('allows what time synchronisation may slew, and no more', () => {
    const day = 86_400_000;
    expect(lookAtClock(watchClock(start), after(day, { wall: 40_000 })).verdict.kind).toBe('steady');
    expect(lookAtClock(watchClock(start), after(day, { wall: 60_000 })).verdict.kind).toBe('jumped');
  });

  it('sees that the machine slept, once', () => {
    const first = lookAtClock(watchClock(start), after(60_000, { slept: 50_000 }));
    expect(first.verdict).toEqual({ kind: 'slept', forMs: 50_000 });
    expect(lookAtClock(first.watch, after(61_000, { slept: 50_000 })).verdict).toEqual({ kind: 'steady' });
  });
});
