import { fromUtf8, utf8 } from './bytes.ts';

/** Plain JSON data. Amounts are decimal strings in it, so every number is a safe integer. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * One text per value: keys in code-unit order, no white space, safe integers only, `undefined` members left out
 * (RFC 8785 restricted to integers). What is hashed or signed as JSON goes through here.
 */
export function canonicalJson(value: Json): string {
  const ordered = inOrder(value);
  return ordered === undefined ? spell(value) : JSON.stringify(ordered);
}

/**
 * The same value with its members in canonical order, so that the engine's own writer gives the canonical text: it is
 * several times as fast as {@link spell}. What is in order already is not copied: the parameters of requests come that
 * way, thousands a second. `undefined` where an object cannot hold that order or one of its keys.
 */
function inOrder(value: Json): Json | undefined {
  if (isPrimitive(value)) return value;
  return Array.isArray(value) ? itemsInOrder(value) : membersInOrder(value as JsonRecord);
}

type JsonRecord = { readonly [key: string]: Json | undefined };

function itemsInOrder(items: readonly Json[]): Json | undefined {
  let copy: Json[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    const ordered = inOrder(item);
    if (ordered === undefined) return undefined;
    if (ordered !== item) copy ??= items.slice(0, i);
    copy?.push(ordered);
  }
  return copy ?? items;
}

function membersInOrder(record: JsonRecord): Json | undefined {
  const keys = Object.keys(record);
  const sorted = isSorted(keys);
  if (!sorted) keys.sort();
  let copy: Record<string, Json> | undefined = sorted ? undefined : {};
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    // Objects put keys that look like array indices first, whatever the order of insertion.
    const first = key.charCodeAt(0);
    if ((first >= ZERO && first <= NINE) || key === '__proto__') return undefined;
    const member = record[key];
    if (member === undefined) continue;
    const ordered = inOrder(member);
    if (ordered === undefined) return undefined;
    if (ordered !== member) copy ??= copyOf(record, keys.slice(0, i));
    if (copy) copy[key] = ordered;
  }
  return copy ?? record;
}

function copyOf(record: JsonRecord, keys: readonly string[]): Record<string, Json> {
  const copy: Record<string, Json> = {};
  for (const key of keys) if (record[key] !== undefined) copy[key] = record[key];
  return copy;
}

const ZERO = 0x30;
const NINE = 0x39;

function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return false;
  return true;
}

function spell(value: Json): string {
  if (isPrimitive(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => spell(item)).join(',')}]`;
  const record = value as { readonly [key: string]: Json | undefined };
  const members: string[] = [];
  for (const key of Object.keys(record).sort()) {
    const member = record[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${spell(member)}`);
  }
  return `{${members.join(',')}}`;
}

/** Throws a TypeError for what canonical JSON does not hold. */
function isPrimitive(value: Json): value is null | boolean | number | string {
  if (typeof value === 'string' || value === null || typeof value === 'boolean') return true;
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return true;
    throw new TypeError('canonical JSON holds safe integers only');
  }
  if (typeof value !== 'object') throw new TypeError(`no JSON value: ${typeof value}`);
  return false;
}

export function canonicalBytes(value: Json): Uint8Array {
  return utf8(canonicalJson(value));
}

/** What bytes say as JSON (RFC 8259), for a schema to look at. `undefined`: they are no UTF-8, or no JSON. */
export function parseJsonBytes(bytes: Uint8Array): unknown {
  const text = fromUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
