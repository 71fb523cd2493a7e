import type { Address } from '@keepwatch/evm';
import type { EvmAccountFacts, EvmBlockFacts, EvmCode, EvmTransactionFacts } from './facts.ts';
import type { EvmBlockRef, Hash32 } from './spend.ts';

/** A made-up chain with one watched account: what is done to it becomes what a source would read of it. */

export const WALLET: Address = `0x${'a'.repeat(40)}`;
export const OTHER: Address = `0x${'b'.repeat(40)}`;
export const CODE: Address = `0x${'c'.repeat(40)}`;
export const TOKEN: Address = `0x${'d'.repeat(40)}`;
export const STRANGE: Address = `0x${'e'.repeat(40)}`;
export const CHAIN = 31_337n;

/** What happens in a block. `by`: who sends the transaction. */
export type Deed =
  | { readonly do: 'pay'; readonly amount: bigint; readonly fails: boolean }
  | { readonly do: 'get'; readonly amount: bigint; readonly fails: boolean }
  /** Contracts move it; negative: away. */
  | { readonly do: 'inner'; readonly amount: bigint }
  | { readonly do: 'token-out'; readonly amount: bigint; readonly by: Address; readonly token: Address }
  | { readonly do: 'token-in'; readonly amount: bigint; readonly token: Address }
  | { readonly do: 'allow'; readonly amount: bigint; readonly by: Address }
  /** The account is used and nothing shows by what. */
  | { readonly do: 'hidden' }
  | { readonly do: 'delegate'; readonly to: Address | null }
  | { readonly do: 'withdrawal'; readonly amount: bigint };

export interface Account {
  readonly balance: bigint;
  readonly nonce: bigint;
  readonly code: EvmCode;
  readonly allowed: bigint;
}

export interface MadeBlock {
  readonly facts: EvmBlockFacts;
  readonly account: Account;
  readonly deeds: readonly Deed[];
}

export const FEE = 21n;
export const hashOf = (label: string): Hash32 =>
  `0x${[...new TextEncoder().encode(label)]
    .map((byte) => byte.toString(16))
    .join('')
    .padStart(64, '0')
    .slice(-64)}`;
export const GENESIS: Account = { balance: 1_000_000n, nonce: 0n, code: { kind: 'none' }, allowed: 0n };

/** `label` makes the hash, so that blocks of two branches differ. `readable`: whether the state can be read there. */
export function makeBlock(
  parent: { readonly block: EvmBlockRef; readonly account: Account } | null,
  label: string,
  deeds: readonly Deed[],
  readable = true,
): MadeBlock {
  const number = (parent?.block.number ?? 0) + 1;
  const block = { number, hash: hashOf(`${label}/${number}`), timeMs: number * 12_000 };
  let { balance, nonce, code, allowed } = parent?.account ?? GENESIS;
  const transactions: EvmTransactionFacts[] = [];
  const transfers: EvmBlockFacts['transfers'][number][] = [];
  const approvals: EvmBlockFacts['approvals'][number][] = [];
  const withdrawals: EvmBlockFacts['withdrawals'][number][] = [];
  const allowances: EvmAccountFacts['allowances'][number][] = [];
  const own = (hash: Hash32, to: Address, value: bigint, succeeded: boolean) => {
    transactions.push({
      hash,
      from: WALLET,
      to,
      nonce: nonce++,
      value,
      succeeded,
      fee: FEE,
      digest: hashOf(`signed ${nonce}`),
    });
    balance -= FEE + (succeeded ? value : 0n);
  };
  for (const [i, deed] of deeds.entries()) {
    const hash = hashOf(`${label}/${number}/${i}`);
    const log = { txHash: hash, logIndex: i };
    switch (deed.do) {
      case 'pay':
        own(hash, OTHER, deed.amount, !deed.fails);
        break;
      case 'get':
        transactions.push({
          ...{
            hash,
            from: OTHER,
            to: WALLET,
            nonce: 0n,
            value: deed.amount,
            succeeded: !deed.fails,
            fee: FEE,
            digest: null,
          },
        });
        if (!deed.fails) balance += deed.amount;
        break;
      case 'inner':
        balance += deed.amount;
        break;
      case 'token-out': {
        const { amount, by, token } = deed;
        if (by === WALLET) own(hash, token, 0n, true);
        transfers.push({ ...log, token, amount, caller: by, from: WALLET, to: OTHER });
        break;
      }
      case 'token-in':
        transfers.push({ ...log, token: deed.token, amount: deed.amount, caller: OTHER, from: OTHER, to: WALLET });
        break;
      case 'allow':
        if (deed.by === WALLET) own(hash, TOKEN, 0n, true);
        allowed = deed.amount;
        approvals.push({ ...log, token: TOKEN, amount: allowed, caller: deed.by, owner: WALLET, spender: OTHER });
        allowances.splice(0, allowances.length, { token: TOKEN, spender: OTHER, amount: allowed });
        break;
      case 'hidden':
        nonce++;
        break;
      case 'delegate': {
        const to = deed.to === null ? ({ kind: 'none' } as const) : ({ kind: 'delegation', to: deed.to } as const);
        if (JSON.stringify(to) === JSON.stringify(code)) break;
        code = to;
        nonce++;
        break;
      }
      case 'withdrawal':
        withdrawals.push({ address: WALLET, amount: deed.amount });
        balance += deed.amount;
        break;
    }
  }
  const state = readable ? { balance, nonce, code, implementation: null } : null;
  const facts: EvmBlockFacts = {
    chainId: CHAIN,
    block,
    parentHash: parent?.block.hash ?? hashOf('genesis'),
    accounts: [{ address: WALLET, state, tokens: [], allowances }],
    ...{ transactions, withdrawals, transfers, approvals },
  };
  return { facts, account: { balance, nonce, code, allowed }, deeds };
}
