import type { EvmPendingMeans } from '@keepwatch/chain';
import type { EvmPendingRecord, EvmState, EvmWalletRecord } from '@keepwatch/watch';
import type { PastStanding } from './pasts.ts';

/** What else is known of accounts while the monitor runs. */
export interface EvmRunningView {
  readonly pasts: readonly PastStanding[];
  /** By what upstreams of a chain show what stands in no block; null: nobody follows it. */
  readonly shown: (chainId: bigint) => readonly EvmPendingMeans[] | null;
}

/** An account as commands and a console show it: plain JSON data, amounts as decimal strings of the smallest unit. */
export function evmWalletView(
  { chains, pending }: EvmState,
  record: EvmWalletRecord,
  { pasts, shown }: EvmRunningView,
) {
  const { wallet, account } = record;
  const chain = chains.get(String(wallet.chainId));
  const amount = (value: bigint | null) => (value === null ? null : String(value));
  return {
    ...{ id: wallet.id, name: wallet.name, owner: wallet.owner, tags: wallet.tags },
    ...{ chainId: String(wallet.chainId), address: wallet.address, symbol: chain?.chain.symbol ?? 'ETH' },
    /** Null while no block was looked at. */
    block: account === null ? null : (chain?.tip?.number ?? null),
    balance: account === null ? null : String(account.balance),
    nonce: account === null ? null : String(account.nonce),
    code: account?.code ?? null,
    implementation: account?.implementation ?? null,
    tokens: wallet.tokens.map(({ token, symbol, decimals }) => {
      const balance = account?.tokens.find((each) => each.token === token)?.balance ?? null;
      // All of them are asked for in the block that is looked at first, and those that gave nothing in each one since.
      const readable = account === null ? null : balance !== null;
      return { ...{ token, symbol, decimals }, balance: amount(balance), readable };
    }),
    allowances: (account?.allowances ?? []).map(({ token, spender, amount: allowed }) => ({
      ...{ token, spender, amount: String(allowed) },
    })),
    limits: wallet.limits.map(({ token, large, above, below }) => ({
      ...{ token, large: amount(large), above: amount(above), below: amount(below) },
    })),
    past: pastView(record, pasts),
    outsideBlocks: {
      shown: shown(wallet.chainId),
      counted: amount(record.counted?.pending ?? null),
      transactions: [...pending.values()].flatMap((each) => (each.wallet === wallet.id ? pendingView(each) : [])),
    },
  };
}

/** A transaction that was sighted and is in no block. */
function pendingView({ hash, from, nonce, direction, grade, replacedBy, block }: EvmPendingRecord) {
  return block === null ? [{ hash, from, nonce: String(nonce), direction, grade, replacedBy }] : [];
}

/** What is known of the past; null: it is not asked for. `scan`: as of bitcoin wallets; null: all is read. */
function pastView({ wallet, past, since }: EvmWalletRecord, standings: readonly PastStanding[]) {
  if (past === null) return null;
  const { from, entries, stateMissingBefore } = past;
  const standing = standings.find((each) => each.wallet === wallet.id);
  const { wallet: _, ...scan } = standing ?? {
    ...NOT_READ,
    wallet: '',
    height: past.next === null || past.next === from ? null : past.next - 1,
  };
  return { from, entries, stateMissingBefore, scan: isPastRead({ past, since }) ? null : scan };
}

const NOT_READ = { done: 0, total: null, etaSeconds: null, problem: null };

/** Whether nothing of the past of an account is left to be read. */
function isPastRead({ past, since }: Pick<EvmWalletRecord, 'past' | 'since'>): boolean {
  return past === null || (since !== null && past.next !== null && past.next > since);
}

export type EvmWalletView = ReturnType<typeof evmWalletView>;

/** How many accounts have a past that is not read yet. */
export function unreadPasts({ wallets }: EvmState): number {
  return [...wallets.values()].filter((record) => !isPastRead(record)).length;
}
