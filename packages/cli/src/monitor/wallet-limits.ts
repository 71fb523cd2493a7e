import { formatBitcoin, parseBitcoin } from '@keepwatch/base';
import type { WalletDetails } from '@keepwatch/monitor';
import { usageError } from '../exit-codes.ts';
import { showCount } from '../values.ts';

/** Limits of a wallet of bitcoin, as people write and read them. */

/** In place of a value: it is set no longer. */
export const NONE = 'none';

/** An amount of bitcoin in satoshis; undefined: it is left as it is. */
export function readLimit(text: string | undefined, option: string): string | null | undefined {
  if (text === undefined) return undefined;
  if (text === NONE) return null;
  const amount = parseBitcoin(text.replace(/\s*btc$/i, ''));
  if (amount.ok) return String(amount.value);
  throw usageError('amount', `${option}: “${text}” is no amount of bitcoin.`, 'Write one such as 0.5 or 0.5btc.');
}

/** What is told of a wallet of bitcoin beyond its movements. */
export function limitWords({ limits }: Pick<WalletDetails, 'limits'>): string {
  const btc = (sats: string | number) => `${formatBitcoin(BigInt(sats))} BTC`;
  const words = (
    [
      ['largeSats', (sats) => `moves at least ${btc(sats)}`],
      ['aboveSats', (sats) => `has more than ${btc(sats)}`],
      ['belowSats', (sats) => `has less than ${btc(sats)}`],
      ['dustSats', (sats) => `gets less than ${btc(sats)}`],
      ['timelockBlocks', (blocks) => `has a time lock that ends within ${showCount(Number(blocks), 'block')}`],
    ] as readonly (readonly [string, (value: string | number) => string])[]
  ).flatMap(([name, word]) => {
    const value = limits[name] ?? null;
    return value === null ? [] : [word(value)];
  });
  return words.join(', ') || 'moves';
}
