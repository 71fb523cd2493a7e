import type { BlockHash, Outpoint, Txid } from '@keepwatch/bitcoin';
import type { BlockRef, Grade } from './chain-input.ts';
import { layered, type Layer } from './layer.ts';
import { createScriptIndex, type ScriptIndex } from './script-index.ts';
import { DEFAULT_SETTINGS, type WatchSettings } from './settings.ts';
import type { Settled } from './settled.ts';
import type { WatchedWallet } from './wallet.ts';

/**
 * What the watch knows: the fold of its events. Records are never changed, only put in place of others, so that a step can
 * try things out on a layer above the state (`draftOf`) and leave the state itself alone.
 */
export interface WatchState {
  settings: WatchSettings;
  readonly scripts: ScriptIndex;
  readonly wallets: Layer<string, WalletRecord>;
  readonly txs: Layer<Txid, TxRecord>;
  /** By `outpointKey`. */
  readonly coins: Layer<string, Coin>;
  /** The chain's last blocks by height, and which of our transactions each holds. */
  readonly blocks: Layer<number, BlockRef>;
  readonly blockTxs: Layer<BlockHash, readonly Txid[]>;
  /**
   * Since when (ms since 1970) nobody was heard to have it: since a start, or since its block left the chain. 0: a source
   * sighted it, and says so when it is gone.
   */
  readonly unconfirmed: Layer<Txid, number>;
  /** How many outputs in blocks pay to a script (hex); those of settled transactions are in `settled`. */
  readonly uses: Layer<string, number>;
  /** Coins to look at when this height is connected: a path of theirs is about to open. */
  readonly timers: Layer<number, readonly string[]>;
  /** The same by median time past, in buckets of six hours since 1970. */
  readonly timeTimers: Layer<number, readonly string[]>;
  /** Wallets that watch a transaction by its id. */
  readonly byTxid: Layer<Txid, readonly string[]>;
  /** Found by a scan in blocks that were not told yet, or known of blocks that left the chain and may return. */
  readonly held: Layer<BlockHash, Held>;
  /** Wallets whose balance changed since it was last compared with their limits. */
  readonly unsettled: Layer<string, true>;
  /** Wallets that wait for scripts; those that wait for a scan. */
  readonly scriptsDue: Layer<string, true>;
  readonly scansDue: Layer<string, true>;
  /** What is wrong at present, by what it is: since when, and the number that its findings carry. */
  readonly conditions: Layer<string, number>;
  readonly sources: Layer<string, SourceRecord>;
  /** How often a wallet of this id was taken out: what is told of a later one has other ids. */
  readonly dropped: Layer<string, number>;
  /** By wallet: what is left of transactions to which nothing can happen any more. */
  readonly settled: Layer<string, Settled>;
  /** Blocks up to this height are not taken back; −1: none is so deep. */
  settledHeight: number;
  /** Transactions in blocks up to that height that were not looked at since: whether they can be dropped. */
  readonly settling: Layer<Txid, true>;
  /** Wallets that had to be waited for with that: theirs are looked at again once they wait for nothing. */
  readonly unswept: Layer<string, true>;
  /** What went while this was the greatest height. */
  readonly goneAt: Layer<number, readonly Txid[]>;
  /** Numbers for conditions, crossings of limits, starts and scans: each is given once. */
  counter: number;
  tip: BlockRef | null;
  /** The greatest height that the tip had; −1: no block was told yet. */
  bestHeight: number;
  /** The lowest height that was told; below it only scans know blocks. −1: none. */
  lowestHeight: number;
  /** When the tip was learnt, and when the monitor was last known to live (ms since 1970). */
  tipAtMs: number;
  aliveMs: number;
  startedMs: number;
  /** After a start: the height and the time at which it began, until the tip is reached. */
  catchingUp: { readonly fromHeight: number | null; readonly sinceMs: number } | null;
}

export interface WalletRecord {
  readonly wallet: WatchedWallet;
  /** What is at or below this height is the wallet's past, and no news. Null: no block was told yet. */
  readonly addedHeight: number | null;
  /** The first block that may hold something of it. Null: its birthday says so, or no block was told yet. */
  readonly sinceHeight: number | null;
  readonly confirmedSats: bigint;
  /** Of each descriptor and branch: indices that are watched, and the first behind the last used one. */
  readonly derived: readonly (readonly number[])[];
  readonly used: readonly (readonly number[])[];
  /** While scripts are due: the lowest height of a block that was looked through without them. */
  readonly growthFrom: number | null;
  /** What a scan has to look for, while one is due. */
  readonly scan: ScanRecord | null;
  /** How often its balance passed a limit, and whether it was last seen above or below one. */
  readonly crossings: number;
  readonly above: boolean;
  readonly below: boolean;
}

export interface ScanRecord {
  readonly scan: number;
  /** Null: from the birthday on. */
  readonly fromHeight: number | null;
  /** The wallet's whole past is looked through, and it is told when that is done. */
  readonly first: boolean;
  readonly transactions: number;
}

export type TxStatus =
  | { readonly kind: 'unconfirmed'; readonly grade: Exclude<Grade, 'confirmed'> }
  /** `medianSeconds`: the median time past (BIP113) of the block before, or the earliest that it may have been. */
  | { readonly kind: 'confirmed'; readonly block: BlockRef; readonly medianSeconds: number }
  /** Replaced or evicted; it may come back. `height`: the greatest that there was when it went. */
  | { readonly kind: 'gone'; readonly by: Txid | null; readonly height: number };

