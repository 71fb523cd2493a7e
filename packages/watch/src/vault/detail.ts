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
 * - `expired`: who took it was allowed to, and not any more
 */
export type UnsignedReason = 'no-permit' | 'other-bytes' | 'no-allowance' | 'more-than-allowed' | 'expired';

/**
 * Why it is not known whether what was signed allows a spend:
 *
 * - `other-caller`: somebody may take so much of the token, and he is neither who sent the transaction nor what it calls
 * - `unread`: something was signed that this monitor cannot read
 * - `later-right`: who took it was allowed to, and by the clocks of vault and chain only afterwards
 * - `lost-history`: the vault was restored from a backup, and may have signed it in the history that was given up
 */
export type UnclearReason = 'other-caller' | 'unread' | 'later-right' | 'lost-history';

/**
 * By what a spend is the vault's: the very bytes, the nonce alone (the bytes are not known), a right that was signed for who
 * took it, or code that the account was handed to. `right-of-other`: what versions before this one said where a right of
 * somebody else would do.
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
  /** `maybe`: what the vault signed by which it may be allowed, the last ones of them. */
  | ({
      readonly kind: 'unclear-spend';
      readonly upTo: readonly { readonly vault: string; readonly seq: number; readonly sealed: boolean }[];
      readonly why: UnclearReason;
      readonly maybe: readonly { readonly vault: string; readonly permit: number }[];
      readonly amends: string | null;
    } & SpendFacts)
  /** The vault says nothing from which it could be concluded: silent, or killed and not unsealed since. */
  | ({ readonly kind: 'vault-silent'; readonly vaults: readonly string[]; readonly words: string } & SpendFacts)
  /**
   * The vault was sealed when it answered last, has none of its permits for this spend, and does not answer any more: nobody
   * has signed it, unless an operator has unsealed one of the vaults since (`atMs`).
   */
  | ({
      readonly kind: 'sealed-spend';
      readonly since: readonly { readonly vault: string; readonly seq: number; readonly atMs: number }[];
      readonly why: UnsignedReason;
    } & SpendFacts)
  /** What the vault signed for a nonce is in no block, so long after as the owner said; or the nonce is used up now. */
  | {
      readonly kind: 'signed-unseen';
      readonly vault: string;
      readonly permit: number;
      readonly grant: string;
      readonly chainId: bigint;
      readonly address: Address;
      readonly nonce: bigint;
      readonly over: boolean;
    }
  /**
   * The past of an account was compared, and so many of its spends are older than the vault's key (`sinceMs`, by the vault's
   * clock): who signed them, no vault can say.
   */
  | {
      readonly kind: 'earlier-spends';
      readonly vault: string;
      readonly chainId: bigint;
      readonly address: Address;
      readonly sinceMs: number;
      readonly count: number;
    }
  /** The spend left the chain. `retracts`: ids of findings that no longer hold. */
  | { readonly kind: 'spend-withdrawn'; readonly spend: string; readonly retracts: readonly string[] }
  | {
      readonly kind: 'vault-down' | 'vault-sealed' | 'vault-rolled-back' | 'vault-forked' | 'vault-withholds';
      readonly vault: string;
      readonly words: string;
      readonly over: boolean;
    };
