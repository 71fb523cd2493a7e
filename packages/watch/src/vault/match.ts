import { assertNever } from '@keepwatch/base';
import type { Address } from '@keepwatch/evm';
import type { EvmSpend } from '../evm/spend.ts';
import type { SignedBy, UnclearReason, UnsignedReason } from './detail.ts';
import type { VaultRight } from './permit.ts';
import { holderKey, holdersOfToken, isUsedUp, rightsHeld, tokenKey, type PlacedRight } from './rights.ts';
import { takenBy } from './settle.ts';
import { delegationsOf, isSignedFor, signedFor } from './signed.ts';
import { chainKey, type SpendRecord, type UsedRight, type VaultState, type VaultWallet } from './state.ts';

/** What the permits that are known say of a spend. Whether they are all is not asked here. */
export type Match =
  | Signed
  /** What was signed may allow it, and does not prove it: some of what it may be by. */
  | Unclear
  | { readonly says: 'unsigned'; readonly why: UnsignedReason };

interface Signed extends Uses {
  readonly says: 'signed';
  readonly vault: string;
  readonly permit: PermitFacts;
  readonly by: SignedBy;
}

interface PermitFacts {
  readonly seq: number;
  readonly grant: string;
}

interface Unclear extends Uses {
  readonly says: 'unclear';
  readonly why: UnclearReason;
  readonly maybe: readonly MaybeBy[];
}

interface MaybeBy {
  readonly vault: string;
  readonly permit: number;
}

interface Uses {
  readonly used: readonly UsedRight[];
}

/** How far the clocks of a vault and of a chain may be apart, ms. */
export const CLOCKS_MS = 60_000;

/** The vaults' wallets whose key it was by then: before, its owner may have used the key in other ways. */
export function ownersOf(state: VaultState, { address, block }: EvmSpend): readonly (VaultWallet & { key: string })[] {
  return walletsOf(state, address).filter(({ createdMs }) => block === null || block.timeMs + CLOCKS_MS >= createdMs);
}

/** The vaults' wallets that have the key now. */
export function walletsOf(state: VaultState, address: Address): readonly (VaultWallet & { key: string })[] {
  return (state.owners.get(address) ?? []).flatMap((key) => {
    const wallet = state.wallets.get(key);
    return wallet ? [{ ...wallet, key }] : [];
  });
}

type Owner = ReturnType<typeof ownersOf>[number];

export function matchSpend(state: VaultState, record: SpendRecord): Match {
  const { spend } = record;
  const owners = ownersOf(state, spend);
  switch (spend.how) {
    case 'transaction':
      return matchTransaction(state, owners, spend);
    case 'allowance': {
      const match = matchRight(state, record, owners);
      // Code of the account itself can give and take as well, whoever calls it.
      const byCode = match.says === 'signed' ? undefined : matchDelegation(state, owners, spend);
      return byCode ?? match;
    }
    case 'delegation':
    case 'unexplained':
      return matchDelegation(state, owners, spend) ?? { says: 'unsigned', why: 'no-permit' };
    default:
      return assertNever(spend.how);
  }
}

function matchTransaction(state: VaultState, owners: readonly Owner[], { chainId, digest, nonce }: EvmSpend): Match {
  let why: UnsignedReason = 'no-permit';
  if (nonce === null) return { says: 'unsigned', why };
  for (const { vault, key } of owners) {
    const own = signedFor(state, key, chainId, nonce);
    const found = digest === undefined ? own.at(-1) : own.find((each) => each.digest === digest);
    if (found) return { says: 'signed', vault, permit: found, by: digest === undefined ? 'nonce' : 'bytes', used: [] };
    if (own.length > 0) why = 'other-bytes';
  }
  return { says: 'unsigned', why };
}

/** No block uses up so many nonces of one account by authorisations. */
const MAX_USES = 64n;

/**
 * An authorisation is good for one code, on one chain, and for one nonce of the account, which it uses up (EIP-7702). So it
 * explains one delegation, and what the code does as long as the account runs it.
 */
