import { assertNever } from '@keepwatch/base';
import type { EvmSpend } from '../evm/spend.ts';
import type { SignedBy, UnclearReason, UnsignedReason } from './detail.ts';
import type { VaultPermit, VaultRight } from './permit.ts';
import type { SpendRecord, UsedRight, VaultState, VaultWallet } from './state.ts';

/** What the permits that are known say of a spend. Whether they are all is not asked here. */
export type Match =
  | Signed
  /** What was signed may allow it, and does not prove it: some of what it may be by. */
  | Unclear
  | { readonly says: 'unsigned'; readonly why: UnsignedReason };

interface Signed extends Uses {
  readonly says: 'signed';
  readonly vault: string;
  readonly permit: VaultPermit;
  readonly by: SignedBy;
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
const CLOCKS_MS = 60_000;

/** The vaults' wallets whose key it was by then: before, its owner may have used the key in other ways. */
export function ownersOf(state: VaultState, { address, block }: EvmSpend): readonly (VaultWallet & { key: string })[] {
  return (state.owners.get(address) ?? []).flatMap((key) => {
    const wallet = state.wallets.get(key);
    if (!wallet || (block !== null && block.timeMs + CLOCKS_MS < wallet.createdMs)) return [];
    return [{ ...wallet, key }];
  });
}

type Owner = ReturnType<typeof ownersOf>[number];
interface Known extends Owner {
  readonly permits: readonly VaultPermit[];
}

export function matchSpend(state: VaultState, record: SpendRecord): Match {
  const { spend } = record;
  const known = ownersOf(state, spend).map((owner) => ({
    ...owner,
    permits: (state.permits.get(owner.key) ?? []).filter(({ chainId }) => chainId === spend.chainId),
  }));
  switch (spend.how) {
    case 'transaction':
      return matchTransaction(known, spend);
    case 'allowance': {
      const match = matchRight(state, record, known);
      // Code of the account itself can give and take as well, whoever calls it.
      const byCode = match.says === 'signed' ? undefined : matchDelegation(known, spend);
      return byCode ?? match;
    }
    case 'delegation':
    case 'unexplained':
      return matchDelegation(known, spend) ?? { says: 'unsigned', why: 'no-permit' };
    default:
      return assertNever(spend.how);
  }
}

function matchTransaction(known: readonly Known[], { digest, nonce }: EvmSpend): Match {
  let why: UnsignedReason = 'no-permit';
  for (const { vault, permits } of known) {
    const own = permits.filter((each) => each.form === 'transaction' && each.nonce === nonce);
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
function matchDelegation(known: readonly Known[], { delegate, uses }: EvmSpend): Match | undefined {
  const isWithin = (nonce: bigint | null) =>
    uses === undefined || (nonce !== null && nonce >= uses.from && nonce < uses.to);
  for (const { vault, permits } of known) {
    const own = permits.filter(({ form, nonce }) => form === 'delegation' && isWithin(nonce));
    const found = delegate === undefined ? own.at(-1) : own.findLast((each) => each.delegate === delegate);
    if (!found || (delegate === undefined && !isCovered(permits, uses))) continue;
    return { says: 'signed', vault, permit: found, by: 'delegation', used: [] };
  }
  return undefined;
}

/** Whether each of the nonces that were used up was used up by what the vault signed. */
function isCovered(permits: readonly VaultPermit[], uses: EvmSpend['uses']): boolean {
  if (uses === undefined || uses.to - uses.from > MAX_USES) return false;
  const nonces = new Set(permits.map(({ nonce }) => nonce));
  for (let nonce = uses.from; nonce < uses.to; nonce++) if (!nonces.has(nonce)) return false;
  return true;
}

/** A right of a permit, and how much of it is left; null: any amount. */
interface Standing extends VaultRight {
  readonly vault: string;
  readonly wallet: string;
  readonly permit: VaultPermit;
  readonly right: number;
  readonly left: bigint | null;
}

/** Permits that a finding names. */
const MAX_MAYBE = 16;

/**
 * Who takes a token is known by who sent the transaction and by what it calls. What was signed for one of them proves it.
 * Through more contracts than that somebody else may have been the one who took it: then what was signed for others, as far
 * as it is large enough, is told for what it is, as a possibility.
 */
function matchRight(state: VaultState, record: SpendRecord, known: readonly Known[]): Match {
  const { spend } = record;
  const { amount } = spend;
  const all = known.flatMap((owner) => standingOf(state, record, owner));
  const live = all.filter(({ untilMs }) => !isOver(untilMs, spend));
  const own = live.filter((each) => isFor(each, spend));
  const one = own.find(({ left }) => left === null || left >= amount);
  // Some tokens let allowances be raised: together they are what may be taken.
  const some = one ? [one] : own.filter(({ once, left }) => !once && left !== 0n);
  if (one || reaches(some, amount)) {
    const { vault, permit } = some.at(-1)!;
    return { says: 'signed', vault, permit, by: 'right', used: taken(spend, some) };
  }
  // An approval says who may take it: nobody else's right comes into question.
  const other = live.filter(({ left }) => left === null || left >= amount);
  if (spend.spender === undefined && other.length > 0) {
    return { says: 'unclear', why: 'other-caller', maybe: maybeOf(other), used: taken(spend, [other.at(-1)!]) };
  }
  const unread = known.flatMap(({ vault, permits }) =>
    permits.filter((each) => each.unread).map((permit) => ({ vault, permit })),
  );
  if (unread.length > 0) return { says: 'unclear', why: 'unread', maybe: maybeOf(unread), used: [] };
  if (own.length > 0) return { says: 'unsigned', why: 'more-than-allowed' };
  const wasOver = all.some((each) => isOver(each.untilMs, spend) && isFor(each, spend));
  return {
    says: 'unsigned',
    why: wasOver ? 'expired' : live.length > 0 && spend.spender === undefined ? 'more-than-allowed' : 'no-allowance',
  };
}

function standingOf(state: VaultState, { spend, key: own }: SpendRecord, { vault, key, permits }: Known): Standing[] {
  // Somebody else's transaction brings a right to the chain as a signature, and nothing has left by it yet.
  const isApproval = spend.spender !== undefined;
  return permits.flatMap((permit) =>
    permit.rights.flatMap((right, i) => {
      if (right.token !== spend.token || (isApproval && (!right.signed || right.gets))) return [];
      const used = isApproval ? [] : usesOf(state, key, permit.seq, i, own);
      const gone = used.reduce((sum, each) => sum + each, 0n);
      const left = right.once && used.length > 0 ? 0n : right.amount === null ? null : max(0n, right.amount - gone);
      return [{ ...right, vault, wallet: key, permit, right: i, left }];
    }),
  );
}

function isFor({ to, gets }: VaultRight, { spender, recipient, caller, callee }: EvmSpend): boolean {
  if (spender !== undefined) return to === spender;
  return gets ? to === recipient : to === caller || to === callee;
}

const isOver = (untilMs: number | null, { block }: EvmSpend) =>
  untilMs !== null && block !== null && block.timeMs > untilMs;

function reaches(rights: readonly Standing[], amount: bigint): boolean {
  if (rights.length === 0) return false;
  return rights.some(({ left }) => left === null) || rights.reduce((sum, { left }) => sum + left!, 0n) >= amount;
}

/** What a spend takes of some rights, of the first ones first. An approval takes nothing. */
function taken({ amount, spender }: EvmSpend, rights: readonly Standing[]): UsedRight[] {
  let rest = spender === undefined ? amount : 0n;
  return rights.flatMap(({ wallet, permit, right, left }) => {
    const part = left === null || left > rest ? rest : left;
    rest -= part;
    return part === 0n ? [] : [{ wallet, permit: permit.seq, right, amount: part }];
  });
}

function usesOf({ spends }: VaultState, wallet: string, permit: number, right: number, own: string): bigint[] {
  return [...spends.values()].flatMap(({ used, key, spend }) =>
    key === own
      ? []
      : used.flatMap((each) =>
          each.wallet === wallet && each.permit === permit && each.right === right ? [each.amount ?? spend.amount] : [],
        ),
  );
}

const maybeOf = (all: readonly { readonly vault: string; readonly permit: VaultPermit }[]): MaybeBy[] =>
  all.slice(-MAX_MAYBE).map(({ vault, permit }) => ({ vault, permit: permit.seq }));

const max = (a: bigint, b: bigint) => (a > b ? a : b);
