import { viewFrom } from '@keepwatch/base';
import { openList } from './rlp-reader.ts';

/** Writes Recursive Length Prefix (Yellow Paper, appendix B). What is read is read by `rlp-reader.ts`. */
export type RlpItem = Uint8Array | readonly RlpItem[];

function isBytes(item: RlpItem): item is Uint8Array {
  return item instanceof Uint8Array;
}

/** The one encoding of `item`. */
export function encodeRlp(item: RlpItem): Uint8Array {
  const out = new Uint8Array(encodedLength(item));
  write(item, out, 0);
  return out;
}

/**
 * `bytes` with `items` added at the end of the list that starts at `from` and fills the rest of them. What the list has is
 * copied, not encoded anew. Throws a RangeError where no list does.
 */
export function appendToRlpList(bytes: Uint8Array, from: number, items: readonly RlpItem[]): Uint8Array {
  const reader = openList(bytes, from, bytes.length, 'not_a_list');
  if (reader.error !== null) throw new RangeError('not the encoding of one list');
  const out = encodeRlpList(viewFrom(bytes, reader.at), items, from);
  for (let i = 0; i < from; i++) out[i] = bytes[i]!;
  return out;
}

/** The encoding of a list: first `members`, the encodings of items one after another, then `items`. `before`: free bytes. */
export function encodeRlpList(members: Uint8Array, items: readonly RlpItem[], before = 0): Uint8Array {
  const length = members.length + payloadLength(items);
  const out = new Uint8Array(before + headerLength(length) + length);
  let at = writeHeader(length, 0xc0, out, before);
  out.set(members, at);
  at += members.length;
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
 * A non-negative integer as RLP has it: big-endian without leading zeros, zero being the empty string. Throws a RangeError
 * for a negative number.
 */
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
