import type { Entropy } from '@keepwatch/base';

/**
 * A hash of 2 × 32 bits under a key that is drawn anew for each process: nobody outside can prepare scripts that collide.
 * It is no cryptographic hash, and nothing but time depends on it: whatever it finds is compared byte by byte.
 */
export interface HashKey {
  /** Two seeds and pairs of odd multipliers, which follow one another word by word. */
  readonly words: Uint32Array;
}

const WORDS = 32;

export function drawHashKey(entropy: Entropy): HashKey {
  const bytes = entropy(WORDS * 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { words: Uint32Array.from({ length: WORDS }, (_, i) => (view.getUint32(i * 4, true) | 1) >>> 0) };
}

/** Hashes `length` bytes at `at` and writes the two halves to `out[2i]` and `out[2i + 1]`. */
export function hashInto(
  view: DataView,
  at: number,
  length: number,
  words: Uint32Array,
  out: Uint32Array,
  i: number,
): void {
  let a = words[0]! ^ length;
  let b = words[1]! + length;
  let k = 2;
  if (length >= 4) {
    const last = at + length - 4;
    for (; at < last; at += 4) {
      const word = view.getInt32(at, true);
      a = Math.imul(a ^ word, words[k]!);
      a ^= a >>> 15;
      b = Math.imul(b + word, words[k + 1]!);
      b = (b << 13) | (b >>> 19);
      k = (k + 2) & (WORDS - 1);
    }
    // The last four bytes overlap the word before where the length is no multiple of four.
    const word = view.getInt32(last, true);
    a = Math.imul(a ^ word, words[k]!);
    b = Math.imul(b + word, words[k + 1]!);
  } else {
    for (let j = 0; j < length; j++) {
      const word = view.getUint8(at + j);
      a = Math.imul(a ^ word, words[k]!);
      b = Math.imul(b + word, words[k + 1]!);
      k += 2;
    }
  }
  a ^= (a >>> 16) ^ b;
  a = Math.imul(a, 0x85ebca6b);
  b ^= (b >>> 15) ^ a;
  b = Math.imul(b, 0xc2b2ae35);
  out[2 * i] = a ^ (a >>> 13) ^ b;
  out[2 * i + 1] = b ^ (b >>> 16);
}
