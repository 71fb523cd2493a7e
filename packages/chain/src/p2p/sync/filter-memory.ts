/**
 * Memory for a batch of filters that is used again and again. Each filter in memory of its own would wait for a collection
 * of old objects, which comes only when tens of megabytes of them lie about.
 */
export interface FilterMemory {
  /** A copy of the bytes, which holds until the next `reset`. */
  keep(bytes: Uint8Array): Uint8Array;
  /** What was kept is given up. */
  reset(): void;
}

/** Some eight filters of full blocks. */
const PIECE_BYTES = 1 << 18;

export function createFilterMemory(): FilterMemory {
  const pieces: Uint8Array[] = [];
  let piece = 0;
  let used = 0;
  return {
    keep(bytes) {
      // A filter that is larger than any of a real block has memory of its own.
      if (bytes.length > PIECE_BYTES) return bytes.slice();
      if (used + bytes.length > PIECE_BYTES) {
        piece++;
        used = 0;
      }
      const into = (pieces[piece] ??= new Uint8Array(PIECE_BYTES));
      const kept = into.subarray(used, used + bytes.length);
      kept.set(bytes);
      used += bytes.length;
      return kept;
    },
    reset() {
      piece = 0;
      used = 0;
    },
  };
}
