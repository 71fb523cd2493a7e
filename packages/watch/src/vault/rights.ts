import type { Address } from '@keepwatch/evm';
import type { VaultPermit, VaultRight } from './permit.ts';
import { chainKey, type UsedRight, type VaultState } from './state.ts';

/**
 * What others may take by what was signed, by who may: a spend names him, and no other right is looked at. The rights of one
 * holder stand in pieces of 64, so that a change copies one piece. Pieces in which nothing is left come last, and what is used
 * up for good leaves them.
 */
export interface HeldRight extends VaultRight {
  readonly permit: number;
  /** Which one of the permit. */
  readonly right: number;
  readonly grant: string;
  /** When it was permitted, by the vault's clock, ms. */
  readonly atMs: number;
  /** What was taken by it, and how often. */
  readonly gone: bigint;
  readonly times: number;
  /** How many of these times can be taken back. */
  readonly pending: number;
}

export interface Holder {
  /** Pieces that were begun. Those that are empty are left out. */
  readonly pieces: number;
  /** Those in which something may be left, in order. */
  readonly open: readonly number[];
  /** He may take any amount at any time, by a right of this kind: another one says nothing new. */
  readonly endless: readonly string[];
  /** He had rights that are used up and forgotten. */
  readonly had: boolean;
}

const PIECE = 64;

export const tokenKey = (wallet: string, chainId: bigint, token: Address) => `${chainKey(wallet, chainId)}/${token}`;
export const holderKey = (token: string, to: Address) => `${token}/${to}`;
const pieceKey = (of: string, piece: number) => `${of}#${piece}`;

/** A right, and the piece that has it. */
export interface PlacedRight extends HeldRight {
  readonly piece: number;
}

/** Newest first. `open`: where something may be left; otherwise the rest. */
export function* rightsHeld(state: VaultState, holder: string, which: 'open' | 'rest'): Generator<PlacedRight> {
  const { pieces, open } = state.holders.get(holder) ?? NOBODY;
  const numbers = which === 'open' ? open.toReversed() : restOf(pieces, open);
  for (const piece of numbers) {
    for (const right of (state.rights.get(pieceKey(holder, piece)) ?? []).toReversed()) yield { ...right, piece };
  }
}

const NOBODY: Holder = { pieces: 0, open: [], endless: [], had: false };

function* restOf(pieces: number, open: readonly number[]): Generator<number> {
  const others = new Set(open);
  for (let piece = pieces - 1; piece >= 0; piece--) if (!others.has(piece)) yield piece;
}

/** Who was given rights to a token, the newest first. */
export function* holdersOfToken({ holders, holdersOf }: VaultState, token: string): Generator<Address> {
  for (let piece = (holders.get(token)?.pieces ?? 0) - 1; piece >= 0; piece--) {
    yield* holdersOf.get(pieceKey(token, piece))!.toReversed();
  }
}

export function addRights(state: VaultState, wallet: string, permit: VaultPermit): void {
  const { seq, chainId, grant, atMs } = permit;
  for (const [i, right] of permit.rights.entries()) {
    const token = tokenKey(wallet, chainId, right.token);
    const fresh = { gone: 0n, times: 0, pending: 0 };
    addRight(state, token, { ...right, permit: seq, right: i, grant, atMs, ...fresh });
  }
}

function addRight(state: VaultState, token: string, right: HeldRight): void {
  const key = holderKey(token, right.to);
  const known = state.holders.get(key);
  if (!known) addHolder(state, token, right.to);
  const holder = known ?? NOBODY;
  const { amount, once, untilMs, signed, gets } = right;
  const isEndless = amount === null && !once && untilMs === null;
  const sort = `${signed ? 'signed' : 'sent'}${gets ? ' gets' : ''}`;
  if (amount === 0n) return void state.holders.set(key, { ...holder, had: true });
  if (isEndless && holder.endless.includes(sort)) return;
  const last = holder.pieces - 1;
  const room = (state.rights.get(pieceKey(key, last)) ?? []).length;
  const piece = last >= 0 && room < PIECE ? last : last + 1;
  if (untilMs !== null) state.ending.set(key, true);
  state.rights.set(pieceKey(key, piece), [...(state.rights.get(pieceKey(key, piece)) ?? []), right]);
  state.holders.set(key, {
    ...holder,
    pieces: piece + 1,
    open: holder.open.at(-1) === piece ? holder.open : [...holder.open, piece],
    endless: isEndless ? [...holder.endless, sort] : holder.endless,
  });
}

