import { uptime } from 'node:os';
import type { Clock } from '@keepwatch/base';

export interface ClockSources {
  /** Wall clock, milliseconds since the epoch. */
  readonly wallMs: () => number;
  /** CLOCK_MONOTONIC in milliseconds: stands still while the machine sleeps. */
  readonly monotonicMs: () => number;
  /** Time since boot in milliseconds, sleep included; coarse, cut off downwards, and slow to ask. */
  readonly uptimeMs: () => number;
}

const SYSTEM: ClockSources = {
  wallMs: Date.now,
  monotonicMs: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
  uptimeMs: () => uptime() * 1000,
};

/** Asking for the uptime reads a file (14 µs): once in this time is enough … */
const RECHECK_MS = 100;
/** … unless wall and monotonic clock came apart by more than this, which is what sleep looks like. */
const JUMP_MS = 5;

/**
 * Keep's clock. The boot clock is the monotonic one plus the time slept. `os.uptime()` knows that sum to 10 ms, always
 * cut off downwards; so the time slept is at least every difference ever seen, and their maximum is exact to a fraction
 * of a millisecond after a few readings. (CLOCK_BOOTTIME itself is out of reach: the right to call it is dropped.)
 */
export function createClock(sources: ClockSources = SYSTEM): Clock {
  let sleptMs = -Infinity;
  let checkedAt = -Infinity;
  let wallAhead = 0;
  return {
    now() {
      const wallMs = sources.wallMs();
      const monotonicMs = sources.monotonicMs();
      if (monotonicMs - checkedAt >= RECHECK_MS || Math.abs(wallMs - monotonicMs - wallAhead) > JUMP_MS) {
        // In this order: whatever stops the process between the two makes it too little, and never too much.
        sleptMs = Math.max(sleptMs, sources.uptimeMs() - sources.monotonicMs());
        checkedAt = monotonicMs;
        wallAhead = wallMs - monotonicMs;
      }
      return { wallMs, monotonicMs, bootMs: monotonicMs + sleptMs };
    },
  };
}
