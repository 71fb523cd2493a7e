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

/** Milliseconds until the next try is allowed; 0 when it is. A clock that was set back gains nothing. */
export function retryAfterMs(failed: FailedUnseals, nowMs: number): number {
  if (failed.count < FREE_TRIES) return 0;
  const pause = Math.min(LONGEST_MS, 1_000 * 2 ** Math.min(failed.count - FREE_TRIES, 20));
  const waited = Math.max(0, nowMs - failed.lastMs);
  return Math.max(0, pause - waited);
}