function addHolder({ holdersOf, holders }: VaultState, token: string, to: Address): void {
  // How many pieces there are stands under the key of the token, which is no holder's.
  const counted = holders.get(token) ?? NOBODY;
  const last = counted.pieces - 1;
  const room = (holdersOf.get(pieceKey(token, last)) ?? []).length;
  const piece = last >= 0 && room < PIECE ? last : last + 1;
  holdersOf.set(pieceKey(token, piece), [...(holdersOf.get(pieceKey(token, piece)) ?? []), to]);
  if (piece !== last) holders.set(token, { ...counted, pieces: piece + 1 });
}

/** Whether the rights of a permit are known: what is used up is asked for as well. */
export function hasRight(state: VaultState, wallet: string, { seq, chainId, atMs, rights }: VaultPermit): boolean {
  return rights.some(({ token, to }) => {
    const holder = holderKey(tokenKey(wallet, chainId, token), to);
    const is = (each: HeldRight) => each.permit === seq && each.atMs === atMs;
    return (
      state.holders.get(holder)?.had === true ||
      [...rightsHeld(state, holder, 'open')].some(is) ||
      [...rightsHeld(state, holder, 'rest')].some(is)
    );
  });
}

export const isUsedUp = ({ amount, gone, once, times }: HeldRight) =>
  once ? times > 0 : amount !== null && gone >= amount;

/** A spend took of a right, or (`back`) did not after all. */
export function takeOf(state: VaultState, token: string, used: UsedRight, amount: bigint, back: boolean): void {
  change(state, token, used, (right) => ({
    ...right,
    gone: back ? right.gone - amount : right.gone + amount,
    times: right.times + (back ? -1 : 1),
    pending: right.pending + (back ? -1 : 1),
  }));
}

/** What was taken is taken for good. */
export function settleUse(state: VaultState, token: string, used: UsedRight): void {
  change(state, token, used, (right) => ({ ...right, pending: right.pending - 1 }));
}

function change(state: VaultState, token: string, used: UsedRight, by: (right: HeldRight) => HeldRight): void {
  const is = (each: HeldRight) => each.permit === used.permit && each.right === used.right;
  for (const [holder, piece] of placesOf(state, token, used)) {
    const rights = state.rights.get(pieceKey(holder, piece)) ?? [];
    const at = rights.findIndex(is);
    if (at < 0) continue;
    putPiece(state, holder, piece, rights.with(at, by(rights[at]!)));
    return;
  }
}

/** Where a right stands: at once where it is said, and else wherever it may be. */
function* placesOf(state: VaultState, token: string, { to, piece }: UsedRight): Generator<[string, number]> {
  if (to !== null && piece !== null) yield [holderKey(token, to), piece];
  for (const each of to === null ? holdersOfToken(state, token) : [to]) {
    const holder = holderKey(token, each);
    for (let at = (state.holders.get(holder)?.pieces ?? 0) - 1; at >= 0; at--) yield [holder, at];
  }
}

/** What is used up for good is forgotten, but for signatures whose approval may come to light later. */
function putPiece(state: VaultState, holder: string, piece: number, rights: readonly HeldRight[], nowMs = 0): void {
  const kept = rights.filter((each) => !isUsedUp(each) || each.pending > 0 || (each.signed && !each.gets));
  const key = pieceKey(holder, piece);
  if (kept.length === 0) state.rights.delete(key);
  else state.rights.set(key, kept);
  const known = state.holders.get(holder)!;
  const isOpen = kept.some((each) => !isUsedUp(each) && (each.untilMs === null || each.untilMs >= nowMs));
  const had = known.had || kept.length < rights.length;
  if (isOpen === known.open.includes(piece) && had === known.had) return;
  const others = known.open.filter((each) => each !== piece);
  const open = isOpen ? [...others, piece].sort((a, b) => a - b) : others;
  state.holders.set(holder, { ...known, had, open });
}

/** Whether he has rights of which something may be left, and which end. */
export function isEnding({ holders, rights }: VaultState, holder: string): boolean {
  const { open } = holders.get(holder)!;
  return open.some((piece) => rights.get(pieceKey(holder, piece))?.some(({ untilMs }) => untilMs !== null));
}

/** Rights that have ended, by the time of the chain, come last from now on. */
export function sweepRights(state: VaultState, chainId: bigint, nowMs: number): void {
  for (const holder of [...state.ending.keys()]) {
    if (!holder.includes(`/${chainId}/0x`)) continue;
    for (const piece of state.holders.get(holder)!.open) {
      putPiece(state, holder, piece, state.rights.get(pieceKey(holder, piece)) ?? [], nowMs);
    }
    if (!isEnding(state, holder)) state.ending.delete(holder);
  }
}