export interface TxRecord {
  readonly txid: Txid;
  readonly coinbase: boolean;
  /** How many outputs it has in all. */
  readonly outputs: number;
  readonly status: TxStatus;
  /** How often it left a block. What is told of it in a block has this number, whatever a source said of it before. */
  readonly round: number;
  /** How often it came back after it was gone. */
  readonly returns: number;
  readonly parts: readonly TxPart[];
  /**
   * Where the money goes, while another spend of the same coins may still be compared with it: of spends that were more than
   * claimed, until they are `MONEY_DEPTH` blocks deep. Absent: it is not known (any more).
   */
  readonly money?: Money;
}

/** How many inputs a transaction has, and what it pays to whom, from output 0 on. `to`: a digest of the script. */
export interface Money {
  readonly inputs: number;
  readonly pays: readonly { readonly to: string; readonly sats: bigint }[];
}

/** A transaction as one wallet sees it. */
export interface TxPart {
  readonly wallet: string;
  readonly vouts: readonly number[];
  readonly spent: readonly string[];
  /** In the wallet's past: what it does in its present block is no news. */
  readonly silent: boolean;
  /** What was told of it in its present block; and how often it was told unconfirmed. */
  readonly told: readonly string[];
  readonly sightings: number;
}

export interface Coin extends Outpoint {
  /** Null for a coin that is watched by itself and whose transaction was never seen. */
  readonly sats: bigint | null;
  readonly script: Uint8Array | null;
  readonly wallets: readonly string[];
  /** Transactions that spend it, whatever became of them. */
  readonly spenders: readonly Txid[];
  /** Others whose conflict with a spender was told, as `txid:txid`. */
  readonly conflicts: readonly string[];
  /** It is spent for good, by whom; and the wallets with which that spend is settled. */
  readonly settled: { readonly by: Txid; readonly told: readonly string[] } | null;
}

export interface Held {
  readonly block: BlockRef;
  readonly txs: readonly TxFact[];
}

/** What is kept of a transaction that a source reports. */
export interface TxFact {
  readonly txid: Txid;
  readonly coinbase: boolean;
  readonly outputs: number;
  readonly received: readonly { readonly vout: number; readonly script: Uint8Array; readonly sats: bigint }[];
  readonly spent: readonly Outpoint[];
  /** Of what spends a coin of ours. Absent where it is not known, as in all that was written before there was this word. */
  readonly money?: Money;
}

export interface SourceRecord {
  /** Whether it can say what its mempool does not hold. */
  readonly mempool: 'whole' | 'relayed';
  readonly state: 'starting' | 'syncing' | 'live' | 'stale' | 'behind' | 'down';
  readonly words: string;
  readonly sinceMs: number;
}

export function createWatchState(settings: WatchSettings = DEFAULT_SETTINGS): WatchState {
  return {
    ...{ settings, scripts: createScriptIndex(), wallets: new Map(), txs: new Map(), coins: new Map() },
    ...{ blocks: new Map(), blockTxs: new Map(), unconfirmed: new Map(), uses: new Map(), timers: new Map() },
    ...{ held: new Map(), unsettled: new Map(), scriptsDue: new Map(), scansDue: new Map(), conditions: new Map() },
    ...{
      sources: new Map(),
      dropped: new Map(),
      timeTimers: new Map(),
      byTxid: new Map(),
      settled: new Map(),
      settledHeight: -1,
      settling: new Map(),
      unswept: new Map(),
      goneAt: new Map(),
      counter: 0,
      tip: null,
      bestHeight: -1,
      lowestHeight: -1,
      tipAtMs: 0,
      aliveMs: 0,
      startedMs: 0,
    },
    catchingUp: null,
  };
}

/** The state with a layer above it that takes all changes. Scripts cannot be changed through it. */
export function draftOf(state: WatchState): WatchState {
  const { scripts } = state;
  return {
    ...state,
    scripts: {
      size: scripts.size,
      add: () => undefined,
      removeWallet: () => undefined,
      find: (script) => scripts.find(script),
      ranges: () => scripts.ranges(),
    },
    ...{ wallets: layered(state.wallets), txs: layered(state.txs), coins: layered(state.coins) },
    ...{ blocks: layered(state.blocks), blockTxs: layered(state.blockTxs), unconfirmed: layered(state.unconfirmed) },
    ...{ uses: layered(state.uses), timers: layered(state.timers), held: layered(state.held) },
    ...{ unsettled: layered(state.unsettled), scriptsDue: layered(state.scriptsDue) },
    ...{ scansDue: layered(state.scansDue), conditions: layered(state.conditions), sources: layered(state.sources) },
    ...{ dropped: layered(state.dropped), timeTimers: layered(state.timeTimers), byTxid: layered(state.byTxid) },
    ...{ settled: layered(state.settled), settling: layered(state.settling), unswept: layered(state.unswept) },
    goneAt: layered(state.goneAt),
  };
}

export function outpointKey({ txid, vout }: Outpoint): string {
  return `${txid}:${vout}`;
}

export function outpointOf(key: string): Outpoint {
  return { txid: key.slice(0, 64) as Txid, vout: Number(key.slice(65)) };
}

/** Whether the wallet was paid with this output, and does not only watch it. */
export function hasReceived({ txs }: WatchState, wallet: string, { txid, vout }: Outpoint): boolean {
  return txs.get(txid)?.parts.some((part) => part.wallet === wallet && part.vouts.includes(vout)) ?? false;
}
