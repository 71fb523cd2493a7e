import { concat } from '@keepwatch/base';

/**
 * The part of RLP (Yellow Paper, appendix B) that an ether transfer needs: encoding one list of byte strings, and adding a
 * signature to the end of a list. The vault has a complete and strict codec of its own; what is encoded here is decoded
 * there before anything is signed.
 */

/** `first`, then a list of these integers and byte strings and of an empty list behind them. */
export function rlpListAfter(first: number, fields: readonly (bigint | number | Uint8Array)[]): Uint8Array {
  // From the end to the start: so each length is known when its turn comes, and nothing is put together twice.
  const out = roomFor(16 + fields.length * (1 + MAX_FIELD));
  let at = out.length;
  out[--at] = 0xc0;
  for (let i = fields.length - 1; i >= 0; i--) at = fieldBefore(at, fields[i]!, out);
  const head = header(out.length - at, 0xc0);
  out.set(head, (at -= head.length));
  out[--at] = first;
  return out.slice(at);
}

/** A list of what is encoded already and of these integers behind it. */
export function rlpListOf(encoded: Uint8Array, integers: readonly (bigint | number)[]): Uint8Array {
  const out = new Uint8Array(integers.length * (1 + MAX_FIELD));
  let at = out.length;
  for (let i = integers.length - 1; i >= 0; i--) at = fieldBefore(at, integers[i]!, out);
  const added = out.subarray(at);
  return concat(header(encoded.length + added.length, 0xc0), encoded, added);
}

/** Used again and again: memory outside of V8's heap is slow to get. What is encoded in it is copied out. */
let room = new Uint8Array(0);

function roomFor(length: number): Uint8Array {
  if (room.length < length) room = new Uint8Array(length);
  return room;
}

/** A field as a byte string, up to `end`; gives where it begins. */
function fieldBefore(end: number, field: bigint | number | Uint8Array, out: Uint8Array): number {
  const at = writeBefore(end, field, out);
  const length = end - at;
  if (length > MAX_FIELD) throw new RangeError('a field of a transfer has at most 55 bytes');
  const standsForItself = length === 1 && out[at]! < 0x80;
  if (standsForItself) return at;
  out[at - 1] = 0x80 + length;
  return at - 1;
}

/** What a transfer has: the vault takes no longer ones. */
const MAX_FIELD = 55;

/** The bytes of a field, up to `end`; gives where they begin. Integers have no leading zeros, zero is the empty string. */
function writeBefore(end: number, field: bigint | number | Uint8Array, out: Uint8Array): number {
  if (typeof field === 'object') {
    out.set(field, end - field.length);
    return end - field.length;
  }
  if (field < 0) throw new RangeError('RLP has no negative integers');
  let at = end;
  let rest = field;
  for (; typeof rest === 'bigint' && rest > MAX_SAFE; rest >>= 8n) out[--at] = Number(rest & 0xffn);
  for (rest = Number(rest); rest > 0; rest = Math.floor(rest / 256)) out[--at] = rest % 256;
  return at;
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** The content of a list that fills `bytes` exactly, in its one canonical form; `undefined` for anything else. */
export function rlpListContent(bytes: Uint8Array): Uint8Array | undefined {
  const lengthSize = bytes[0]! > 0xf7 ? bytes[0]! - 0xf7 : 0;
  const content = bytes.subarray(1 + lengthSize);
  const canonical = header(content.length, 0xc0);
  if (canonical.length !== 1 + lengthSize) return undefined;
  return canonical.every((byte, i) => byte === bytes[i]) ? content : undefined;
}

/** Where the last `count` of the byte strings in a list's content begin; `undefined` where they are not so many strings. */
export function rlpTailStart(content: Uint8Array, count: number): number | undefined {
  const starts: number[] = [];
  for (let at = 0; at < content.length;) {
    starts.push(at);
    const prefix = content[at]!;
    if (prefix < 0x80) at += 1;
    else if (prefix < 0xb8) at += 1 + prefix - 0x80;
    else if (prefix < 0xc0) {
      const sizeBytes = prefix - 0xb7;
      let size = 0;
      for (let i = 1; i <= sizeBytes; i++) size = size * 256 + (content[at + i] ?? 0);
      at += 1 + sizeBytes + size;
    } else return undefined;
    if (at > content.length) return undefined;
  }
  return starts.at(-count);
}

/** Short canonical byte strings (below 56 bytes) one after another; `undefined` where there is anything else. */
export function rlpShortStrings(bytes: Uint8Array): Uint8Array[] | undefined {
  const strings: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const prefix = bytes[at]!;
    const start = prefix < 0x80 ? at : at + 1;
    const end = prefix < 0x80 ? at + 1 : start + prefix - 0x80;
    if (prefix > 0xb7 || end > bytes.length) return undefined;
    const string = bytes.subarray(start, end);
    if (prefix === 0x81 && string[0]! < 0x80) return undefined;
    strings.push(string);
    at = end;
  }
  return strings;
}

function header(length: number, offset: number): Uint8Array {
  if (length < 56) return Uint8Array.of(offset + length);
  const size: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest % 256);
  return Uint8Array.of(offset + 55 + size.length, ...size);
}