function matchDelegation(state: VaultState, owners: readonly Owner[], spend: EvmSpend): Match | undefined {
  const { chainId, delegate, uses } = spend;
  const isWithin = (nonce: bigint | null) =>
    uses === undefined || (nonce !== null && nonce >= uses.from && nonce < uses.to);
  for (const { vault, key } of owners) {
    const own = delegationsOf(state, key, chainId).filter(({ nonce }) => isWithin(nonce));
    const found = delegate === undefined ? own.at(-1) : own.findLast((each) => each.delegate === delegate);
    if (!found || (delegate === undefined && !isCovered(state, key, spend))) continue;
    return { says: 'signed', vault, permit: found, by: 'delegation', used: [] };
  }
  return undefined;
}

/** Whether each of the nonces that were used up was used up by what the vault signed. */
function isCovered(state: VaultState, wallet: string, { chainId, uses }: EvmSpend): boolean {
  if (uses === undefined || uses.to - uses.from > MAX_USES) return false;
  for (let nonce = uses.from; nonce < uses.to; nonce++) {
    if (!isSignedFor(state, wallet, chainId, nonce)) return false;
  }
  return true;
}

/** A right of a permit, and how much of it is left; null: any amount. */
interface Standing extends PlacedRight {
  readonly vault: string;
  readonly wallet: string;
  readonly left: bigint | null;
}

/** Permits that a finding names. */
const MAX_MAYBE = 16;

/**
 * Who takes a token is known by who sent the transaction and by what it calls. What was signed for one of them proves it.
 * Through more contracts than that somebody else may have been the one who took it: then what was signed for others, as far
 * as it is large enough, is told for what it is, as a possibility.
 */
function matchRight(state: VaultState, record: SpendRecord, owners: readonly Owner[]): Match {
  const { spend } = record;
  const { amount, token } = spend;
  if (token === null) return { says: 'unsigned', why: 'no-permit' };
  const search: Search = { state, spend, shared: takenBy(state, record) };
  const found = { some: [] as Standing[], later: [] as Standing[], had: false, wasOver: false };
  for (const right of ownRights(search, owners, token)) {
    if (isOver(right, spend)) found.wasOver = true;
    else if (isLater(right, record)) found.later.push(right);
    else if (right.left === null || right.left >= amount) return signedBy(spend, [right]);
    else {
      found.had = true;
      // Some tokens let allowances be raised: together they are what may be taken.
      if (!right.once && right.left > 0n) found.some.push(right);
    }
  }
  if (reaches(found.some, amount)) return signedBy(spend, found.some.toReversed());
  // An approval says who may take it: nobody else's right comes into question.
  const others = spend.spender === undefined ? rightsOfOthers(search, record, owners, token) : NO_OTHERS;
  if (others.maybe.length > 0) {
    return {
      says: 'unclear',
      why: 'other-caller',
      maybe: maybeOf(others.maybe),
      used: taken(spend, [others.maybe.at(-1)!]),
    };
  }
  if (reaches(found.later, amount)) {
    return { says: 'unclear', why: 'later-right', maybe: maybeOf(found.later.toReversed()), used: [] };
  }
  const unread = owners.flatMap(({ vault, key }) =>
    (state.unread.get(chainKey(key, spend.chainId)) ?? []).map((permit) => ({ vault, permit })),
  );
  if (unread.length > 0) return { says: 'unclear', why: 'unread', maybe: maybeOf(unread), used: [] };
  if (found.had || hadRights(search, owners, token)) return { says: 'unsigned', why: 'more-than-allowed' };
  if (found.wasOver) return { says: 'unsigned', why: 'expired' };
  return { says: 'unsigned', why: others.had ? 'more-than-allowed' : 'no-allowance' };
}

function signedBy(spend: EvmSpend, rights: readonly Standing[]): Signed {
  const { vault, permit: seq, grant } = rights.at(-1)!;
  return { says: 'signed', vault, permit: { seq, grant }, by: 'right', used: taken(spend, rights) };
}

interface Search {
  readonly state: VaultState;
  readonly spend: EvmSpend;
  /** What this very spend is known to have taken already. */
  readonly shared: readonly UsedRight[];
}

/** Whose rights may explain a spend. */
function takersOf({ spender, caller, callee, recipient }: EvmSpend): readonly Address[] {
  const all = spender === undefined ? [caller, callee, recipient] : [spender];
  return [...new Set(all)].filter((each) => each !== null && each !== undefined);
}

/** The newest first, and where something may be left before all others. */
function* ownRights(search: Search, owners: readonly Owner[], token: Address): Generator<Standing> {
  const { spend } = search;
  const takers = takersOf(spend);
  for (const which of ['open', 'rest'] as const) {
    for (const owner of owners) {
      for (const taker of takers) {
        for (const right of standing(search, owner, token, taker, which)) if (isFor(right, spend)) yield right;
      }
    }
  }
}

