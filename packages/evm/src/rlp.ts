import { err, ok, type Result } from '@keepwatch/base';

/**
 * Recursive Length Prefix (Yellow Paper, appendix B), the strict way: every item has exactly one encoding, and any
 * other byte string is refused. What was decoded can therefore be encoded again to the very same bytes.
 */
export type RlpItem = Uint8Array | readonly RlpItem[];

export type RlpErrorCode =
  'rlp_truncated' | 'rlp_not_canonical' | 'rlp_trailing_bytes' | 'rlp_too_large' | 'rlp_too_deep';

export interface RlpLimits {
  /** The longest input, in bytes. */
  readonly maxBytes: number;
  /** How deep lists may nest: 1 permits a flat list. */
  readonly maxDepth: number;
}

interface Cursor {
  readonly bytes: Uint8Array;
  readonly maxDepth: number;
  at: number;
}

export function isBytes(item: RlpItem): item is Uint8Array {
  return item instanceof Uint8Array;
}

/**
 * The one item that `bytes` is the encoding of. Byte strings in it are views into `bytes`, not copies.
 *
 * - `rlp_truncated`: an item, or a list's member, ends after its container
 * - `rlp_not_canonical`: a length or a single byte that has a shorter encoding
 * - `rlp_trailing_bytes`: something follows the item
 * - `rlp_too_large`, `rlp_too_deep`: beyond `limits`
 */
export function decodeRlp(bytes: Uint8Array, limits: RlpLimits): Result<RlpItem, RlpErrorCode> {
  if (bytes.length > limits.maxBytes) return err('rlp_too_large');
  const cursor: Cursor = { bytes, maxDepth: limits.maxDepth, at: 0 };
  const item = readItem(cursor, bytes.length, 0);
  if (typeof item === 'string') return err(item);
  return cursor.at === bytes.length ? ok(item) : err('rlp_trailing_bytes');
}

function readItem(cursor: Cursor, end: number, depth: number): RlpItem | RlpErrorCode {
  const { bytes } = cursor;
  if (cursor.at >= end) return 'rlp_truncated';
  const prefix = bytes[cursor.at++]!;
  if (prefix < 0x80) return bytes.subarray(cursor.at - 1, cursor.at);
  const isList = prefix >= 0xc0;
  const short = prefix - (isList ? 0xc0 : 0x80);
  const length = short < 56 ? short : readLongLength(cursor, end, short - 55);
  if (typeof length === 'string') return length;
  if (length > end - cursor.at) return 'rlp_truncated';
  const itemEnd = cursor.at + length;
  if (isList) return readList(cursor, itemEnd, depth + 1);
  if (length === 1 && bytes[cursor.at]! < 0x80) return 'rlp_not_canonical';
  const start = cursor.at;
  cursor.at = itemEnd;
  return bytes.subarray(start, itemEnd);
}

function readList(cursor: Cursor, end: number, depth: number): RlpItem[] | RlpErrorCode {
  if (depth > cursor.maxDepth) return 'rlp_too_deep';
  const items: RlpItem[] = [];
  while (cursor.at < end) {
    const item = readItem(cursor, end, depth);
    if (typeof item === 'string') return item;
    items.push(item);
  }
  return items;
}

/** A length of 56 or more: 1 to 8 big-endian bytes. Above 2^53 it is inexact, and longer than any input in any case. */
function readLongLength(cursor: Cursor, end: number, size: number): number | RlpErrorCode {
  if (size > end - cursor.at) return 'rlp_truncated';
  if (cursor.bytes[cursor.at] === 0) return 'rlp_not_canonical';
  let length = 0;
  for (let i = 0; i < size; i++) length = length * 256 + cursor.bytes[cursor.at++]!;
  return length < 56 ? 'rlp_not_canonical' : length;
}

/** The one encoding of `item`. */
export function encodeRlp(item: RlpItem): Uint8Array {
  const out = new Uint8Array(encodedLength(item));
  write(item, out, 0);
  return out;
}

