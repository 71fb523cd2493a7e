/**
 * CompactSize, bitcoin's variable-length integer. Only the shortest form counts, and nothing above MAX_SIZE: a node
 * refuses both (serialize.h, `ReadCompactSize`).
 */

/** The largest count or length that any message may name: 32 MiB. */
const MAX_SIZE = 0x0200_0000;

export const COMPACT_TRUNCATED = -1;
export const COMPACT_NOT_CANONICAL = -2;
export const COMPACT_TOO_LARGE = -3;

/** The value that starts at `at`, or one of the negative faults above. Its length is `compactSizeLength(value)`. */
export function readCompactSize(bytes: Uint8Array, at: number): number {
  if (at >= bytes.length) return COMPACT_TRUNCATED;
  const first = bytes[at]!;
  if (first < 0xfd) return first;
  if (first === 0xfd) {
    if (at + 3 > bytes.length) return COMPACT_TRUNCATED;
    const value = bytes[at + 1]! | (bytes[at + 2]! << 8);
    return value < 0xfd ? COMPACT_NOT_CANONICAL : value;
  }
  if (first === 0xfe) {
    if (at + 5 > bytes.length) return COMPACT_TRUNCATED;
    const value = (bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 24)) >>> 0;
    if (value <= 0xffff) return COMPACT_NOT_CANONICAL;
    return value > MAX_SIZE ? COMPACT_TOO_LARGE : value;
  }
  if (at + 9 > bytes.length) return COMPACT_TRUNCATED;
  const high = bytes[at + 5]! | bytes[at + 6]! | bytes[at + 7]! | bytes[at + 8]!;
  return high === 0 ? COMPACT_NOT_CANONICAL : COMPACT_TOO_LARGE;
}

/** How many bytes the shortest form of the value takes. */
export function compactSizeLength(value: number): number {
  return value < 0xfd ? 1 : value <= 0xffff ? 3 : 5;
}

/** The shortest form of a count or length up to MAX_SIZE. */
export function compactSize(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > MAX_SIZE) throw new RangeError('not a CompactSize');
  if (value < 0xfd) return Uint8Array.of(value);
  if (value <= 0xffff) return Uint8Array.of(0xfd, value & 0xff, value >> 8);
  return Uint8Array.of(0xfe, value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24);
}