function* standing(
  { state, spend, shared }: Search,
  { vault, key }: Owner,
  token: Address,
  to: Address,
  which: 'open' | 'rest',
): Generator<Standing> {
  // Somebody else's transaction brings a right to the chain as a signature, and nothing has left by it yet.
  const isApproval = spend.spender !== undefined;
  for (const right of rightsHeld(state, holderKey(tokenKey(key, spend.chainId, token), to), which)) {
    if (isApproval && (!right.signed || right.gets)) continue;
    const own = shared.find(
      (each) => each.wallet === key && each.permit === right.permit && each.right === right.right && each.to === to,
    );
    const before = own ? { ...right, gone: right.gone - (own.amount ?? spend.amount), times: right.times - 1 } : right;
    yield { ...right, vault, wallet: key, left: isApproval ? right.amount : leftOf(before) };
  }
}

const leftOf = (right: PlacedRight): bigint | null =>
  isUsedUp(right) ? 0n : right.amount === null ? null : right.amount - right.gone;

/** He had rights, and nothing is left of them. */
function hadRights({ state, spend }: Search, owners: readonly Owner[], token: Address): boolean {
  return owners.some(({ key }) =>
    takersOf(spend).some(
      (taker) => state.holders.get(holderKey(tokenKey(key, spend.chainId, token), taker))?.had ?? false,
    ),
  );
}

interface Others {
  /** In the order of the journal. */
  readonly maybe: readonly Standing[];
  /** Somebody had a right to the token that had not ended. */
  readonly had: boolean;
}

const NO_OTHERS: Others = { maybe: [], had: false };

function rightsOfOthers(search: Search, record: SpendRecord, owners: readonly Owner[], token: Address): Others {
  const { state, spend } = search;
  const maybe: Standing[] = [];
  let had = false;
  for (const owner of owners) {
    const of = tokenKey(owner.key, spend.chainId, token);
    for (const holder of holdersOfToken(state, of)) {
      had ||= state.holders.get(holderKey(of, holder))!.had;
      for (const which of ['open', 'rest'] as const) {
        for (const right of standing(search, owner, token, holder, which)) {
          if (isOver(right, spend) || isLater(right, record)) continue;
          had = true;
          if (right.left !== null && right.left < spend.amount) continue;
          maybe.push(right);
          if (maybe.length === MAX_MAYBE) return { maybe: inOrder(maybe), had };
        }
      }
    }
  }
  return { maybe: inOrder(maybe), had };
}

const inOrder = (rights: readonly Standing[]) => rights.toSorted((a, b) => a.permit - b.permit);

function isFor({ to, gets }: VaultRight, { spender, recipient, caller, callee }: EvmSpend): boolean {
  if (spender !== undefined) return to === spender;
  return gets ? to === recipient : to === caller || to === callee;
}

const isOver = ({ untilMs }: VaultRight, { block }: EvmSpend) =>
  untilMs !== null && block !== null && block.timeMs > untilMs;

/**
 * What is read of the past is compared with all that was signed up to now, and what was signed afterwards explains nothing
 * that was before. Of a spend that is told as it happens no clock is asked: what is known then was signed before.
 */
const isLater = ({ atMs }: PlacedRight, { past, spend: { block } }: SpendRecord) =>
  past && block !== null && atMs > block.timeMs + CLOCKS_MS;

function reaches(rights: readonly Standing[], amount: bigint): boolean {
  if (rights.length === 0) return false;
  return rights.some(({ left }) => left === null) || rights.reduce((sum, { left }) => sum + left!, 0n) >= amount;
}

/** What a spend takes of some rights, of the first ones first. An approval takes nothing. */
function taken({ amount, spender }: EvmSpend, rights: readonly Standing[]): UsedRight[] {
  let rest = spender === undefined ? amount : 0n;
  return rights.flatMap(({ wallet, permit, right, left, to, piece }) => {
    const part = left === null || left > rest ? rest : left;
    rest -= part;
    return part === 0n ? [] : [{ wallet, permit, right, amount: part, to, piece }];
  });
}

const maybeOf = (all: readonly MaybeBy[]): MaybeBy[] =>
  all.slice(-MAX_MAYBE).map(({ vault, permit }) => ({ vault, permit }));
