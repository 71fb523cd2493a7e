import type { Txid } from '@keepwatch/bitcoin';
import type { BlockRef } from './chain-input.ts';
import { wantedOf, type WantedScripts } from './growth.ts';
import { outpointKey, type Coin, type TxStatus, type WatchState } from './state.ts';

/** Scripts to derive and to hand in as an input of kind `scripts`; `text` is the descriptor. */
export interface DueScripts extends WantedScripts {
  readonly wallet: string;
  readonly text: string;
}

/** What is to be derived next. It is a view of the state: after a restart the same is due again. */
export function dueScripts(state: WatchState): readonly DueScripts[] {
  return [...state.scriptsDue.keys()].flatMap((wallet) => {
    const record = state.wallets.get(wallet)!;
    return wantedOf(record).map((wanted) => {
      const { text } = record.wallet.descriptors[wanted.descriptor]!;
      return { ...wanted, wallet, text };
    });
  });
}

/**
 * A scan of past blocks that is to be run, with all scripts and coins of the wallet, and told as `history` with its number.
 * From a height on or, where that is null, from the wallet's birthday; up to the source's tip.
 */
export interface DueScan {
  readonly wallet: string;
  readonly scan: number;
  readonly fromHeight: number | null;
  readonly birthdaySeconds: number | null;
}

/**
 * Scans whose wallet has all the scripts that it needs at present. None before the first block is told: only at and above it
 * does what a scan found wait for its block, and what it found below would never be told.
 */
export function dueScans(state: WatchState): readonly DueScan[] {
  if (state.bestHeight < 0) return [];
  return [...state.scansDue.keys()].flatMap((id) => {
    const { scan, wallet } = state.wallets.get(id)!;
    if (scan === null || state.scriptsDue.has(id)) return [];
    return [{ wallet: id, scan: scan.scan, fromHeight: scan.fromHeight, birthdaySeconds: wallet.birthdaySeconds }];
  });
}

/** Every script that is watched, or those of some wallets: views into memory that is not to be changed. */
export function* watchedScripts(state: WatchState, wallets?: ReadonlySet<string>): Generator<Uint8Array> {
  for (const range of state.scripts.ranges()) {
    if (wallets && !wallets.has(range.wallet)) continue;
    for (let at = 0; at < range.bytes.length;) {
      for (const length of range.lengths) {
        yield range.bytes.subarray(at, at + length);
        at += length;
      }
    }
  }
  for (const id of wallets ?? state.wallets.keys()) {
    for (const { scripts } of state.wallets.get(id)?.wallet.txids ?? []) yield* scripts;
  }
}

export interface WatchedCoin {
  readonly txid: Txid;
  readonly vout: number;
  readonly sats: bigint | null;
  readonly script: Uint8Array | null;
  readonly wallets: readonly string[];
  /** Null: its transaction was never seen. */
  readonly status: TxStatus | null;
  readonly spentBy: readonly { readonly txid: Txid; readonly status: TxStatus }[];
}

/**
 * Coins for a source to watch: of all wallets, or of some. A coin that is spent in a block stays among them while that block
 * can be taken back: another transaction may spend it then. It stays among those of a wallet that does not know of the spend
 * yet, which a scan of its past is to find.
 */
export function* watchedCoins(state: WatchState, wallets?: ReadonlySet<string>): Generator<WatchedCoin> {
  for (const coin of state.coins.values()) {
    const isWanted = wallets
      ? coin.wallets.some((wallet) => wallets.has(wallet) && !isSpentForGood(state, coin, wallet))
      : !isSpentForGood(state, coin, undefined);
    if (isWanted) yield coinOf(state, coin);
  }
}

function isSpentForGood(state: WatchState, coin: Coin, wallet: string | undefined): boolean {
  if (coin.settled !== null && (wallet === undefined || coin.settled.told.includes(wallet))) return true;
  const settled = (state.tip?.height ?? state.bestHeight) - state.settings.keptBlocks;
  const key = outpointKey(coin);
  return coin.spenders.some((txid) => {
    const record = state.txs.get(txid);
    if (record?.status.kind !== 'confirmed' || record.status.block.height > settled) return false;
    return wallet === undefined || record.parts.some((part) => part.wallet === wallet && part.spent.includes(key));
  });
}

/** Coins of a wallet that no transaction in a block has spent. */
export function* unspentCoins(state: WatchState, wallet: string): Generator<WatchedCoin> {
  for (const coin of state.coins.values()) {
    if (coin.settled !== null || !coin.wallets.includes(wallet)) continue;
    const found = coinOf(state, coin);
    if (found.spentBy.every(({ status }) => status.kind !== 'confirmed')) yield found;
  }
}

function coinOf(state: WatchState, { txid, vout, sats, script, wallets, spenders }: Coin): WatchedCoin {
  const spentBy = spenders.flatMap((spender) => {
    const record = state.txs.get(spender);
    return record ? [{ txid: spender, status: record.status }] : [];
  });
  return { txid, vout, sats, script, wallets, status: state.txs.get(txid)?.status ?? null, spentBy };
}

/** In satoshis. `incoming` and `outgoing`: what transactions outside blocks would change, those that are only claimed left out. */
export interface WalletBalance {
  readonly confirmed: bigint;
  readonly incoming: bigint;
  readonly outgoing: bigint;
}

export function walletBalance(state: WatchState, wallet: string): WalletBalance | undefined {
  const record = state.wallets.get(wallet);
  if (!record) return undefined;
  let [incoming, outgoing] = [0n, 0n];
  for (const txid of state.unconfirmed.keys()) {
    const { status, parts } = state.txs.get(txid)!;
    const part = parts.find((each) => each.wallet === wallet);
    if (!part || status.kind !== 'unconfirmed' || status.grade === 'claimed') continue;
    for (const vout of part.vouts) incoming += state.coins.get(outpointKey({ txid, vout }))?.sats ?? 0n;
    for (const key of part.spent) outgoing += state.coins.get(key)?.sats ?? 0n;
  }
  return { confirmed: record.confirmedSats, incoming, outgoing };
}

const NEAR = 144;

/** The last blocks, newest first, for a source to go on from: each of the last 144, then every 144th. */
export function cursorBlocks(state: WatchState): readonly BlockRef[] {
  const { tip } = state;
  if (tip === null) return [];
  const blocks: BlockRef[] = [];
  for (let back = 0; back <= state.settings.keptBlocks; back += back < NEAR ? 1 : NEAR) {
    const block = back === 0 ? tip : state.blocks.get(tip.height - back);
    if (block && (back === 0 || block.height >= state.lowestHeight)) blocks.push(block);
  }
  return blocks;
}
