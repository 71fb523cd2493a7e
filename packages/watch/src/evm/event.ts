import type { Finding } from '../finding.ts';
import type { EvmBlockFacts } from './facts.ts';
import type { EvmBlockRef, EvmSpend } from './spend.ts';
import type { EvmAccountRecord } from './state.ts';
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
  | { readonly kind: 'evm-finalized'; readonly chainId: bigint; readonly number: number };

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
  | { readonly kind: 'evm-finality'; readonly chainId: bigint; readonly number: number };
