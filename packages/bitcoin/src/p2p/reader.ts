import { readCompactSize, compactSizeLength } from '../compact-size.ts';

/**
 * Reads fields one behind the other. Past the end, or after a number that is not in its shortest form, every further
 * read gives zeros and `whole()` says false: a decoder reads all fields and asks once.
 */
export interface Reader {
  u8(): number;
  u16be(): number;
  u16(): number;
  u32(): number;
  i32(): number;
  u64(): bigint;
  /** A count or length of at most `most`. */
  size(most: number): number;
  /** A CompactSize that is a number and not a length: up to 64 bits (BIP155 services). */
  big(): bigint;
  /** A copy. */
  bytes(length: number): Uint8Array;
  /** Where they stand: for what is long and is read only. */
  view(length: number): Uint8Array;
  /** All that is left, as a copy. */
  rest(): Uint8Array;
  left(): number;
  /** Whether all reads so far were good. */
  good(): boolean;
  /** Whether all reads were good and nothing is left. */
  whole(): boolean;
}

export function createReader(source: Uint8Array): Reader {
  const view = new DataView(source.buffer, source.byteOffset, source.length);
  let at = 0;
  let good = true;

  function take(length: number): number {
    if (!good || length > source.length - at) {
      good = false;
      return -1;
    }
    at += length;
    return at - length;
  }
  const read = <T>(length: number, get: (from: number) => T, zero: T): T => {
    const from = take(length);
    return from < 0 ? zero : get(from);
  };
  const bytes = (length: number) => read(length, (from) => source.slice(from, from + length), new Uint8Array(0));

  const viewOf = (length: number) => read(length, (from) => source.subarray(from, from + length), new Uint8Array(0));

  return {
    u8: () => read(1, (from) => source[from]!, 0),
    u16be: () => read(2, (from) => view.getUint16(from), 0),
    u16: () => read(2, (from) => view.getUint16(from, true), 0),
    u32: () => read(4, (from) => view.getUint32(from, true), 0),
    i32: () => read(4, (from) => view.getInt32(from, true), 0),
    u64: () => read(8, (from) => view.getBigUint64(from, true), 0n),
    size(most) {
      const value = good ? readCompactSize(source, at) : -1;
      if (value < 0 || value > most) {
        good = false;
        return 0;
      }
      at += compactSizeLength(value);
      return value;
    },
    big() {
      if (!good || at >= source.length || source[at] !== 0xff) {
        // Numbers up to 32 bits in the short forms; what is beyond MAX_SIZE is allowed here.
        if (good && at < source.length && source[at] === 0xfe) {
          at++;
          const value = read(4, (from) => view.getUint32(from, true), 0);
          if (value <= 0xffff) good = false;
          return BigInt(value);
        }
        return BigInt(this.size(0xffff));
      }
      at++;
      const value = read(8, (from) => view.getBigUint64(from, true), 0n);
      if (value <= 0xffff_ffffn) good = false;
      return value;
    },
    bytes,
    view: viewOf,
    rest: () => bytes(source.length - at),
    left: () => source.length - at,
    good: () => good,
    whole: () => good && at === source.length,
  };
}
