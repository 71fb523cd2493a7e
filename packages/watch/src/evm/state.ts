import type { Address } from '@keepwatch/evm';
import { layered, type Layer } from '../layer.ts';
import type { EvmAllowance, EvmCode } from './facts.ts';
import type { EvmGrade } from './detail.ts';
import type { EvmBlockRef, EvmSpend, Hash32 } from './spend.ts';
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
  /** What was seen outside blocks, by `pendingKey`, until its nonce is used up for good. */
  readonly pending: Layer<string, EvmPendingRecord>;
  /** How often a block was taken back, by chain and hash: what is told of it again has other ids. */
  readonly returned: Layer<string, { readonly number: number; readonly times: number }>;
  /** How often a wallet of this id was taken out. */
  readonly dropped: Layer<string, number>;
  /** When the monitor was last started (ms since 1970). */
  startedMs: number;
  /** How many transactions outside blocks were told: each has a number in its id. */
  sightings: number;
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
  /** What was told of transactions that an upstream counts and does not show; null: there are none. */
  readonly counted: EvmCounted | null;
}

/** `pending`: the nonce behind them. `number`: in the ids of what is told. */
export interface EvmCounted {
  readonly pending: bigint;
  readonly number: number;
}

/** A transaction outside blocks that concerns a wallet. */
export interface EvmPendingRecord {
  readonly wallet: string;
  readonly hash: Hash32;
  readonly from: Address;
  readonly nonce: bigint;
  readonly direction: 'received' | 'spent';
  readonly grade: EvmGrade;
  /** The finding that tells of it. */
  readonly told: string;
  /** Another one with its nonce that was seen after it: this one is not told again. Null: none was. */
  readonly replacedBy: Hash32 | null;
  /** The block in which its nonce was used up, by itself or by another one; null: none. */
  readonly block: EvmBlockRef | null;
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
    ...{ pending: new Map(), dropped: new Map(), startedMs: 0, sightings: 0 },
  };
}

/** The state with a layer above it that takes all changes. */
export function evmDraftOf(state: EvmState): EvmState {
  return {
    ...{ chains: layered(state.chains), wallets: layered(state.wallets), blocks: layered(state.blocks) },
    ...{ spends: layered(state.spends), returned: layered(state.returned), dropped: layered(state.dropped) },
    ...{ pending: layered(state.pending), startedMs: state.startedMs, sightings: state.sightings },
  };
}

export function blockKey(chainId: bigint, number: number | string): string {
  return `${chainId}/${number}`;
}

export const pendingKey = (wallet: string, hash: Hash32) => `${wallet}/${hash}`;
