import { fromHex, MAX_UINT256 } from '@keepwatch/base';
import type { NamedValue, Value } from '../abi/value.ts';
import type { Address } from '../address.ts';

// Arguments by their place. The decoder has checked them against the function's types, so that a value of another kind
// here is a mistake in a table of ours: those throw.

export function addressAt(args: readonly NamedValue[], index: number): Address {
  return addressOf(args[index]?.value);
}

export function uintAt(args: readonly NamedValue[], index: number): bigint {
  return uintOf(args[index]?.value);
}

export function boolAt(args: readonly NamedValue[], index: number): boolean {
  const value = args[index]?.value;
  if (typeof value !== 'boolean') throw new TypeError('not a boolean argument');
  return value;
}

export function bytesAt(args: readonly NamedValue[], index: number): Uint8Array {
  return bytesOf(args[index]?.value);
}

export function tupleAt(args: readonly NamedValue[], index: number): readonly NamedValue[] {
  return listAt(args, index) as unknown as readonly NamedValue[];
}

export function tuplesAt(args: readonly NamedValue[], index: number): readonly (readonly NamedValue[])[] {
  return listAt(args, index) as unknown as readonly (readonly NamedValue[])[];
}

export function listAt(args: readonly NamedValue[], index: number): readonly Value[] {
  const value = args[index]?.value;
  if (!Array.isArray(value)) throw new TypeError('not a list argument');
  return value as readonly Value[];
}

export function addressOf(value: Value | undefined): Address {
  if (typeof value !== 'string' || value.length !== 42) throw new TypeError('not an address argument');
  return value as Address;
}

export function uintOf(value: Value | undefined): bigint {
  if (typeof value !== 'bigint') throw new TypeError('not an integer argument');
  return value;
}

export function bytesOf(value: Value | undefined): Uint8Array {
  const bytes = typeof value === 'string' ? fromHex(value) : undefined;
  if (!bytes) throw new TypeError('not a bytes argument');
  return bytes;
}

export const ZERO_ADDRESS: Address = `0x${'0'.repeat(40)}`;
const MAX_UINT160 = (1n << 160n) - 1n;

/** Contracts take the largest number for "all that there is". */
export function amountOf(value: bigint): bigint | 'unlimited' {
  return value === MAX_UINT256 ? 'unlimited' : value;
}

/** Permit2 does so for the largest of its 160 bits. */
export function amount160Of(value: bigint): bigint | 'unlimited' {
  return value === MAX_UINT160 ? 'unlimited' : value;
}

/** The end of year 9999: what comes later is no time but "never". */
const LAST_SECOND = 253_402_300_799n;

/** A time that a contract counts in seconds, in milliseconds; `null`: no end. */
export function untilOf(seconds: bigint): number | null {
  return seconds > LAST_SECOND ? null : Number(seconds) * 1000;
}
