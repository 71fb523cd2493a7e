import type { Address } from '@keepwatch/evm';
import type { EvmSpendWay, Hash32 } from '../evm/spend.ts';

/** The spend that a finding is about. `spend`: the id of the finding that told of it. */
export interface SpendFacts {
  readonly spend: string;
  readonly chainId: bigint;
  readonly address: Address;
  readonly how: EvmSpendWay;
  readonly txHash: Hash32 | null;
  readonly nonce: bigint | null;
  /** Null: the chain's own coin. */
  readonly token: Address | null;
  /** In the smallest unit. */
  readonly amount: bigint;
}

/**
 * Why a spend is not the vault's:
 *
 * - `no-permit`: the vault has never allowed it
 * - `other-bytes`: for its nonce the vault allowed something else
 * - `no-allowance`: nobody was allowed to take this token
 * - `more-than-allowed`: somebody was, and not so much
 */
export type UnsignedReason = 'no-permit' | 'other-bytes' | 'no-allowance' | 'more-than-allowed';

/**
 * By what a spend is the vault's: the very bytes, the nonce alone (the bytes are not known), a right that was signed for who
 * took it (`right`) or for somebody by whom it may have been taken (`right-of-other`), or code that the wallet was handed to.
 */
export type SignedBy = 'bytes' | 'nonce' | 'right' | 'right-of-other' | 'delegation';

/** What a comparison of spends with the receipts of a vault gives. `vault`: its name here. */
export type VaultFindingDetail =
  /** `permit`: the entry of the vault's journal. `amends`: an earlier finding that no longer holds. */
  | ({
      readonly kind: 'signed-spend';
      readonly vault: string;
      readonly permit: number;
      readonly grant: string;
      readonly by: SignedBy;
      readonly amends: string | null;
    } & SpendFacts)
  /** `upTo`: the vaults that have the key, and up to which entry of their journals every permit is known. */
  | ({
      readonly kind: 'unsigned-spend';
      readonly upTo: readonly { readonly vault: string; readonly seq: number; readonly sealed: boolean }[];
      readonly why: UnsignedReason;
      readonly amends: string | null;
    } & SpendFacts)
  /** The vault says nothing from which it could be concluded: silent, or killed and not unsealed since. */
  | ({ readonly kind: 'vault-silent'; readonly vaults: readonly string[]; readonly words: string } & SpendFacts)
  /** The spend left the chain. `retracts`: ids of findings that no longer hold. */
  | { readonly kind: 'spend-withdrawn'; readonly spend: string; readonly retracts: readonly string[] }
  | {
      readonly kind: 'vault-down' | 'vault-sealed' | 'vault-rolled-back' | 'vault-forked' | 'vault-withholds';
      readonly vault: string;
      readonly words: string;
      readonly over: boolean;
    };
