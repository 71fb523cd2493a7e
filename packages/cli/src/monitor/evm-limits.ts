import { parseUnits } from '@keepwatch/base';
import { usageError } from '../exit-codes.ts';
import type { AddOptions } from './options.ts';
import { NONE } from './wallet-limits.ts';

/** Limits of accounts of EVM chains, as they are written on a command line. */

/** The token (null: the chain's own coin) and its decimals. */
interface Unit {
  readonly token: string | null;
  readonly decimals: number;
}
/** By the symbol and by the address, in lower case; null: of that symbol there are two. */
export type Units = ReadonlyMap<string, Unit | null>;
/** The chain's own coin needs no symbol. */
const COIN = ['', { token: null, decimals: 18 }] as const;

/** What of them is watched for; null: not any more. What is left out is as it was. */
interface LimitChange {
  readonly token: string | null;
  readonly large?: string | null;
  readonly above?: string | null;
  readonly below?: string | null;
}

/** `--large 1.5` is of the chain's own coin, `--limit USDC:large:5000` of a token; `none` in place of an amount clears. */
export function limitChanges(
  options: Pick<AddOptions, 'large' | 'above' | 'below' | 'limit'>,
  units: Units,
): readonly LimitChange[] {
  const limits = new Map<string | null, LimitChange>();
  const put = (symbol: string, kind: 'large' | 'above' | 'below', text: string, option: string) => {
    const unit = units.get(symbol.toLowerCase());
    if (unit === null) {
      const remedy = 'Write the address of the token in place of the symbol: `keepwatch watch show` has it.';
      throw usageError('limit', `${option}: two tokens are called “${symbol}”.`, remedy);
    }
    if (!unit) {
      const remedy =
        'Only tokens that are watched have limits: `watch add --token` names them, `watch show` lists them.';
      throw usageError('limit', `${option}: no token “${symbol}” is watched.`, remedy);
    }
    const amount = text === NONE ? null : parseUnits(text, unit.decimals);
    if (amount && !amount.ok) {
      const words = `${option}: “${text}” is no amount with at most ${unit.decimals} decimals.`;
      const whole = unit.token === null ? 'coins, such as 1.5' : 'tokens, such as 5000';
      throw usageError('amount', words, `Write it in whole ${whole}.`);
    }
    const known = limits.get(unit.token) ?? { token: unit.token };
    if (Object.hasOwn(known, kind)) {
      const words = `${option}: the limit “${kind}” of “${symbol}” is given twice.`;
      throw usageError(
        'limit',
        words,
        'Give each limit of a token once: large, above and below can stand beside one another.',
      );
    }
    limits.set(unit.token, { ...known, [kind]: amount && String(amount.value) });
  };
  for (const kind of ['large', 'above', 'below'] as const) {
    const text = options[kind];
    if (text !== undefined) put('', kind, text.replace(/\s*eth$/i, ''), `--${kind}`);
  }
  for (const text of options.limit) {
    const [, symbol, kind, amount] = /^([^:]{1,42}):(large|above|below):([0-9.]+|none)$/.exec(text) ?? [];
    if (symbol === undefined) {
      throw usageError('limit', `--limit: “${text}” is none.`, 'Write SYMBOL:large:AMOUNT, or above, or below.');
    }
    put(symbol, kind as 'large', amount!, '--limit');
  }
  return [...limits.values()];
}

/** Tokens whose symbols and decimals are known. */
export function unitsOf(
  tokens: readonly { readonly token: string; readonly symbol: string; readonly decimals: number }[],
): Units {
  const units = new Map<string, Unit | null>([COIN]);
  for (const { token, symbol, decimals } of tokens) {
    const unit = { token, decimals };
    const named = symbol.toLowerCase();
    units.set(named, units.has(named) ? null : unit);
    units.set(token.toLowerCase(), unit);
  }
  return units;
}
