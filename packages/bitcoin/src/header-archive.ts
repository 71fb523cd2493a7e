import { HEADER_BYTES } from './layout.ts';

/**
 * Where the headers of a chain lie: 80 bytes each, one behind the other, in the order in which they were accepted. A chain
 * keeps in memory what finds them and reads the rest here, so `read` has to be fast: a file does.
 */
export interface HeaderArchive {
  readonly count: number;
  /** Adds whole headers at the end. They are durable when it returns; where it throws, nothing was added. */
  append(headers: Uint8Array): void;
  /** Fills the bytes with headers from the given one on, and gives how many: fewer than would fit only at the end. */
  read(from: number, into: Uint8Array): number;
  /** Keeps the first `count`. */
  truncate(count: number): void;
}

/** Headers in memory alone: for short chains, and where there is no disk. */
export function createMemoryArchive(): HeaderArchive {
  let bytes = new Uint8Array(64 * HEADER_BYTES);
  let count = 0;
  return {
    get count() {
      return count;
    },
    append(headers) {
      const end = count * HEADER_BYTES + headers.length;
      if (end > bytes.length) {
        const larger = new Uint8Array(Math.max(end, bytes.length + (bytes.length >> 1)));
        larger.set(bytes);
        bytes = larger;
      }
      bytes.set(headers, count * HEADER_BYTES);
      count = end / HEADER_BYTES;
    },
    read(from, into) {
      const length = Math.max(0, Math.min(Math.floor(into.length / HEADER_BYTES), count - from)) * HEADER_BYTES;
      into.set(bytes.subarray(from * HEADER_BYTES, from * HEADER_BYTES + length));
      return length / HEADER_BYTES;
    },
    truncate(kept) {
      count = Math.min(count, kept);
    },
  };
}
