import { formatUnits } from '@keepwatch/base';
import type { Window } from '../constraint.ts';
import type { GrantedAsset } from '../grant.ts';
import type { Amount, Asset } from '../intent.ts';
import { chainName, coinSymbol } from './chain-names.ts';

/** The words that the engine itself does not know. What is missing is written as it stands in the request. */
export interface Names {
  /** The client's name for people. */
  readonly client?: string;
  readonly wallet?: string;
  /** The chain's name, and the symbol of its coin of 18 decimals. */
  readonly chain?: string;
  readonly coin?: string;
  /** How people write amounts of an asset. */
  readonly tokens?: Readonly<Record<Asset, TokenName>>;
}

export interface TokenName {
  readonly symbol: string;
  readonly decimals: number;
}

/** Names for the assets that a grant itself describes, before all others. */
export function namesOfAssets(assets: readonly GrantedAsset[], names: Names): Names {
  const tokens: Record<Asset, TokenName> = { ...names.tokens };
  for (const { asset, symbol, decimals } of assets) {
    if (symbol !== undefined && decimals !== undefined) tokens[asset] = { symbol, decimals };
  }
  return { ...names, tokens };
}

/** "250 USDT", "0.5 ETH"; "250000000 units of erc20:0x…" where nobody said how such amounts are written. */
export function amountWords(amount: Amount, asset: Asset, chain: string, names: Names): string {
  const token = asset === 'native' ? { symbol: names.coin ?? coinSymbol(chain), decimals: 18 } : names.tokens?.[asset];
  if (token === undefined) {
    return amount === 'unlimited' ? `unlimited amounts of ${asset}` : `${count(amount, 'unit')} of ${asset}`;
  }
  return amount === 'unlimited'
    ? `unlimited ${token.symbol}`
    : `${formatUnits(amount, token.decimals)} ${token.symbol}`;
}

export function assetWords(asset: Asset, chain: string, names: Names): string {
  return asset === 'native' ? (names.coin ?? coinSymbol(chain)) : (names.tokens?.[asset]?.symbol ?? asset);
}

export function onChain(chain: string, names: Names): string {
  return `on ${names.chain ?? chainName(chain)}`;
}

export function count(amount: number | bigint, noun: string): string {
  return `${amount} ${noun}${BigInt(amount) === 1n ? '' : 's'}`;
}

/** "a, b and c". */
export function listed(items: readonly string[], joint = 'and'): string {
  if (items.length < 2) return items[0] ?? '';
  return `${items.slice(0, -1).join(', ')} ${joint} ${items.at(-1)}`;
}

export function timeWords(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

const SPANS = [
  { seconds: 86_400, one: 'a day', noun: 'day' },
  { seconds: 3600, one: 'an hour', noun: 'hour' },
  { seconds: 60, one: 'a minute', noun: 'minute' },
  { seconds: 1, one: 'a second', noun: 'second' },
];

/** In the largest unit that holds it exactly: "a day", "36 hours". */
export function spanWords(seconds: number): string {
  const span = SPANS.find((each) => seconds % each.seconds === 0)!;
  return seconds === span.seconds ? span.one : count(seconds / span.seconds, span.noun);
}

/** "in any day", "in any 36 hours", "each calendar day in Europe/Berlin", "for ever". */
export function windowWords(window: Window): string {
  if ('ever' in window) return 'ever';
  if ('calendar' in window) return `each calendar ${window.calendar} (${window.zone})`;
  const span = spanWords(window.seconds);
  return /^an? /.test(span) ? span : `in any ${span}`;
}

/** The same from a window's text (see `windowText`). */
export function windowTextWords(text: string): string {
  if (text === 'ever') return 'ever';
  const [first = '', zone] = text.split(' ');
  if (zone !== undefined) return windowWords({ calendar: first as 'day', zone });
  return windowWords({ seconds: Number(first.slice(0, -1)) });
}
