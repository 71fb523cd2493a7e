import type { Address } from '@keepwatch/evm';
import { assetOf, type AccountTurn } from './account-turn.ts';
import type { EvmAsset, EvmGrade } from './detail.ts';
import type { EvmInput } from './event.ts';
import type { EvmPendingFacts } from './facts.ts';
import type { EvmSpend, Hash32 } from './spend.ts';
import {
  blockKey,
  pendingKey,
  type EvmAccountRecord,
  type EvmPendingRecord,
  type EvmState,
  type EvmWalletRecord,
} from './state.ts';
import { addedAnew, emitEvm, evmId, tellEvm, type EvmTurn } from './turn.ts';
import type { EvmWallet } from './wallet.ts';

type InputOf<K extends EvmInput['kind']> = Extract<EvmInput, { readonly kind: K }>;

/** What of one wallet can wait outside blocks in each direction, and how much of it may be claimed alone. */
const MAX_WAITING = 64;
const MAX_CLAIMED = 16;
/** Nonces between what is in blocks and what an upstream counts; more of them are not looked at one by one. */
const MAX_COUNTED = 256n;

/**
 * A transaction that an upstream shows outside blocks. It is told once for each grade, and is no fact: where its signature
 * was checked it is a fact that the key of its sender has signed it. What a block has used up already is no news.
 */
export function decideSighted(turn: EvmTurn, { chainId, transaction, seenBy }: InputOf<'evm-sighted'>): void {
  for (const { wallet, account } of walletsOf(turn.state, chainId)) {
    const moved = account && movedBy(turn.state, wallet, transaction);
    if (moved) sight(turn, { wallet, account, transaction, moved, seenBy });
  }
}

interface Moved {
  readonly direction: 'received' | 'spent';
  readonly asset: EvmAsset;
  readonly amount: bigint;
  readonly to: Address | null;
}

interface Sighted {
  readonly wallet: EvmWallet;
  readonly account: EvmAccountRecord;
  readonly transaction: EvmPendingFacts;
  readonly moved: Moved;
  readonly seenBy: readonly string[];
}

/** What it would do for the wallet. Of tokens that nobody named it is not asked: anybody could make one for it. */
function movedBy(state: EvmState, wallet: EvmWallet, transaction: EvmPendingFacts): Moved | undefined {
  const { from, to, value: amount, transfer } = transaction;
  const { address } = wallet;
  const direction = from === address ? 'spent' : 'received';
  const token = assetOf(state, wallet, to);
  if (
    transfer &&
    token.token !== null &&
    token.known &&
    (transfer.to === address || (from === address && amount === 0n))
  ) {
    return { direction, asset: token, ...transfer };
  }
  if (from !== address && (to !== address || amount === 0n)) return undefined;
  return { direction, asset: assetOf(state, wallet, null), amount, to };
}

function sight(turn: EvmTurn, { wallet, account, transaction, moved, seenBy }: Sighted): void {
  const { state } = turn;
  const { hash, from, nonce, digest } = transaction;
  const { chainId } = wallet;
  const grade: EvmGrade = digest === null ? 'claimed' : 'valid';
  const known = state.pending.get(pendingKey(wallet.id, hash));
  if (known && (known.grade === 'valid' || grade === 'claimed' || known.block !== null)) return;
  const isPassed = moved.direction === 'spent' ? nonce < nextNonce(account) : isInBlock(state, wallet, hash);
  if (isPassed || (!known && !makeRoom(turn, wallet.id, moved.direction, grade))) return;
  const id = `evm-sighted/${grade}:${wallet.id}:${hash}#${state.sightings + 1}${addedAnew(state, wallet.id)}`;
  const evidence = { chainId, txHash: hash };
  tellEvm(
    turn,
    { id, wallet: wallet.id, evidence, grade, seenBy, late: false },
    {
      ...{ kind: 'evm-sighted', chainId, ...moved, grade, from, nonce, amends: known?.told ?? null },
    },
  );
  const { direction } = moved;
  const of = { wallet: wallet.id, hash, from, nonce, direction };
  const record = { ...of, grade, told: id, replacedBy: null, block: null };
  const spend = direction === 'spent' && digest !== null ? spendOf(turn, wallet, transaction, digest) : null;
  emitEvm(turn, { kind: 'evm-pending', id, record, spend });
  passOthers(turn, wallet, record, seenBy);
  if (direction === 'spent') endCount(turn, wallet.id, nextNonce(account));
}

/** As it will stand in a block, if one takes it and it does what it is to do. */
function spendOf({ nowMs }: EvmTurn, wallet: EvmWallet, transaction: EvmPendingFacts, digest: Hash32): EvmSpend {
  const { hash: txHash, from: caller, nonce, value: amount } = transaction;
  const { id, chainId, address } = wallet;
  const of = { wallet: id, chainId, address, how: 'transaction', txHash, nonce, caller, token: null, amount } as const;
  return { ...of, digest, seenAtMs: nowMs, block: null };
}

