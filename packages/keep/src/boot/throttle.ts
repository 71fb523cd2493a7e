/**
 * How long an unseal has to wait after wrong passwords: three tries are free, then 1 s, 2 s, 4 s … up to 15 min. The
 * count is written before the password is tried, so that killing the keep gives no free guess. Pure.
 */
export interface FailedUnseals {
  readonly count: number;
  /** When the last one began, the keep's time in ms. */
  readonly lastMs: number;
}

const FREE_TRIES = 3;
const LONGEST_MS = 15 * 60_000;

/**
 * Milliseconds until the next try is allowed; 0 when it is. A clock that was set back gains nothing, and does not lock
 * anybody out either: a try that lies ahead of the clock counts as one of this moment ({@link onThisClock}).
 */
export function retryAfterMs(failed: FailedUnseals, nowMs: number): number {
  if (failed.count < FREE_TRIES) return 0;
  const pause = Math.min(LONGEST_MS, 1_000 * 2 ** Math.min(failed.count - FREE_TRIES, 20));
  const waited = Math.max(0, nowMs - failed.lastMs);
  return Math.max(0, pause - waited);
}

/**
 * The same on a clock that was set back since. Kept, so that the pause goes by once and does not begin anew at each
 * look: a machine that thought it was ten years later would be locked for ten years.
 */
export function onThisClock(failed: FailedUnseals, nowMs: number): FailedUnseals {
  return failed.lastMs > nowMs ? { ...failed, lastMs: nowMs } : failed;
}
