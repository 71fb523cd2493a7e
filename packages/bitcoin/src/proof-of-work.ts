import type { InternalHash } from './hash.ts';

/** Targets, their compact form, and work (arith_uint256 `SetCompact`, `GetCompact`; `GetBlockProof`). */

const MAX_TARGET = (1n << 256n) - 1n;

/** The target that the compact form stands for; `undefined` where it is zero, negative or more than 256 bits. */
export function targetFromBits(bits: number): bigint | undefined {
  const exponent = bits >>> 24;
  const mantissa = bits & 0x7f_ffff;
  if ((bits & 0x80_0000) !== 0) return undefined;
  const target =
    exponent <= 3 ? BigInt(mantissa >>> (8 * (3 - exponent))) : BigInt(mantissa) << BigInt(8 * (exponent - 3));
  return target === 0n || target > MAX_TARGET ? undefined : target;
}

/** The compact form, which keeps the 23 or so highest bits of the target. */
export function bitsFromTarget(target: bigint): number {
  if (target < 0n || target > MAX_TARGET) throw new RangeError('a target has 256 bits');
  let exponent = Math.ceil(target.toString(2).length / 8);
  let mantissa =
    exponent <= 3 ? Number(target << BigInt(8 * (3 - exponent))) : Number(target >> BigInt(8 * (exponent - 3)));
  // The highest bit of the mantissa is a sign: where it is needed for the number, one byte less is kept.
  if ((mantissa & 0x80_0000) !== 0) {
    mantissa >>>= 8;
    exponent++;
  }
  return target === 0n ? 0 : ((exponent << 24) | mantissa) >>> 0;
}

/** How many hashes a block with this target takes on average: 2^256 / (target + 1). */
export function workOfTarget(target: bigint): bigint {
  return (1n << 256n) / (target + 1n);
}

/** Whether the hash, read as a number, is no larger than the target. */
export function meetsTarget(hash: InternalHash, target: bigint): boolean {
  return isAtMost(hash, targetBytes(target));
}

/** The target as a hash is written: 32 bytes, the lowest first. */
export function targetBytes(target: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((target >> BigInt(8 * i)) & 0xffn));
}

/** Compares 32 bytes as numbers, the lowest byte first. */
export function isAtMost(hash: InternalHash, limit: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) if (hash[i] !== limit[i]) return hash[i]! < limit[i]!;
  return true;
}
