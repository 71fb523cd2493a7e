import { dustLimit } from './dust.ts';
import type { Feerate } from './feerate.ts';
import { scriptKind } from './script/kinds.ts';
import type { TransactionOutput } from './transaction.ts';

/**
 * Topologically restricted transactions (TRUC, BIP431), those of version 3: what nodes relay of them, so that a fee can
 * always be raised. And the keyless anchors (P2A, BIP433) and outputs below the dust limit that go with them.
 */
export const TRUC_VERSION = 3;
export const TRUC_MAX_VSIZE = 10_000;
export const TRUC_CHILD_MAX_VSIZE = 1_000;

/** A transaction as far as TRUC is concerned. `vsize`: as mempools count it, with the cost of signature operations. */
export interface TrucMember {
  readonly version: number;
  readonly vsize: number;
}

export type TrucFault =
  /** More than 10,000 vB, or with an unconfirmed parent more than 1,000 (rules 4 and 5). */
  | 'truc_too_large'
  | 'truc_child_too_large'
  /** A parent that is not TRUC, or a TRUC parent of one that is not (rule 2). */
  | 'truc_mixed_versions'
  /** More than one unconfirmed parent, or one that has an unconfirmed parent itself (rule 3). */
  | 'truc_too_many_ancestors'
  /** The parent has another unconfirmed child, which this one does not replace (rule 3). */
  | 'truc_too_many_descendants';

export interface TrucParent extends TrucMember {
  /** Whether it has an unconfirmed parent. */
  readonly hasParent: boolean;
  /** Whether it has an unconfirmed child that stays. */
  readonly hasOtherChild: boolean;
}

/** The first of the rules of BIP431 that a transaction with these unconfirmed parents breaks; null where it breaks none. */
export function trucFault(transaction: TrucMember, parents: readonly TrucParent[]): TrucFault | null {
  const truc = transaction.version === TRUC_VERSION;
  if (parents.some(({ version }) => (version === TRUC_VERSION) !== truc)) return 'truc_mixed_versions';
  if (!truc) return null;
  if (transaction.vsize > TRUC_MAX_VSIZE) return 'truc_too_large';
  if (parents.length === 0) return null;
  if (transaction.vsize > TRUC_CHILD_MAX_VSIZE) return 'truc_child_too_large';
  if (parents.length > 1 || parents[0]!.hasParent) return 'truc_too_many_ancestors';
  return parents[0]!.hasOtherChild ? 'truc_too_many_descendants' : null;
}

/** The outputs that anyone can spend to raise the fee (BIP433), by their place. */
export function anchorsOf(outputs: readonly TransactionOutput[]): readonly number[] {
  return outputs.flatMap(({ script }, vout) => (scriptKind(script).kind === 'p2a' ? [vout] : []));
}

export type DustFault =
  /** Nodes relay one output below the dust limit at most. */
  | 'dust_too_many'
  /** And only where the transaction itself pays no fee, so that no miner takes it without its child. */
  | 'dust_with_fee';

/**
 * Whether the outputs below the dust limit are relayed: none, or one of a transaction without a fee, whose child then must
 * spend it (ephemeral dust, Bitcoin Core 29).
 */
export function dustFault(outputs: readonly TransactionOutput[], fee: bigint, feerate?: Feerate): DustFault | null {
  const dust = outputs.filter(({ script, sats }) => sats < dustLimit(script, feerate));
  if (dust.length > 1) return 'dust_too_many';
  return dust.length === 1 && fee > 0n ? 'dust_with_fee' : null;
}