/**
 * The encoding of a list with `items` added at its end; the members that it has are copied, not encoded anew. `list` is
 * the encoding of a list, as {@link decodeRlp} accepted it. Throws a RangeError where its header does not fit its length.
 */
export function appendToRlpList(list: Uint8Array, items: readonly RlpItem[]): Uint8Array {
  const cursor: Cursor = { bytes: list, maxDepth: 0, at: 1 };
  const short = (list[0] ?? 0) - 0xc0;
  const length = short < 56 ? short : readLongLength(cursor, list.length, short - 55);
  if (length !== list.length - cursor.at) throw new RangeError('not the encoding of one list');
  const members = list.subarray(cursor.at);
  const newLength = length + payloadLength(items);
  const out = new Uint8Array(headerLength(newLength) + newLength);
  let at = writeHeader(newLength, 0xc0, out, 0);
  out.set(members, at);
  at += length;
  for (const item of items) at = write(item, out, at);
  return out;
}

function encodedLength(item: RlpItem): number {
  if (isBytes(item) && item.length === 1 && item[0]! < 0x80) return 1;
  const length = payloadLength(item);
  return headerLength(length) + length;
}

function headerLength(length: number): number {
  return length < 56 ? 1 : 1 + byteLength(length);
}

function payloadLength(item: RlpItem): number {
  if (isBytes(item)) return item.length;
  let length = 0;
  for (const member of item) length += encodedLength(member);
  return length;
}

function byteLength(value: number): number {
  let size = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) size++;
  return size;
}

function write(item: RlpItem, out: Uint8Array, start: number): number {
  let at = start;
  if (isBytes(item)) {
    if (item.length !== 1 || item[0]! >= 0x80) at = writeHeader(item.length, 0x80, out, at);
    out.set(item, at);
    return at + item.length;
  }
  at = writeHeader(payloadLength(item), 0xc0, out, at);
  for (const member of item) at = write(member, out, at);
  return at;
}

function writeHeader(length: number, offset: number, out: Uint8Array, at: number): number {
  if (length < 56) {
    out[at] = offset + length;
    return at + 1;
  }
  const size = byteLength(length);
  out[at] = offset + 55 + size;
  for (let i = size, rest = length; i > 0; i--, rest = Math.floor(rest / 256)) out[at + i] = rest % 256;
  return at + 1 + size;
}

/**
 * A non-negative integer as RLP has it: big-endian without leading zeros, zero being the empty string. `undefined`
 * where there is a leading zero. Its cost is quadratic, so the caller bounds the length.
 */
export function uintFromBytes(bytes: Uint8Array): bigint | undefined {
  const { length } = bytes;
  if (length === 0) return 0n;
  if (bytes[0] === 0) return undefined;
  let at = length % 6;
  let value = BigInt(readUpTo48Bits(bytes, 0, at));
  for (; at < length; at += 6) value = (value << 48n) | BigInt(readUpTo48Bits(bytes, at, at + 6));
  return value;
}

function readUpTo48Bits(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 256 + bytes[i]!;
  return value;
}

/** The inverse of {@link uintFromBytes}. Throws a RangeError for a negative number. */
export function uintToBytes(value: bigint): Uint8Array {
  if (value < 0n) throw new RangeError('RLP has no negative integers');
  const words: number[] = [];
  for (let rest = value; rest > 0n; rest >>= 48n) words.push(Number(rest & 0xffff_ffff_ffffn));
  if (words.length === 0) return new Uint8Array(0);
  const out = new Uint8Array((words.length - 1) * 6 + byteLength(words[words.length - 1]!));
  let end = out.length;
  for (const word of words) {
    let rest = word;
    for (let i = 1; i <= 6 && end - i >= 0; i++, rest = Math.floor(rest / 256)) out[end - i] = rest % 256;
    end -= 6;
  }
  return out;
}
