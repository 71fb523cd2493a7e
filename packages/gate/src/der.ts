import { concat } from '@keepwatch/base';

/**
 * DER writing (ITU-T X.690), the handful of types that a certificate needs. It only writes; nothing here reads DER from
 * anyone.
 */
function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = concat(...contents);
  return concat(new Uint8Array([tag]), derLength(content.length), content);
}

/** Lengths up to 127 are one byte; above, a count of length bytes and then the fewest that do (X.690 §10.1). */
function derLength(length: number): Uint8Array {
  if (length < 0x80) return new Uint8Array([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return new Uint8Array([0x80 | bytes.length, ...bytes]);
}

export const derSequence = (...items: readonly Uint8Array[]): Uint8Array => tlv(0x30, ...items);
export const derSet = (...items: readonly Uint8Array[]): Uint8Array => tlv(0x31, ...items);
export const derOctetString = (bytes: Uint8Array): Uint8Array => tlv(0x04, bytes);
export const derBoolean = (value: boolean): Uint8Array => tlv(0x01, new Uint8Array([value ? 0xff : 0]));
export const derUtf8 = (text: string): Uint8Array => tlv(0x0c, new TextEncoder().encode(text));

/** A bit string of whole bytes, or with `unused` bits at its end (X.690 §8.6). */
export const derBitString = (bytes: Uint8Array, unused = 0): Uint8Array => tlv(0x03, new Uint8Array([unused]), bytes);

/** A context tag: constructed for EXPLICIT, primitive for an IMPLICIT string. */
export const derExplicit = (tag: number, content: Uint8Array): Uint8Array => tlv(0xa0 | tag, content);
export const derImplicit = (tag: number, content: Uint8Array): Uint8Array => tlv(0x80 | tag, content);

/** A non-negative integer from its big-endian bytes: fewest bytes, and a zero in front where the top bit is set. */
export function derUnsigned(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from++;
  const magnitude = bytes.subarray(from);
  const positive = magnitude.length === 0 || magnitude[0]! >= 0x80;
  return positive ? tlv(0x02, new Uint8Array([0]), magnitude) : tlv(0x02, magnitude);
}

/** An object identifier from its dotted form: base-128 arcs, the first two in one (X.690 §8.19). */
export function derOid(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split('.').map(Number) as [number, number, ...number[]];
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) | 0x80);
    bytes.push(...digits);
  }
  return tlv(0x06, new Uint8Array(bytes));
}

/** Dates until 2049, `YYMMDDHHMMSSZ` (RFC 5280 §4.1.2.5.1). */
export const derUtcTime = (text: string): Uint8Array => tlv(0x17, new TextEncoder().encode(text));

/** Dates from 2050, `YYYYMMDDHHMMSSZ` (RFC 5280 §4.1.2.5.2). */
export const derGeneralizedTime = (text: string): Uint8Array => tlv(0x18, new TextEncoder().encode(text));