/** Others with the same nonce cannot come as well. What is only claimed takes the place of nothing that is proven. */
function passOthers(turn: EvmTurn, wallet: EvmWallet, by: EvmPendingRecord, seenBy: readonly string[]): void {
  const { id, chainId } = wallet;
  for (const other of waitingOf(turn.state, id)) {
    const isSame = other.from === by.from && other.nonce === by.nonce && other.hash !== by.hash;
    if (!isSame || other.replacedBy !== null || (by.grade === 'claimed' && other.grade === 'valid')) continue;
    emitEvm(turn, { ...passed(other), replacedBy: by.hash, block: null });
    const telling = { id: `evm-replaced/${other.told}`, wallet: id, evidence: { chainId, txHash: other.hash } };
    const detail = { kind: 'evm-replaced', chainId, by: by.hash, sighted: other.told } as const;
    tellEvm(turn, { ...telling, seenBy, late: false }, detail);
  }
}

/** Gives back whether there is room. What was replaced goes first, then what is claimed; nothing else is forgotten. */
function makeRoom(turn: EvmTurn, wallet: string, direction: Moved['direction'], grade: EvmGrade): boolean {
  const waiting = waitingOf(turn.state, wallet).filter((each) => each.direction === direction);
  const claimed = waiting.filter((each) => each.grade === 'claimed');
  if (grade === 'claimed' && claimed.length >= MAX_CLAIMED) return false;
  if (waiting.length < MAX_WAITING) return true;
  const oldest = waiting.find(({ replacedBy }) => replacedBy !== null) ?? (grade === 'valid' ? claimed[0] : undefined);
  if (!oldest) return false;
  emitEvm(turn, { kind: 'evm-pending-gone', wallet, hash: oldest.hash });
  return true;
}

/** An upstream counts more transactions of an account than are in blocks. It is told where nothing that was sighted explains it. */
export function decideCounted(turn: EvmTurn, { chainId, count, seenBy }: InputOf<'evm-counted'>): void {
  for (const { wallet, account, counted } of walletsOf(turn.state, chainId)) {
    if (wallet.address !== count.address || account === null) continue;
    const nonce = nextNonce(account);
    // It is behind, or ahead of what was read: what it counts may be in a block.
    if (count.nonce !== nonce) continue;
    const { pending } = count;
    if (isExplained(turn.state, wallet.id, nonce, pending)) {
      endCount(turn, wallet.id, nonce, pending);
      continue;
    }
    if (counted !== null && counted.pending >= pending) continue;
    const id = `evm-counted:${wallet.id}:#${turn.state.sightings + 1}${addedAnew(turn.state, wallet.id)}`;
    const detail = { kind: 'evm-counted', chainId, nonce, pending, over: false } as const;
    tellEvm(turn, { id, wallet: wallet.id, evidence: { chainId }, grade: 'claimed', seenBy, late: false }, detail);
    emitEvm(turn, { kind: 'evm-counted', wallet: wallet.id, pending });
  }
}

function isExplained(state: EvmState, wallet: string, nonce: bigint, pending: bigint): boolean {
  if (pending - nonce > MAX_COUNTED) return false;
  const own = waitingOf(state, wallet).filter(({ direction }) => direction === 'spent');
  const seen = new Set(own.map((each) => each.nonce));
  for (let each = nonce; each < pending; each++) if (!seen.has(each)) return false;
  return true;
}

/** What was counted is in blocks, is sighted, or is gone. `pending`: what is counted now. */
function endCount(turn: EvmTurn, wallet: string, nonce: bigint, pending?: bigint): void {
  const { counted, wallet: of } = turn.state.wallets.get(wallet)!;
  if (counted === null || !isExplained(turn.state, wallet, nonce, pending ?? counted.pending)) return;
  const { chainId } = of;
  const id = `evm-counted:${wallet}:#${counted.number}:over${addedAnew(turn.state, wallet)}`;
  const detail = { kind: 'evm-counted', chainId, nonce, pending: counted.pending, over: true } as const;
  tellEvm(turn, { id, wallet, evidence: { chainId }, seenBy: [], late: false }, detail);
  emitEvm(turn, { kind: 'evm-counted', wallet, pending: null });
}

