import { formatEther, formatUnits, parseUnits, toHex, wei, type Wei } from '@keepwatch/base';
import { addressBytes, checksumAddress } from '@keepwatch/sdk';
import { usageError } from './exit-codes.ts';

/** What people type for amounts, times, chains and limits, and how the same is printed. Nothing is ever rounded. */

/** Decimals of the units of ether. */
const UNITS: Readonly<Record<string, number>> = { eth: 18, gwei: 9, wei: 0 };
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** `2eth`, `0.05 ETH`, `30gwei`, `7wei`. The unit is never guessed. */
export function parseAmount(text: string, option: string): Wei {
  const match = /^([0-9.]+)\s*(eth|gwei|wei)$/i.exec(text.trim());
  const amount = match ? parseUnits(match[1]!, UNITS[match[2]!.toLowerCase()]!) : undefined;
  if (!amount?.ok) {
    throw usageError(
      'amount',
      `${option}: “${text}” is no amount.`,
      'Write a number and its unit, such as 2eth, 0.05eth, 30gwei or 7wei; ether has at most 18 decimals.',
    );
  }
  return wei(amount.value);
}

/** How people write amounts of a token. */
export interface TokenUnit {
  readonly symbol: string;
  readonly decimals: number;
}

/** `250usdt` or `0.5 USDT` in base units of the token. Its symbol is never left out, so that nothing is counted in another unit. */
function parseTokenAmount(text: string, { symbol, decimals }: TokenUnit, option: string): bigint {
  const trimmed = text.trim();
  const number = trimmed.slice(0, -symbol.length).trimEnd();
  const isOfToken = trimmed.toLowerCase().endsWith(symbol.toLowerCase());
  const amount = isOfToken ? parseUnits(number, decimals) : undefined;
  if (amount?.ok) return amount.value;
  throw usageError(
    'amount',
    `${option}: “${text}” is no amount of ${symbol}.`,
    `Write a number and the symbol, such as 250${symbol.toLowerCase()}; ${symbol} has ${decimals} decimals.`,
  );
}

/** Ether with no digit lost, and its unit. `text` is a decimal string of wei. */
export function showEther(text: string | bigint): string {
  return `${formatEther(BigInt(text))} ETH`;
}

/** `90s`, `30m`, `24h`, `1d`, `2w` in seconds. */
export function parseDuration(text: string, option: string): number {
  const match = /^([1-9][0-9]{0,8})\s*([smhdw])$/.exec(text.trim());
  if (!match) {
    throw usageError(
      'duration',
      `${option}: “${text}” is no length of time.`,
      'Write one such as 90s, 30m, 24h, 1d or 2w.',
    );
  }
  return Number(match[1]) * SECONDS[match[2]!]!;
}

/** Seconds in the largest unit that divides them: 86400 → `1d`. Read back by {@link parseDuration}. */
export function showDuration(seconds: number): string {
  for (const unit of ['w', 'd', 'h', 'm']) {
    if (seconds > 0 && seconds % SECONDS[unit]! === 0) return `${seconds / SECONDS[unit]!}${unit}`;
  }
  return `${seconds}s`;
}

/** `1` or `eip155:1` → `eip155:1` (CAIP-2). */
export function parseChain(text: string, option: string): string {
  const match = /^(?:eip155:)?([1-9][0-9]{0,15})$/.exec(text.trim());
  if (!match || !Number.isSafeInteger(Number(match[1]))) {
    throw usageError('chain', `${option}: “${text}” is no chain.`, 'Write its number, such as 1 or eip155:1.');
  }
  return `eip155:${match[1]}`;
}

export function parseCount(text: string, option: string, max = Number.MAX_SAFE_INTEGER): number {
  const count = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : NaN;
  if (!(count <= max)) throw usageError('number', `${option}: “${text}” is no whole number from 0 to ${max}.`);
  return count;
}

export interface WindowedLimit<L> {
  readonly limit: L;
  readonly window: { readonly seconds: number };
}

/** An amount of a budget: ether for the chain's coin, tokens as the grant says or in base units, a number of signatures. */
export function showBudget(amount: string, asset: string | null | undefined, token?: TokenUnit): string {
  if (asset === 'native') return showEther(amount);
  if (token !== undefined) return `${formatUnits(BigInt(amount), token.decimals)} ${token.symbol}`;
  return asset === null || asset === undefined ? amount : `${amount} units of ${asset}`;
}

/** A budget's window as people read it: `86400s` → `in 1d`, `ever`, `each day (Europe/Berlin)`. */
export function showWindow(window: string): string {
  const [first = '', zone] = window.split(' ');
  if (zone !== undefined) return `each ${first} (${zone})`;
  return /^[0-9]+s$/.test(first) ? `in ${showDuration(Number(first.slice(0, -1)))}` : first;
}

/** `2eth/1d`, or `250usdt/1d` of a token: at most so much in any span of that length. */
export function parseVolume(text: string, option: string, token?: TokenUnit): WindowedLimit<string> {
  const [amount, window] = splitWindow(text, option, token ? `250${token.symbol.toLowerCase()}/1d` : '2eth/1d');
  const limit = token === undefined ? parseAmount(amount, option) : parseTokenAmount(amount, token, option);
  return { limit: limit.toString(), window: { seconds: parseDuration(window, option) } };
}

/** `10/1h`: at most so many transactions in any span of that length. */
export function parseRate(text: string, option: string): WindowedLimit<number> {
  const [count, window] = splitWindow(text, option, '10/1h');
  return { limit: parseCount(count, option), window: { seconds: parseDuration(window, option) } };
}

function splitWindow(text: string, option: string, example: string): [string, string] {
  const [limit, window, ...rest] = text.split('/');
  if (limit === undefined || window === undefined || rest.length > 0) {
    throw usageError('limit', `${option}: “${text}” is no limit for a span of time.`, `Write one such as ${example}.`);
  }
  return [limit, window];
}

/** `a,b` and repeated options alike: the trimmed members, none of them empty. */
export function splitList(values: readonly string[], option: string): string[] {
  const members = values.flatMap((value) => value.split(',').map((member) => member.trim()));
  if (members.includes('')) throw usageError('list', `${option}: an entry of the list is empty.`);
  return members;
}

/** In the vault's form, which has no capitals; those of a checksum (EIP-55) have to fit. */
export function parseAddress(text: string, option: string): string {
  const bytes = addressBytes(text);
  if (bytes) return `0x${toHex(bytes)}`;
  throw usageError(
    'address',
    `${option}: “${text}” is no address, or its checksum does not fit.`,
    'Copy it again; a mistyped letter changes the checksum that the capitals make.',
  );
}

/** With the capitals by which a mistyped letter is noticed (EIP-55). */
export function showAddress(address: string): string {
  const bytes = addressBytes(address);
  return bytes ? checksumAddress(bytes) : address;
}

/** `1 wallet`, `2 wallets`. */
export function showCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * A day, or a time with its zone, in ms since 1970. Undefined: it is none, as `2023-02-31`, which `Date` would take for a day in
 * March.
 */
export function readTime(text: string): number | undefined {
  const [, day] = /^(\d{4}-\d{2}-\d{2})(T[0-9:.]+(Z|[+-]\d{2}:\d{2}))?$/.exec(text) ?? [];
  const ms = day === undefined ? NaN : Date.parse(text);
  const dayMs = day === undefined ? NaN : Date.parse(day);
  return Number.isNaN(ms) || new Date(dayMs).toISOString().slice(0, 10) !== day ? undefined : ms;
}

/** ISO 8601 in UTC, to the second. */
export function showTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
