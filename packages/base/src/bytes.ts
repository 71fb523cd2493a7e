/** Byte strings: the few conversions everything else is built from. Nothing here keeps or wipes secrets. */

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Strict UTF-8 (RFC 3629): `undefined` where the bytes are not valid. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

/** The engine's own encoders (ECMA-262, "Uint8Array to/from base64 and hex"); not on every Node that a client may have. */
interface NativeEncoders {
  toHex?(this: Uint8Array): string;
  toBase64?(this: Uint8Array, options: { alphabet: 'base64url'; omitPadding: true }): string;
}
const native = Uint8Array.prototype as NativeEncoders;
const nativeHex = native.toHex;
const nativeBase64 = native.toBase64;
const { fromBase64: nativeFromBase64, fromHex: nativeFromHex } = Uint8Array as {
  fromBase64?(text: string, options: { alphabet: 'base64url' }): Uint8Array;
  fromHex?(text: string): Uint8Array;
};
const BASE64URL_TEXT = /^[A-Za-z0-9_-]*$/;
const BASE64URL = { alphabet: 'base64url', omitPadding: true } as const;

/** Lower-case hex without a prefix. */
export function toHex(bytes: Uint8Array): string {
  if (nativeHex) return nativeHex.call(bytes);
  let out = '';
  for (const byte of bytes) out += HEX[byte];
  return out;
}

const HEX_VALUE = new Int8Array(128).fill(-1);
for (let i = 0; i < 16; i++) {
  const digit = i.toString(16);
  HEX_VALUE[digit.charCodeAt(0)] = i;
  HEX_VALUE[digit.toUpperCase().charCodeAt(0)] = i;
}

/** Hex, with or without `0x`, of either case; `undefined` where it is not hex of whole bytes. */
export function fromHex(text: string): Uint8Array | undefined {
  const start = text.startsWith('0x') ? 2 : 0;
  if (text.length % 2 !== 0) return undefined;
  if (nativeFromHex) {
    // It throws for what is no hex, which is slow: a caller that expects such looks first.
    try {
      return nativeFromHex.call(Uint8Array, start === 0 ? text : text.slice(start));
    } catch {
      return undefined;
    }
  }
  const out = new Uint8Array((text.length - start) / 2);
  for (let i = start, at = 0; i < text.length; i += 2, at++) {
    const high = hexValue(text.charCodeAt(i));
    const low = hexValue(text.charCodeAt(i + 1));
    if (high < 0 || low < 0) return undefined;
    out[at] = (high << 4) | low;
  }
  return out;
}

function hexValue(code: number): number {
  return code < 128 ? HEX_VALUE[code]! : -1;
}

const B64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const B64_VALUE = new Int16Array(128).fill(-1);
for (let i = 0; i < 64; i++) B64_VALUE[B64.charCodeAt(i)] = i;

/** base64url without padding (RFC 4648 §5, as RFC 7515 §2 uses it). */
export function toBase64url(bytes: Uint8Array): string {
  if (nativeBase64) return nativeBase64.call(bytes, BASE64URL);
  let out = '';
  let i = 0;
  for (; i + 2 < bytes.length; i += 3) {
    const n = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    out += B64[n >> 18]! + B64[(n >> 12) & 63]! + B64[(n >> 6) & 63]! + B64[n & 63]!;
  }
  if (i + 1 === bytes.length) {
    const n = bytes[i]! << 16;
    out += B64[n >> 18]! + B64[(n >> 12) & 63]!;
  } else if (i + 2 === bytes.length) {
    const n = (bytes[i]! << 16) | (bytes[i + 1]! << 8);
    out += B64[n >> 18]! + B64[(n >> 12) & 63]! + B64[(n >> 6) & 63]!;
  }
  return out;
}

/** Canonical base64url only: padding, foreign letters and non-zero spare bits give `undefined`. */
export function fromBase64url(text: string): Uint8Array | undefined {
  const rest = text.length % 4;
  if (rest === 1) return undefined;
  if (nativeFromBase64) {
    // The engine's decoder skips white space and takes padding and spare bits: those are looked at here.
    if (!BASE64URL_TEXT.test(text)) return undefined;
    const last = B64_VALUE[text.charCodeAt(text.length - 1)]!;
    const spareBits = rest === 2 ? 0b1111 : rest === 3 ? 0b11 : 0;
    return (last & spareBits) === 0 ? nativeFromBase64.call(Uint8Array, text, BASE64URL) : undefined;
  }
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? B64_VALUE[code]! : -1;
    if (value < 0) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[at++] = (bits >> held) & 0xff;
    }
  }
  if (held > 0 && (bits & ((1 << held) - 1)) !== 0) return undefined;
  return out;
}

/**
 * `bytes.subarray(start, end)` for what every request passes through: with frozen intrinsics the method looks up the
 * class of its result, at four times the cost. The view is of the same memory.
 */
export function viewFrom(bytes: Uint8Array, start: number, end: number = bytes.length): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Equality that takes the same time wherever the first difference stands. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** Unsigned 32-bit integer, big-endian. */
export function u32be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Unsigned 64-bit integer, big-endian. `value` is a safe non-negative integer. */
export function u64be(value: number): Uint8Array {
  const high = Math.floor(value / 0x1_0000_0000);
  return Uint8Array.of(high >>> 24, high >>> 16, high >>> 8, high, value >>> 24, value >>> 16, value >>> 8, value);
}

/** Each part preceded by its length (u32 big-endian): no two lists of parts give the same bytes. */
export function lengthPrefixed(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 4 * parts.length;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(u32be(part.length), at);
    out.set(part, at + 4);
    at += 4 + part.length;
  }
  return out;
}

/** The parts that `lengthPrefixed` joined, as views; `undefined` where the bytes are not just so many. */
export function fromLengthPrefixed(bytes: Uint8Array, count: number): readonly Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) return undefined;
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return at === bytes.length ? parts : undefined;
}
