import type { Address } from '@keepwatch/evm';
import { accountAfter } from './account-after.ts';
import { explainedBy, type AccountTurn, type EvmPastFound } from './account-turn.ts';
import { decideRights } from './decide-rights.ts';
import { decideTransfers } from './decide-transfers.ts';
import type { EvmInput } from './event.ts';
import type { EvmAccountFacts, EvmAllowance, EvmBlockFacts } from './facts.ts';
import type { EvmAccountRecord, EvmState, EvmWalletRecord } from './state.ts';
import { addedAnew, emitEvm, tellEvm, type EvmTurn } from './turn.ts';
import type { EvmBirthday, EvmWallet } from './wallet.ts';

type Piece = Extract<EvmInput, { readonly kind: 'evm-past' }>;

/**
 * A piece of the past of a wallet. It is judged as blocks are that are watched, and kept without being told; at its end one
 * finding says how much there was. A piece that is not the next one says nothing, so that each block is read once.
 */
export function decideEvmPast(turn: EvmTurn, piece: Piece): void {
  const { from, to, seenBy } = piece;
  const record = turn.state.wallets.get(piece.wallet);
  if (!record?.past || record.since === null || to > record.since || to < from) return;
  const { wallet, past, since } = record;
  if (past.next !== null && past.next !== from) return;
  let account = past.account ?? (piece.before && recordOf(piece.before));
  let { entries, allowances } = past;
  for (const facts of piece.facts) {
    const { block } = facts;
    const own = facts.accounts.find(({ address }) => address === wallet.address);
    if (!own || facts.chainId !== wallet.chainId || block.number < from || block.number > to) continue;
    const found: EvmPastFound = { entries: [], spends: [] };
    const sight = { facts, seenBy, late: true, wallet: wallet.id };
    const before = { ...(account ?? supposed(own, facts, wallet)), allowances };
    const now: AccountTurn = { turn, sight, wallet, facts: own, before, past: found };
    decideTransfers(now);
    decideRights(now);
    const after = accountAfter(now);
    ({ allowances } = after);
    if (account !== null || own.state !== null) account = after;
    if (found.entries.length === 0) continue;
    emitEvm(turn, { kind: 'evm-past-block', wallet: wallet.id, block, ...found });
    entries += found.entries.length;
  }
  const isOver = to === since;
  const stateMissingBefore = piece.stateMissingBefore ?? past.stateMissingBefore;
  const fromBlock = past.from ?? from;
  // What others may take is read anew once all is read; of tokens that nobody named it is a claim, and is left.
  if (isOver) allowances = allowances.filter(({ token }) => wallet.tokens.some((each) => each.token === token));
  const read = {
    from: fromBlock,
    next: to + 1,
    account: isOver ? null : account,
    allowances,
    entries,
    stateMissingBefore,
  };
  emitEvm(turn, { kind: 'evm-past', wallet: wallet.id, past: read });
  if (!isOver) return;
  const { chainId } = wallet;
  const id = `evm-backfilled:${wallet.id}:${fromBlock}-${to}${addedAnew(turn.state, wallet.id)}`;
  const telling = { id, wallet: wallet.id, evidence: { chainId }, seenBy, late: false };
  tellEvm(turn, telling, { kind: 'evm-backfilled', chainId, fromBlock, toBlock: to, entries, stateMissingBefore });
}

function recordOf(state: NonNullable<EvmAccountFacts['state']>): EvmAccountRecord {
  const unread = { unreadSince: null, explained: 0n, ownTransactions: 0n };
  return { ...state, ...unread, tokens: [], allowances: [], passed: [] };
}

/** Where no state before the block is known: as though nothing else had happened in it. */
function supposed({ state }: EvmAccountFacts, facts: EvmBlockFacts, { address }: EvmWallet): EvmAccountRecord {
  if (state === null) {
    return recordOf({ balance: 0n, nonce: 0n, code: { kind: 'none' }, implementation: null });
  }
  const { explained, own } = explainedBy(facts, address);
  return recordOf({ ...state, balance: state.balance - explained, nonce: state.nonce - own });
}

/** A piece of a past that can be read now: up to `to` blocks are settled. */
export interface EvmPastDue {
  readonly wallet: string;
  readonly chainId: bigint;
  readonly address: Address;
  /** Null: the first block is that of the birthday. */
  readonly from: number | null;
  readonly birthday: EvmBirthday;
  readonly to: number;
}

/** Blocks up to this number are final, or as deep as the last depth of the chain: pasts are read so far and no further. */
function evmSettledTo({ chains }: EvmState, chainId: bigint): number {
  const record = chains.get(String(chainId));
  if (!record?.tip) return -1;
  return Math.max(record.finalized, record.tip.number - (record.chain.depths.at(-1) ?? 1) + 1);
}

/** Pasts that are to be read further, in the order in which the wallets came. */
export function evmPastsDue(state: EvmState): readonly EvmPastDue[] {
  return [...state.wallets.values()].flatMap(({ wallet, past, since }) => {
    if (past === null || since === null) return [];
    const to = Math.min(since, evmSettledTo(state, wallet.chainId));
    if (to < (past.next ?? 0)) return [];
    const { id, chainId, address, birthday } = wallet;
    return [{ wallet: id, chainId, address, from: past.next, birthday: birthday!, to }];
  });
}

/** Allowances that the past tells of, and of which it is not known what is left: the next block is to say so. */
export function evmUnreadAllowances({ account, past, since }: EvmWalletRecord): readonly EvmAllowance[] {
  if (past?.next === undefined || past.next === null || since === null || past.next <= since) return [];
  return past.allowances.filter(({ token, spender }) => {
    return account?.allowances.every((each) => each.token !== token || each.spender !== spender) ?? true;
  });
}

/** Of what is read as used up or revoked nothing is left to be read. */
export function forgetUsedAllowances(turn: EvmTurn, record: EvmWalletRecord, facts: EvmAccountFacts): void {
  const gone = evmUnreadAllowances(record).filter(({ token, spender }) => {
    return facts.allowances.some((each) => each.token === token && each.spender === spender && each.amount === 0n);
  });
  if (gone.length === 0) return;
  const allowances = record.past!.allowances.filter((each) => !gone.includes(each));
  emitEvm(turn, { kind: 'evm-past', wallet: record.wallet.id, past: { ...record.past!, allowances } });
}
