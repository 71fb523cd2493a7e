/** A bucket of permissions that fills steadily. Pure but for its own count; `nowMs` comes from a monotonic clock. */
export interface TokenBucket {
  /** Takes one if there is one. */
  take(nowMs: number): boolean;
}

export function createTokenBucket(options: { readonly burst: number; readonly perSecond: number }): TokenBucket {
  let tokens = options.burst;
  let lastMs: number | null = null;
  return {
    take(nowMs) {
      const passed = lastMs === null ? 0 : Math.max(0, nowMs - lastMs);
      lastMs = nowMs;
      tokens = Math.min(options.burst, tokens + (passed / 1_000) * options.perSecond);
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
