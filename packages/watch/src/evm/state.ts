import type { Address } from '@keepwatch/evm';
import { layered, type Layer } from '../layer.ts';
import type { EvmAllowance, EvmCode } from './facts.ts';
import type { EvmBlockRef, EvmSpend } from './spend.ts';
import type { EvmChain, EvmWallet } from './wallet.ts';

/** What the watch knows of EVM accounts: the fold of its events. Records are replaced and never changed. */
export interface EvmState {
  /** By chain id in decimal. */
  readonly chains: Layer<string, EvmChainRecord>;
  /** By wallet id. */
  readonly wallets: Layer<string, EvmWalletRecord>;
  /** The last blocks of each chain, by `blockKey`. */
  readonly blocks: Layer<string, EvmBlockRecord>;
  /** Ways in which value left, by id, while their block can be taken back. */
  readonly spends: Layer<string, EvmSpend>;
  /** How often a block was taken back, by chain and hash: what is told of it again has other ids. */
  readonly returned: Layer<string, { readonly number: number; readonly times: number }>;
  /** How often a wallet of this id was taken out. */
  readonly dropped: Layer<string, number>;
  /** When the monitor was last started (ms since 1970). */
  startedMs: number;
}

export interface EvmChainRecord {
  readonly chain: EvmChain;
  readonly tip: EvmBlockRef | null;
  /** Blocks up to this number are final; −1: none is known to be. */
  readonly finalized: number;
  /** The lowest block that is kept. */
  readonly lowest: number;
}

export interface EvmWalletRecord {
  readonly wallet: EvmWallet;
  /** Null: not looked at yet. */
  readonly account: EvmAccountRecord | null;
  /** The block in which it was looked at first: what happened up to it is its past. Null: not looked at yet. */
  readonly since: number | null;
  /** Null: its past is not read. */
  readonly past: EvmPastRecord | null;
}

/** How far the past of a wallet is read. */
export interface EvmPastRecord {
  /** The first block of it, and the first that is not read yet; null: the birthday is a time, and no block is known for it. */
  readonly from: number | null;
  readonly next: number | null;
  /** The account as it was before `next`; null: no state of it is known. */
  readonly account: EvmAccountRecord | null;
  /** What others may take, as far as blocks that were read said so; of its end it is not known how much of it was used. */
  readonly allowances: readonly EvmAllowance[];
  /** How much was found. */
  readonly entries: number;
  /** Of blocks before this one the upstreams no longer have the state; null: of none that was read. */
  readonly stateMissingBefore: number | null;
}

/** An account at a block. */
export interface EvmAccountRecord {
  /** The first block at which its state could not be read, while it cannot. */
  readonly unreadSince: number | null;
  readonly balance: bigint;
  readonly nonce: bigint;
  readonly code: EvmCode;
  readonly implementation: Address | null;
  /** What transactions that were seen since it was read explain: of the balance, and of the nonce. */
  readonly explained: bigint;
  readonly ownTransactions: bigint;
  readonly tokens: readonly { readonly token: Address; readonly balance: bigint }[];
  /** Those above zero. */
  readonly allowances: readonly EvmAllowance[];
  /** Limits that the balance has passed, as `above/0x…` or `below/` of the chain's own coin. */
  readonly passed: readonly string[];
}

export interface EvmBlockRecord {
  readonly block: EvmBlockRef;
  readonly parts: readonly EvmBlockPart[];
}

/** A block as one wallet sees it: what it was before, what was told of it, and what left in it. */
export interface EvmBlockPart {
  readonly wallet: string;
  readonly before: EvmAccountRecord | null;
  readonly told: readonly string[];
  readonly spends: readonly string[];
}

export function createEvmState(): EvmState {
  return {
    ...{ chains: new Map(), wallets: new Map(), blocks: new Map(), spends: new Map(), returned: new Map() },
    ...{ dropped: new Map(), startedMs: 0 },
  };
}

/** The state with a layer above it that takes all changes. */
export function evmDraftOf(state: EvmState): EvmState {
  return {
    ...{ chains: layered(state.chains), wallets: layered(state.wallets), blocks: layered(state.blocks) },
    ...{ spends: layered(state.spends), returned: layered(state.returned), dropped: layered(state.dropped) },
    startedMs: state.startedMs,
  };
}

export function blockKey(chainId: bigint, number: number | string): string {
  return `${chainId}/${number}`;
}
