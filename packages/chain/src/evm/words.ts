import type { Address } from '@keepwatch/evm';
import type { Hash32 } from './facts.ts';
import { malformed } from './fault.ts';

/** Words of Ethereum's JSON-RPC (execution-apis), read strictly: what is not in its form is an error of the upstream. */
export type Json = Readonly<Record<string, unknown>>;

const QUANTITY = /^0x(0|[1-9a-f][0-9a-f]{0,63})$/i;

export function quantity(value: unknown): bigint {
  return typeof value === 'string' && QUANTITY.test(value) ? BigInt(value) : malformed('number');
}

/** A number that is exact as one of JavaScript. */
export function small(value: unknown): number {
  const read = quantity(value);
  return read <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(read) : malformed('small number');
}

export function hash(value: unknown): Hash32 {
  return typeof value === 'string' && /^0x[0-9a-f]{64}$/i.test(value)
    ? (value.toLowerCase() as Hash32)
    : malformed('hash');
}

export function address(value: unknown): Address {
  return typeof value === 'string' && /^0x[0-9a-f]{40}$/i.test(value)
    ? (value.toLowerCase() as Address)
    : malformed('address');
}

export function hex(value: unknown): string {
  return typeof value === 'string' && /^0x([0-9a-f]{2})*$/i.test(value)
    ? value.slice(2).toLowerCase()
    : malformed('hex');
}

/** A word of 32 bytes as a number, such as `eth_call` gives it; undefined for anything else. */
export function word(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^0x[0-9a-f]{64}$/i.test(value) ? BigInt(value) : undefined;
}

/** The address in a word, whose upper 12 bytes have to be zero. */
export function addressOfWord(value: string): Address | undefined {
  return /^0x0{24}[0-9a-f]{40}$/i.test(value) ? (`0x${value.slice(26).toLowerCase()}` as Address) : undefined;
}

export const wordOfAddress = (of: Address): `0x${string}` => `0x${of.slice(2).padStart(64, '0')}`;

export function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : malformed('object');
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : malformed('list');
}
