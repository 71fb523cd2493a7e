/** A rate with room for bursts: `perSecond` tokens flow in, at most `burst` are held, each message takes one. */
export interface TokenBucket {
  /** Takes a token at `nowMs` (any clock that never goes back); `false` when there is none. */
  take(nowMs: number): boolean;
}

export function createTokenBucket(perSecond: number, burst: number, nowMs: number): TokenBucket {
  let tokens = burst;
  let last = nowMs;
  return {
    take(now) {
      tokens = Math.min(burst, tokens + ((now - last) * perSecond) / 1000);
      last = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
