import type { Finding } from '../finding.ts';
import type { EvmAccountFacts, EvmBlockFacts, EvmPendingCount, EvmPendingFacts } from './facts.ts';
import type { EvmBlockRef, EvmSpend, Hash32 } from './spend.ts';
import type { EvmFindingDetail } from './detail.ts';
import type { EvmAccountRecord, EvmPastRecord, EvmPendingRecord } from './state.ts';
import type { EvmChain, EvmWallet } from './wallet.ts';

/** What a step decided. The driver journals it, and the state is nothing but the fold of these. */
export type EvmEvent =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'evm-started'; readonly atMs: number }
  | { readonly kind: 'evm-chain'; readonly chain: EvmChain }
  | { readonly kind: 'evm-wallet-put'; readonly wallet: EvmWallet }
  | { readonly kind: 'evm-wallet-dropped'; readonly wallet: string }
  | { readonly kind: 'evm-block'; readonly chainId: bigint; readonly block: EvmBlockRef }
  /** The account of a wallet as it is in the tip; what it was before is kept for as long as the block can go. */
  | { readonly kind: 'evm-account'; readonly wallet: string; readonly account: EvmAccountRecord }
  /** Value or rights left a wallet in the tip. */
  | { readonly kind: 'evm-spend'; readonly id: string; readonly spend: EvmSpend }
  /** The tip was taken back, and its spends with it: their ids. */
  | {
      readonly kind: 'evm-block-back';
      readonly chainId: bigint;
      readonly block: EvmBlockRef;
      readonly withdrawn: readonly string[];
    }
  | { readonly kind: 'evm-finalized'; readonly chainId: bigint; readonly number: number }
  /** What a block of the past did to a wallet. It is kept to be read again, and is no news: nobody is told. */
  | {
      readonly kind: 'evm-past-block';
      readonly wallet: string;
      readonly block: EvmBlockRef;
      readonly entries: readonly EvmPastEntry[];
      /** Ways in which value or rights left in it: whoever knows what was signed compares them, as those of today. */
      readonly spends: readonly EvmPastSpend[];
    }
  /**
   * A transaction outside blocks, or that more is known of one. `id`: of the finding that says so. `spend`: it is the
   * account's own, and proven to be signed by its key.
   */
  | {
      readonly kind: 'evm-pending';
      readonly id: string;
      readonly record: EvmPendingRecord;
      readonly spend: EvmSpend | null;
    }
  /** Another one with its nonce is seen, or a block used up its nonce. */
  | {
      readonly kind: 'evm-pending-passed';
      readonly wallet: string;
      readonly hash: Hash32;
      readonly replacedBy: Hash32 | null;
      readonly block: EvmBlockRef | null;
    }
  | { readonly kind: 'evm-pending-gone'; readonly wallet: string; readonly hash: Hash32 }
  /** An upstream counts so many transactions of the account that it does not show; null: none any more. */
  | { readonly kind: 'evm-counted'; readonly wallet: string; readonly pending: bigint | null }
  /** How far the past of a wallet is read now. */
  | { readonly kind: 'evm-past'; readonly wallet: string; readonly past: EvmPastRecord };

/** One happening of the past, in the words of findings. `id`: as a finding of it would have had. */
export interface EvmPastEntry {
  readonly id: string;
  readonly txHash: Hash32 | null;
  readonly detail: EvmFindingDetail;
}

/** It has the id of the entry that says so. */
export interface EvmPastSpend {
  readonly id: string;
  readonly spend: EvmSpend;
}

export type EvmInput =
  /** The monitor was started; told once, before anything else. */
  | { readonly kind: 'evm-started' }
  | { readonly kind: 'evm-chain'; readonly chain: EvmChain }
  | { readonly kind: 'evm-wallet'; readonly wallet: EvmWallet }
  | { readonly kind: 'evm-wallet-removed'; readonly wallet: string }
  | {
      readonly kind: 'evm-connected';
      readonly facts: EvmBlockFacts;
      /** Names of the upstreams that said so. */
      readonly seenBy: readonly string[];
    }
  | {
      readonly kind: 'evm-disconnected';
      readonly chainId: bigint;
      readonly block: EvmBlockRef;
      readonly seenBy: readonly string[];
    }
  | { readonly kind: 'evm-finality'; readonly chainId: bigint; readonly number: number }
  /** What upstreams show outside blocks. */
  | {
      readonly kind: 'evm-sighted';
      readonly chainId: bigint;
      readonly transaction: EvmPendingFacts;
      readonly seenBy: readonly string[];
    }
  | {
      readonly kind: 'evm-counted';
      readonly chainId: bigint;
      readonly count: EvmPendingCount;
      readonly seenBy: readonly string[];
    }
  | {
      readonly kind: 'evm-evicted';
      readonly chainId: bigint;
      readonly hash: Hash32;
      readonly seenBy: readonly string[];
    }
  /**
   * A piece of the past of a wallet that is due (`evmPastsDue`): blocks `from` to `to`, all of which are settled. `facts`: of
   * those blocks that touch it, in order. `before`: the account in the block before `from`; null: no state is known there.
   * `stateMissingBefore`: no state is known of the blocks of the piece before this one; null: of all of them one is.
   */
  | {
      readonly kind: 'evm-past';
      readonly wallet: string;
      readonly from: number;
      readonly to: number;
      readonly before: EvmAccountFacts['state'];
      readonly facts: readonly EvmBlockFacts[];
      readonly stateMissingBefore: number | null;
      readonly seenBy: readonly string[];
    };
