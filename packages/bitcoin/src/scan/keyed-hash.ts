import type { Entropy } from '@keepwatch/base';

/**
 * A hash of 2 × 32 bits under a key that is drawn anew for each process: nobody outside can prepare scripts that collide.
 * It is no cryptographic hash, and nothing but time depends on it: whatever it finds is compared byte by byte.
 */
export interface HashKey {
  readonly seedA: number;
  readonly seedB: number;
  /** Odd multipliers. */
  readonly timesA: number;
  readonly timesB: number;
}

export function drawHashKey(entropy: Entropy): HashKey {
  const bytes = entropy(16);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const odd = (at: number) => view.getInt32(at, true) | 1;
  return { seedA: view.getInt32(0, true), seedB: view.getInt32(4, true), timesA: odd(8), timesB: odd(12) };
}

/** Hashes `length` bytes at `at` and writes the two halves to `out[2i]` and `out[2i + 1]`. */
export function hashInto(view: DataView, at: number, length: number, key: HashKey, out: Uint32Array, i: number): void {
  const timesA = key.timesA;
  const timesB = key.timesB;
  let a = key.seedA ^ length;
  let b = key.seedB ^ length;
  if (length >= 4) {
    const last = at + length - 4;
    for (; at < last; at += 4) {
      const word = view.getInt32(at, true);
      a = Math.imul(a ^ word, timesA);
      a ^= a >>> 15;
      b = Math.imul((b + word) | 0, timesB);
      b = (b << 13) | (b >>> 19);
    }
    // The last four bytes overlap the word before where the length is no multiple of four.
    const word = view.getInt32(last, true);
    a = Math.imul(a ^ word, timesA);
    b = Math.imul((b + word) | 0, timesB);
  } else {
    for (let j = 0; j < length; j++) {
      const word = view.getUint8(at + j);
      a = Math.imul(a ^ word, timesA);
      b = Math.imul((b + word) | 0, timesB);
      b = (b << 13) | (b >>> 19);
    }
  }
  a = Math.imul(a ^ (a >>> 16) ^ b, 0x85ebca6b);
  b = Math.imul(b ^ (b >>> 15) ^ a, 0xc2b2ae35);
  out[2 * i] = a ^ (a >>> 13) ^ b;
  out[2 * i + 1] = b ^ (b >>> 16);
}
