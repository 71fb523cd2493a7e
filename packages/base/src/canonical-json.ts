import { utf8 } from './bytes.ts';

/** Plain JSON data. Amounts are decimal strings in it, so every number is a safe integer. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * One text per value: keys in code-unit order, no white space, safe integers only, `undefined` members left out
 * (RFC 8785 restricted to integers). What is hashed or signed as JSON goes through here.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new TypeError('canonical JSON holds safe integers only');
    return Object.is(value, -0) ? '0' : String(value);
  }
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`no JSON value: ${typeof value}`);
  const record = value as { readonly [key: string]: Json | undefined };
  let out = '{';
  for (const key of Object.keys(record).sort()) {
    const member = record[key];
    if (member === undefined) continue;
    if (out.length > 1) out += ',';
    out += `${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `${out}}`;
}

export function canonicalBytes(value: Json): Uint8Array {
  return utf8(canonicalJson(value));
}