/** Nobody shows it any more, and no block has it. */
export function decideEvicted(turn: EvmTurn, { chainId, hash, seenBy }: InputOf<'evm-evicted'>): void {
  for (const { wallet } of walletsOf(turn.state, chainId)) {
    const record = turn.state.pending.get(pendingKey(wallet.id, hash));
    if (!record || record.block !== null) continue;
    emitEvm(turn, { kind: 'evm-pending-gone', wallet: wallet.id, hash });
    if (record.replacedBy !== null) continue;
    const telling = { id: `evm-evicted/${record.told}`, wallet: wallet.id, evidence: { chainId, txHash: hash } };
    tellEvm(turn, { ...telling, seenBy, late: false }, { kind: 'evm-evicted', chainId, sighted: record.told });
  }
}

interface Settled {
  readonly record: EvmPendingRecord;
  /** What has used up its nonce; null: it is not known. */
  readonly by: Hash32 | null;
}

/** What waits and whose nonce the block has used up. */
export function settledIn({ turn, sight, wallet, facts }: AccountTurn): readonly Settled[] {
  const { transactions } = sight.facts;
  return waitingOf(turn.state, wallet.id).flatMap((record): Settled[] => {
    const used = transactions.find(({ from, nonce }) => from === record.from && nonce === record.nonce);
    if (used) return [{ record, by: used.hash }];
    const isUsed = record.from === wallet.address && facts.state !== null && facts.state.nonce > record.nonce;
    return isUsed ? [{ record, by: null }] : [];
  });
}

/** Told when everything else of the block was: what it did for the account stands for what was sighted of it. */
export function settlePending({ turn, sight, wallet, facts }: AccountTurn, settled: readonly Settled[]): void {
  const { block, chainId } = sight.facts;
  const { seenBy, late } = sight;
  for (const { record, by } of settled) {
    const { hash, told: sighted } = record;
    emitEvm(turn, { ...passed(record), block });
    const tell = (what: 'evm-replaced' | 'evm-evicted') => {
      const id = evmId(turn, what, wallet.id, hash, chainId, block);
      const evidence = { chainId, txHash: hash, block };
      const detail =
        what === 'evm-replaced'
          ? ({ kind: what, chainId, by, sighted } as const)
          : ({ kind: what, chainId, sighted } as const);
      tellEvm(turn, { id, wallet: wallet.id, evidence, seenBy, late }, detail);
    };
    if (by === hash) {
      if (record.direction === 'received' && !isInBlock(turn.state, wallet, hash)) tell('evm-evicted');
    } else if (record.replacedBy === null) tell('evm-replaced');
  }
  if (facts.state !== null) endCount(turn, wallet.id, facts.state.nonce);
}

/** The account is looked at for the first time: what was seen of it before the look counts for nothing. */
export function forgetPending(turn: EvmTurn, wallet: string): void {
  for (const { hash } of waitingOf(turn.state, wallet)) emitEvm(turn, { kind: 'evm-pending-gone', wallet, hash });
}

/** What a source is to look for, by wallet: what was sighted and is in no block. */
export function evmAwaited({ pending }: EvmState): ReadonlyMap<string, readonly EvmAwaited[]> {
  const found = new Map<string, EvmAwaited[]>();
  for (const { wallet, hash, from, nonce, grade, block } of pending.values()) {
    if (block !== null) continue;
    const own = found.get(wallet) ?? [];
    own.push({ hash, from, nonce, proven: grade === 'valid' });
    found.set(wallet, own);
  }
  return found;
}

/** A transaction that was sighted. `proven`: its bytes were checked. */
export interface EvmAwaited {
  readonly hash: Hash32;
  readonly from: Address;
  readonly nonce: bigint;
  readonly proven: boolean;
}

function waitingOf({ pending }: EvmState, wallet: string): readonly EvmPendingRecord[] {
  return [...pending.values()].filter((each) => each.wallet === wallet && each.block === null);
}

function walletsOf({ wallets }: EvmState, chainId: bigint): readonly EvmWalletRecord[] {
  return [...wallets.values()].filter(({ wallet }) => wallet.chainId === chainId);
}

/** The nonce of the account's next transaction, by all that is in blocks. */
const nextNonce = ({ nonce, ownTransactions }: EvmAccountRecord) => nonce + ownTransactions;

function passed({ wallet, hash, replacedBy, block }: EvmPendingRecord) {
  return { kind: 'evm-pending-passed', wallet, hash, replacedBy, block } as const;
}

/** Whether a block that is kept told of it. */
function isInBlock({ blocks, chains }: EvmState, { id, chainId }: EvmWallet, hash: Hash32): boolean {
  const { tip, lowest } = chains.get(String(chainId))!;
  for (let number = tip?.number ?? -1; number >= lowest; number--) {
    const part = blocks.get(blockKey(chainId, number))?.parts.find(({ wallet }) => wallet === id);
    if (part?.told.some((told) => told.includes(`:${hash}@`))) return true;
  }
  return false;
}
