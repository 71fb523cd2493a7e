import { toHex, type Json } from '@keepwatch/base';

/** Plain data as JSON: amounts become decimal strings, bytes hex. */
export function toJson(value: unknown): Json {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value as Json;
  const out: Record<string, Json> = {};
  for (const [key, member] of Object.entries(value)) if (member !== undefined) out[key] = toJson(member);
  return out;
}
