import type { Address } from '@keepwatch/evm';
import { explainedBy, type AccountTurn } from './account-turn.ts';
import type { EvmAccountRecord } from './state.ts';
import type { EvmWallet } from './wallet.ts';

/** The account behind the block. */
export function accountAfter({ wallet, facts, before, sight }: AccountTurn): EvmAccountRecord {
  const tokens = merged(before.tokens, facts.tokens, ({ token }) => token);
  const allowances = merged(before.allowances, facts.allowances, ({ token, spender }) => `${token}/${spender}`)
    .filter(({ amount }) => amount > 0n)
    .slice(-MAX_ALLOWANCES);
  const { explained, own } = explainedBy(sight.facts, wallet.address);
  const rest = { tokens, allowances };
  const account: EvmAccountRecord = facts.state
    ? { ...facts.state, ...rest, unreadSince: null, explained: 0n, ownTransactions: 0n, passed: [] }
    : {
        ...before,
        ...rest,
        unreadSince: before.unreadSince ?? sight.facts.block.number,
        explained: before.explained + explained,
        ownTransactions: before.ownTransactions + own,
      };
  return { ...account, passed: passedOf(wallet, account) };
}

/** Bounds what a hostile token can make the watch remember: the oldest are forgotten. */
const MAX_ALLOWANCES = 256;

function merged<T>(old: readonly T[], read: readonly T[], keyOf: (each: T) => string): readonly T[] {
  const known = new Map(old.map((each) => [keyOf(each), each]));
  for (const each of read) known.set(keyOf(each), each);
  return [...known.values()];
}

/** Which of the wallet's limits its balances are beyond. */
export function passedOf(wallet: EvmWallet, account: Pick<EvmAccountRecord, 'balance' | 'tokens'>): readonly string[] {
  return wallet.limits.flatMap(({ token, above, below }) => {
    const amount = balanceOf(account, token);
    if (amount === undefined) return [];
    return [
      ...(above !== null && amount > above ? [`above/${token ?? ''}`] : []),
      ...(below !== null && amount < below ? [`below/${token ?? ''}`] : []),
    ];
  });
}

/** Null: of the chain's own coin. Undefined: not read yet. */
export function balanceOf(
  account: Pick<EvmAccountRecord, 'balance' | 'tokens'>,
  token: Address | null,
): bigint | undefined {
  return token === null ? account.balance : account.tokens.find((each) => each.token === token)?.balance;
}
