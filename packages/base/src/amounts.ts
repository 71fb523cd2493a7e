import { err, ok, type Result } from './result.ts';

/** Ether's base unit: 1 ETH = 10^18 wei. */
export type Wei = bigint & { readonly __brand: 'Wei' };

/** The largest value that an EVM word holds: 2^256 − 1. */
export const MAX_UINT256 = (1n << 256n) - 1n;

export function wei(value: bigint): Wei {
  if (value < 0n || value > MAX_UINT256) throw new RangeError('wei is an unsigned 256-bit number');
  return value as Wei;
}

/** Wei from a decimal string without sign, leading zeros or exponent: the form that amounts have in JSON. */
export function parseWei(text: string): Result<Wei, 'not_an_amount'> {
  if (!/^(0|[1-9][0-9]{0,77})$/.test(text)) return err('not_an_amount');
  const value = BigInt(text);
  return value > MAX_UINT256 ? err('not_an_amount') : ok(value as Wei);
}

/** Wei from an amount in ether such as `2` or `0.05`. More than 18 decimals is an error, never rounded. */
export function parseEther(text: string): Result<Wei, 'not_an_amount' | 'too_many_decimals'> {
  return parseUnits(text, 18) as Result<Wei, 'not_an_amount' | 'too_many_decimals'>;
}

/**
 * Base units from an amount such as `2` or `0.05` in the unit that has so many decimals. More decimals than it has are an
 * error, never rounded.
 */
export function parseUnits(text: string, decimals: number): Result<bigint, 'not_an_amount' | 'too_many_decimals'> {
  const match = /^(0|[1-9][0-9]{0,59})(?:\.([0-9]+))?$/.exec(text);
  if (!match) return err('not_an_amount');
  const fraction = match[2] ?? '';
  if (fraction.length > decimals) return err('too_many_decimals');
  return ok(BigInt(match[1]! + fraction.padEnd(decimals, '0')));
}

/** Ether as a decimal string with no digit lost: 1500000000000000000 → `1.5`. */
export function formatEther(value: bigint): string {
  return formatUnits(value, 18);
}

/** An amount in base units in the unit that has so many decimals, no digit lost: (1500000, 6) → `1.5`. */
export function formatUnits(value: bigint, decimals: number): string {
  const sign = value < 0n ? '-' : '';
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const cut = digits.length - decimals;
  let end = digits.length;
  while (end > cut && digits[end - 1] === '0') end--;
  const fraction = digits.slice(cut, end);
  return `${sign}${digits.slice(0, cut)}${fraction ? `.${fraction}` : ''}`;
}

/** Bitcoin's base unit: 1 BTC = 10^8 sat. */
export type Sats = bigint & { readonly __brand: 'Sats' };

/** The largest amount that consensus permits in one output or one sum: 21 million BTC (`MAX_MONEY`). */
export const MAX_SATS = 2_100_000_000_000_000n;

export function sats(value: bigint): Sats {
  if (value < 0n || value > MAX_SATS) throw new RangeError('sats are between 0 and 21 million BTC');
  return value as Sats;
}

/** Sats from a decimal string without sign, leading zeros or exponent: the form that amounts have in JSON. */
export function parseSats(text: string): Result<Sats, 'not_an_amount'> {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return err('not_an_amount');
  const value = BigInt(text);
  return value > MAX_SATS ? err('not_an_amount') : ok(value as Sats);
}

const BITCOIN = 10n ** 8n;

/** Sats from an amount in bitcoin such as `2` or `0.05`. More than 8 decimals is an error, never rounded. */
export function parseBitcoin(text: string): Result<Sats, 'not_an_amount' | 'too_many_decimals'> {
  const match = /^(0|[1-9][0-9]{0,7})(?:\.([0-9]+))?$/.exec(text);
  if (!match) return err('not_an_amount');
  const fraction = match[2] ?? '';
  if (fraction.length > 8) return err('too_many_decimals');
  const value = BigInt(match[1]!) * BITCOIN + BigInt(fraction.padEnd(8, '0'));
  return value > MAX_SATS ? err('not_an_amount') : ok(value as Sats);
}

/** Bitcoin as a decimal string with no digit lost: 150000000 → `1.5`. Differences may be negative. */
export function formatBitcoin(value: bigint): string {
  return formatUnits(value, 8);
}
