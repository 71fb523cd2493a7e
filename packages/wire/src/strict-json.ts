import { canonicalJson, fromUtf8, type Json } from '@keepwatch/base';

/**
 * JSON as it may come from another party. Refused besides what is no JSON: numbers that are not safe integers (another
 * reader could round them), strings that are not well-formed Unicode, nesting beyond a bound, and the member names by
 * which careless code reaches an object's prototype.
 */

export type JsonObject = { readonly [key: string]: Json | undefined };

/** Levels of arrays and objects. Typed data nests deepest among what peers send, and stays far below. */
export const MAX_JSON_DEPTH = 32;

/** `escapes`: whether the text may hold strings that are not well-formed. To ask each of them calls into the runtime. */
function acceptable(value: unknown, depth: number, escapes: boolean): boolean {
  if (typeof value === 'string') return !escapes || value.isWellFormed();
  // `-0` is no integer of its own: it would not read back as it was written.
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= MAX_JSON_DEPTH) return false;
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    for (let i = 0; i < items.length; i++) if (!acceptable(items[i], depth + 1, escapes)) return false;
    return true;
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') return false;
    if (escapes && !key.isWellFormed()) return false;
    if (!acceptable((value as Record<string, unknown>)[key], depth + 1, escapes)) return false;
  }
  return true;
}

/** `undefined` where the bytes are not acceptable JSON in UTF-8. The caller has bounded their length. */
export function parseStrictJson(bytes: Uint8Array): Json | undefined {
  const text = fromUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // No UTF-8 encodes a lone surrogate: only an escape can make one.
    return acceptable(value, 0, text.includes('\\u')) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

/** As `parseStrictJson`, and the bytes are the one canonical text of the value: what is signed is not ambiguous. */
export function parseCanonicalJson(bytes: Uint8Array): Json | undefined {
  const value = parseStrictJson(bytes);
  return value !== undefined && canonicalJson(value) === fromUtf8(bytes) ? value : undefined;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object, if it has exactly these members. */
export function exactMembers<K extends string>(
  value: Json | undefined,
  names: readonly K[],
): { readonly [key in K]: Json } | undefined {
  if (!isObject(value) || Object.keys(value).length !== names.length) return undefined;
  for (const name of names) if (!Object.hasOwn(value, name)) return undefined;
  return value as { readonly [key in K]: Json };
}

/** Base64url of exactly so many bytes. */
export function bytesMember(
  codec: { fromBase64url(text: string): Uint8Array | undefined },
  value: Json,
  length: number,
): Uint8Array | undefined {
  // The length of the text first: a long one is not worth decoding.
  if (typeof value !== 'string' || value.length !== Math.ceil((length * 4) / 3)) return undefined;
  return codec.fromBase64url(value);
}

/** A count or a time in milliseconds: an integer from zero up. */
export function isCount(value: Json): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
