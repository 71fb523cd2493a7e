import { err, ok, type Result } from '@keepwatch/base';
import type { Address } from '../address.ts';
import type { ContractEntry, RegistryError } from './registry.ts';

const CHAIN = /^eip155:[1-9][0-9]{0,15}$/;
const ADDRESS = /^0x[0-9a-f]{40}$/;
const HASH = /^0x[0-9a-f]{64}$/;
/** Printable ASCII: a name stands in sentences that people decide by, and must not look like another one. */
const NAME = /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/;
const SYMBOL = /^[\x21-\x7e]{1,16}$/;
const STANDARD = /^[a-z0-9-]{1,40}$/;
const MEMBERS: ReadonlySet<string> = new Set([
  'chain',
  'address',
  'name',
  'standards',
  'functions',
  'symbol',
  'decimals',
  'underlying',
  'issuer',
  'codeHash',
  'implementation',
] satisfies (keyof ContractEntry)[]);

/**
 * An entry from JSON that somebody wrote: every member of its form, none that is not known. Addresses are canonical (`0x` and
 * lower-case hex). Whether it fits into a registry is for `addEntry` to say.
 *
 * - `registry_entry_malformed`: `about` is the member that is wrong
 */
export function parseEntry(json: unknown): Result<ContractEntry, RegistryError> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return malformed('entry');
  const record = json as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(record)) if (!MEMBERS.has(key)) return malformed('entry');
  const { chain, address, name, standards, functions, symbol, decimals } = record;
  if (!matches(CHAIN, chain)) return malformed('chain');
  if (!matches(ADDRESS, address)) return malformed('address');
  if (!matches(NAME, name)) return malformed('name');
  if (!isListOf(standards, (each) => matches(STANDARD, each), 16)) return malformed('standards');
  if (new Set(standards).size !== standards.length) return malformed('standards');
  if (!isListOf(functions, (each) => typeof each === 'string', 1024)) return malformed('functions');
  if (symbol !== undefined && !matches(SYMBOL, symbol)) return malformed('symbol');
  if (decimals !== undefined && !isDecimals(decimals)) return malformed('decimals');
  for (const key of ['underlying', 'issuer', 'implementation'] as const) {
    if (record[key] !== undefined && !matches(ADDRESS, record[key])) return malformed(key);
  }
  if (record['codeHash'] !== undefined && !matches(HASH, record['codeHash'])) return malformed('codeHash');
  return ok({
    chain,
    address: address as Address,
    name,
    standards: [...standards],
    functions: [...functions],
    ...(symbol === undefined ? {} : { symbol }),
    ...(decimals === undefined ? {} : { decimals }),
    ...optional(record, 'underlying'),
    ...optional(record, 'issuer'),
    ...optional(record, 'codeHash'),
    ...optional(record, 'implementation'),
  });
}

function malformed(about: keyof ContractEntry | 'entry'): { readonly ok: false; readonly error: RegistryError } {
  return err({ code: 'registry_entry_malformed', about });
}

function optional<Key extends 'underlying' | 'issuer' | 'codeHash' | 'implementation'>(
  record: Readonly<Record<string, unknown>>,
  key: Key,
): Pick<ContractEntry, Key> {
  return (record[key] === undefined ? {} : { [key]: record[key] }) as Pick<ContractEntry, Key>;
}

function matches(pattern: RegExp, value: unknown): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isListOf(value: unknown, test: (each: unknown) => boolean, max: number): value is readonly string[] {
  return Array.isArray(value) && value.length <= max && value.every(test);
}

/** ERC-20 has a uint8 for it; nobody has needed more than 36, and a larger one would make amounts unreadable. */
function isDecimals(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 36;
}
