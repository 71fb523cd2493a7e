import { toHex, viewFrom } from '@keepwatch/base';

/**
 * Reads Recursive Length Prefix (Yellow Paper, appendix B) in place, item after item, the strict way: every item has
 * exactly one encoding, and any other byte string is refused. No tree is built: what signs thousands of transactions a
 * second reads their fields straight from the bytes.
 *
 * A reader fails once: the first failure is kept, and whatever is read after it gives an empty value that nobody uses,
 * because its user looks at `error` before the values go anywhere.
 */
export interface RlpReader<Code extends string> {
  readonly bytes: Uint8Array;
  /** Where the next item starts. */
  at: number;
  /** Where the list that is being read ends. */
  end: number;
  /** The content of the byte string that was read last. */
  start: number;
  length: number;
  error: Code | RlpErrorCode | null;
}

export type RlpErrorCode = 'rlp_truncated' | 'rlp_not_canonical' | 'rlp_trailing_bytes' | 'rlp_too_large';

/**
 * A reader inside the one list that `bytes` holds from `from` on.
 *
 * - `rlp_truncated`: an item, or a list's member, ends after its container
 * - `rlp_not_canonical`: a length or a single byte that has a shorter encoding
 * - `rlp_trailing_bytes`: something follows the list
 * - `rlp_too_large`: more than `maxBytes`
 * - `notAList`: a byte string stands there
 */
export function openList<Code extends string>(
  bytes: Uint8Array,
  from: number,
  maxBytes: number,
  notAList: Code,
): RlpReader<Code> {
  const reader: RlpReader<Code> = { bytes, at: from, end: bytes.length, start: 0, length: 0, error: null };
  if (bytes.length > maxBytes) fail(reader, 'rlp_too_large');
  else if (from >= bytes.length) fail(reader, 'rlp_truncated');
  else enterList(reader, notAList);
  if (reader.end !== bytes.length) fail(reader, 'rlp_trailing_bytes');
  return reader;
}

/** Keeps the first failure and puts the reader where it reads nothing more. */
export function fail<Code extends string>(reader: RlpReader<Code>, code: Code | RlpErrorCode): void {
  reader.error ??= code;
  reader.at = reader.end;
}

/** How many items the list has from here to its end. Each one's header is checked; what lists contain is not. */
export function countItems<Code extends string>(reader: RlpReader<Code>): number {
  const from = reader.at;
  let count = 0;
  while (reader.at < reader.end) {
    readHeader(reader);
    count++;
  }
  if (reader.error === null) reader.at = from;
  return count;
}

/** Takes the next byte string; `start` and `length` say where it stands. A list, or no further item, is `code`. */
export function readString<Code extends string>(reader: RlpReader<Code>, code: Code): void {
  if (reader.at >= reader.end || reader.bytes[reader.at]! >= 0xc0) nothing(reader, code);
  else readHeader(reader);
}

/** Goes into the next item, a list, and gives what {@link leaveList} needs. A string, or no further item, is `code`. */
export function enterList<Code extends string>(reader: RlpReader<Code>, code: Code): number {
  const outer = reader.end;
  if (reader.at >= outer || reader.bytes[reader.at]! < 0xc0) fail(reader, code);
  else readHeader(reader);
  if (reader.error !== null) return outer;
  reader.at = reader.start;
  reader.end = reader.start + reader.length;
  return outer;
}

/** Goes back to the list around. Members that nobody read are `code`. */
export function leaveList<Code extends string>(reader: RlpReader<Code>, outer: number, code: Code): void {
  if (reader.at !== reader.end) fail(reader, code);
  reader.end = outer;
  if (reader.error !== null) reader.at = outer;
}

function nothing<Code extends string>(reader: RlpReader<Code>, code: Code | RlpErrorCode): void {
  fail(reader, code);
  reader.start = reader.at;
  reader.length = 0;
}

/** The header of the item at `at`, which lies before `end`; `at` goes behind the item. */
function readHeader<Code extends string>(reader: RlpReader<Code>): void {
  const { bytes, end } = reader;
  let at = reader.at;
  const prefix = bytes[at]!;
  if (prefix < 0x80) {
    reader.start = at;
    reader.length = 1;
    reader.at = at + 1;
    return;
  }
  at++;
  const short = prefix - (prefix >= 0xc0 ? 0xc0 : 0x80);
  let length = short;
  if (short > 55) {
    // 1 to 8 big-endian bytes. Above 2^53 the number is inexact, and longer than any input in any case.
    const size = short - 55;
    if (size > end - at) return nothing(reader, 'rlp_truncated');
    if (bytes[at] === 0) return nothing(reader, 'rlp_not_canonical');
    length = 0;
    for (let i = 0; i < size; i++) length = length * 256 + bytes[at++]!;
    if (length < 56) return nothing(reader, 'rlp_not_canonical');
  }
  if (length > end - at) return nothing(reader, 'rlp_truncated');
  if (prefix === 0x81 && bytes[at]! < 0x80) return nothing(reader, 'rlp_not_canonical');
  reader.start = at;
  reader.length = length;
  reader.at = at + length;
}

/**
 * The next item as a non-negative integer of at most `maxLength` bytes: big-endian without leading zeros, zero being the
 * empty string. Leading zeros and lists are `malformed`, more bytes are `outOfRange`.
 */
export function readUint<Code extends string>(
  reader: RlpReader<Code>,
  maxLength: number,
  malformed: Code,
  outOfRange: Code,
): bigint {
  readString(reader, malformed);
  const { bytes, start, length } = reader;
  if (length === 0) return 0n;
  if (bytes[start] === 0) fail(reader, malformed);
  else if (length > maxLength) fail(reader, outOfRange);
  return reader.error === null ? bigintAt(bytes, start, length) : 0n;
}

/** The next item as an integer from 0 to 2^53 − 1; else as {@link readUint}. */
export function readSafeInteger<Code extends string>(
  reader: RlpReader<Code>,
  malformed: Code,
  outOfRange: Code,
): number {
  readString(reader, malformed);
  const { bytes, start, length } = reader;
  if (length === 0) return 0;
  if (bytes[start] === 0) fail(reader, malformed);
  else if (length > 7 || (length === 7 && bytes[start]! > 0x1f)) fail(reader, outOfRange);
  return reader.error === null ? numberAt(bytes, start, start + length) : 0;
}

/** The next item as `0x` and lower-case hex digits, where it has exactly `size` bytes; else it is `code`. */
export function readFixed<Code extends string>(reader: RlpReader<Code>, size: number, code: Code): `0x${string}` {
  readString(reader, code);
  return fixedAt(reader, size, code);
}

/** The byte string that was read last, as {@link readFixed} gives it. */
export function fixedAt<Code extends string>(reader: RlpReader<Code>, size: number, code: Code): `0x${string}` {
  if (reader.length !== size) fail(reader, code);
  return reader.error === null ? `0x${toHex(viewFrom(reader.bytes, reader.start, reader.start + size))}` : '0x';
}

function bigintAt(bytes: Uint8Array, start: number, length: number): bigint {
  const end = start + length;
  let at = start + (length % 6);
  if (at === start) at += 6;
  let value = BigInt(numberAt(bytes, start, at));
  for (; at < end; at += 6) value = (value << 48n) | BigInt(numberAt(bytes, at, at + 6));
  return value;
}

function numberAt(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 256 + bytes[i]!;
  return value;
}
