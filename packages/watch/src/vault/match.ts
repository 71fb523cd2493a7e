import { assertNever } from '@keepwatch/base';
import type { EvmSpend } from '../evm/spend.ts';
import type { SignedBy, UnsignedReason } from './detail.ts';
import type { VaultPermit } from './permit.ts';
import type { SpendRecord, UsedRight, VaultState, VaultWallet } from './state.ts';

/** What the permits that are known say of a spend. Whether they are all is not asked here. */
export type Match =
  | {
      readonly signed: true;
      readonly vault: string;
      readonly permit: VaultPermit;
      readonly by: SignedBy;
      readonly used: UsedRight | null;
    }
  | { readonly signed: false; readonly why: UnsignedReason };

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

export function matchSpend(state: VaultState, record: SpendRecord): Match {
  let why: UnsignedReason = record.spend.how === 'allowance' ? 'no-allowance' : 'no-permit';
  for (const { key, vault } of ownersOf(state, record.spend)) {
    const permits = (state.permits.get(key) ?? []).filter(({ chainId }) => chainId === record.spend.chainId);
    const found = matchWith(state, record, key, permits);
    if (found === undefined) continue;
    if (typeof found === 'string') why = found;
    else return { signed: true, vault, ...found };
  }
  return { signed: false, why };
}

type Found = { readonly permit: VaultPermit; readonly by: SignedBy; readonly used: UsedRight | null };

function matchWith(
  state: VaultState,
  record: SpendRecord,
  key: string,
  permits: readonly VaultPermit[],
): Found | UnsignedReason | undefined {
  const { spend } = record;
  switch (spend.how) {
    case 'transaction': {
      const { digest = null, nonce } = spend;
      const own = permits.filter((each) => each.form === 'transaction' && each.nonce === nonce);
      const exact = digest === null ? undefined : own.find((each) => each.digest === digest);
      if (exact) return { permit: exact, by: 'bytes', used: null };
      const last = own.at(-1);
      if (last === undefined) return undefined;
      return digest === null ? { permit: last, by: 'nonce', used: null } : 'other-bytes';
    }
    case 'allowance':
      return matchRight(state, record, key, permits);
    case 'delegation':
    case 'unexplained': {
      const permit = permits.findLast(({ form }) => form === 'delegation');
      return permit && { permit, by: 'delegation', used: null };
    }
    default:
      return assertNever(spend.how);
  }
}

/**
 * Who takes a token by an allowance may be a contract, and the transaction that calls it of anybody: where the caller is
 * not who was allowed, any right to this token that is large enough will do, and the finding says that it is so.
 */
function matchRight(
  state: VaultState,
  { spend, members, key: own }: SpendRecord,
  key: string,
  permits: readonly VaultPermit[],
): Found | UnsignedReason | undefined {
  const { token, amount, caller } = spend;
  const isRight = givesRight(members[0]!);
  const rights = permits.flatMap((permit) =>
    permit.rights.flatMap((right, i) => {
      if (right.token !== token) return [];
      // By somebody else’s transaction a right comes to the chain as a signature, and never by a transaction of the wallet.
      if (isRight && !right.signed) return [];
      const left =
        right.amount === null ? null : right.amount - (isRight ? 0n : usedOf(state, key, permit.seq, i, own));
      return [{ permit, right: i, to: right.to, left }];
    }),
  );
  const fitting = rights.filter(({ left }) => left === null || left >= amount);
  const best = fitting.find(({ to }) => to === caller) ?? fitting[0];
  if (best === undefined) return rights.length === 0 ? undefined : 'more-than-allowed';
  const used = isRight ? null : { wallet: key, permit: best.permit.seq, right: best.right };
  return { permit: best.permit, by: best.to === caller ? 'right' : 'right-of-other', used };
}

/** A signed right that somebody brought to the chain, and by which nothing has left yet: the id says what was told. */
const givesRight = (id: string) => id.startsWith('evm-allowance');

function usedOf({ spends }: VaultState, wallet: string, permit: number, right: number, own: string): bigint {
  let sum = 0n;
  for (const { used, spend, key } of spends.values()) {
    if (key !== own && used?.wallet === wallet && used.permit === permit && used.right === right) sum += spend.amount;
  }
  return sum;
}
