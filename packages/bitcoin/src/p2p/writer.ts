import { concat } from '@keepwatch/base';
import { compactSize } from '../compact-size.ts';

/** Fields of a message, little-endian unless the name says otherwise. */
export const u8 = (value: number): Uint8Array => Uint8Array.of(value & 0xff);
export const u16be = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 0xff, value & 0xff);
export const u32 = (value: number): Uint8Array =>
  Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);

export function u64(value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value, true);
  return out;
}

/** A CompactSize of up to 64 bits. */
export function bigSize(value: bigint): Uint8Array {
  if (value <= 0xffffn) return compactSize(Number(value));
  return value <= 0xffff_ffffn ? concat(u8(0xfe), u32(Number(value))) : concat(u8(0xff), u64(value));
}

export function withLength(bytes: Uint8Array): Uint8Array {
  return concat(compactSize(bytes.length), bytes);
}

export function listOf<T>(items: readonly T[], encode: (item: T) => Uint8Array): Uint8Array {
  return concat(compactSize(items.length), ...items.map(encode));
}
