import { concat, fromHex } from '@keepwatch/base';

/**
 * The part of RLP (Yellow Paper, appendix B) that an ether transfer needs: encoding one list of byte strings, and
 * reading the flat list at the end of a signed transaction. The vault has a complete and strict codec of its own; what
 * is encoded here is decoded there before anything is signed.
 */
/** `first`, then a list of these byte strings and of an empty list behind them. */
export function rlpListAfter(first: number, strings: readonly Uint8Array[]): Uint8Array {
  let length = 1;
  for (const string of strings) length += stringLength(string);
  const head = header(length, 0xc0);
  const out = new Uint8Array(1 + head.length + length);
  out[0] = first;
  out.set(head, 1);
  let at = 1 + head.length;
  for (const string of strings) at = writeString(string, out, at);
  out[at] = 0xc0;
  return out;
}

/** As RLP has integers: without leading zeros, zero being the empty string. */
export function rlpInteger(value: bigint): Uint8Array {
  if (value < 0n) throw new RangeError('RLP has no negative integers');
  if (value <= MAX_SAFE) return smallBigEndian(Number(value));
  const digits = value.toString(16);
  return fromHex(digits.length % 2 === 0 ? digits : `0${digits}`)!;
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function smallBigEndian(value: number): Uint8Array {
  let size = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) size++;
  const out = new Uint8Array(size);
  for (let i = size, rest = value; i > 0; rest = Math.floor(rest / 256)) out[--i] = rest % 256;
  return out;
}

const standsForItself = (string: Uint8Array) => string.length === 1 && string[0]! < 0x80;

/** Of short ones: the vault takes no other in a transfer. */
function stringLength(string: Uint8Array): number {
  if (string.length > 55) throw new RangeError('a field of a transfer has at most 55 bytes');
  return standsForItself(string) ? 1 : 1 + string.length;
}

function writeString(string: Uint8Array, out: Uint8Array, at: number): number {
  const start = standsForItself(string) ? at : at + 1;
  if (start > at) out[at] = 0x80 + string.length;
  out.set(string, start);
  return start + string.length;
}

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
  const size = smallBigEndian(length);
  return concat(Uint8Array.of(offset + 55 + size.length), size);
}
