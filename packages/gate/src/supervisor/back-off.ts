/** How long to wait before something is started again. Doubles with each quick end; a steady run starts over. */
export interface BackOff {
  started(): void;
  /** The wait before the next start, in milliseconds. */
  nextMs(): number;
  /** Quick ends in a row, the one that `nextMs` was last asked for included. */
  quickEnds(): number;
}

/** Milliseconds: the first wait, the longest, and how long a run has to last to count as steady. */
export interface BackOffOptions {
  readonly firstMs: number;
  readonly mostMs: number;
  readonly steadyMs: number;
}

export function createBackOff(options: BackOffOptions, now: () => number): BackOff {
  let quick = 0;
  let startedAt: number | undefined;
  return {
    started() {
      startedAt = now();
    },
    nextMs() {
      if (startedAt !== undefined && now() - startedAt >= options.steadyMs) quick = 0;
      startedAt = undefined;
      return Math.min(options.mostMs, options.firstMs * 2 ** Math.min(quick++, 30));
    },
    quickEnds: () => quick,
  };
}
