import { toHex } from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import type { BlockRef } from './chain-input.ts';
import { withKeys, type Key } from './key-set.ts';
import { NO_OUTPUT, NOTHING_SETTLED, partKey, scriptKey, WENT } from './settled.ts';
import { outpointKey, outpointOf, type Coin, type TxRecord, type WatchState } from './state.ts';
import { unscheduleCoin } from './timelock.ts';

/**
 * Takes out of the state what nothing can happen to any more, so that it is as large as what is alive and not as the past:
 *
 * - A transaction in a block that is never taken back, once each of its coins is spent by another such transaction and none
 *   of its wallets waits for scripts or for a scan (which may show more of it).
 * - A transaction that went: once a coin that it spends is spent for good by another one, or so many blocks later as a block
 *   can be taken back (two weeks by default: as long as nodes keep what is unconfirmed). Not while a block spends what it made.
 * - A coin that is spent for good, with the last of the transactions that create or spend it.
 *
 * What is left of them is in `settled`. It is part of the fold of a block: no event says so.
 */
export function settle(state: WatchState, block: BlockRef): void {
  const height = block.height - state.settings.keptBlocks;
  const candidates = new Set<Txid>(passBlocks(state, height));
  for (const txid of state.settling.keys()) {
    candidates.add(txid);
    state.settling.delete(txid);
  }
  for (const txid of sweep(state)) candidates.add(txid);
  if (candidates.size > 0) settleAll(state, candidates);
}

/** Blocks up to this height are passed: what was in them, and what went by then. */
function* passBlocks(state: WatchState, height: number): Generator<Txid> {
  // Behind a reorganisation that was deeper than all that is kept, heights are passed once more.
  const from = Math.min(state.settledHeight + 1, height);
  state.settledHeight = Math.max(state.settledHeight, height);
  for (const each of passed(state.blocks, from, height)) {
    const { hash } = state.blocks.get(each)!;
    yield* state.blockTxs.get(hash) ?? [];
    state.blockTxs.delete(hash);
    state.blocks.delete(each);
  }
  for (const each of passed(state.goneAt, from, height)) {
    yield* state.goneAt.get(each)!;
    state.goneAt.delete(each);
  }
}

/** Keys from one up to another. Mostly it is a single one; at the first block, and behind a gap, it is all below. */
function passed(layer: WatchState['blocks'] | WatchState['goneAt'], from: number, to: number): readonly number[] {
  if (from === to) return layer.has(to) ? [to] : [];
  return [...layer.keys()].filter((each) => each >= from && each <= to).sort((a, b) => a - b);
}

function isQuiet(state: WatchState, wallet: string): boolean {
  return !state.scriptsDue.has(wallet) && !state.scansDue.has(wallet);
}

/** What had to wait for wallets that now wait for nothing. */
function* sweep(state: WatchState): Generator<Txid> {
  const quiet = new Set([...state.unswept.keys()].filter((wallet) => isQuiet(state, wallet)));
  if (quiet.size === 0) return;
  for (const wallet of quiet) state.unswept.delete(wallet);
  for (const record of [...state.txs.values()]) {
    if (isSettled(state, record) && record.parts.some(({ wallet }) => quiet.has(wallet))) yield record.txid;
  }
}

function isSettled(state: WatchState, { status }: TxRecord): boolean {
  return status.kind === 'confirmed' && status.block.height <= state.settledHeight;
}

interface Harvest {
  readonly parts: Key[];
  readonly scripts: Key[];
}

function settleAll(state: WatchState, candidates: ReadonlySet<Txid>): void {
  const due = new Set(candidates);
  for (const txid of candidates) {
    const record = state.txs.get(txid);
    if (!record || !isSettled(state, record)) continue;
    for (const key of spentOf(record)) {
      const coin = state.coins.get(key)!;
      if (coin.settled === null) {
        unscheduleCoin(state, key);
        state.coins.set(key, { ...coin, settled: { by: txid, told: [] } });
      }
      due.add(coin.txid);
      for (const rival of coin.spenders) due.add(rival);
    }
  }
  const harvest = new Map<string, Harvest>();
  const queue = [...due];
  for (let txid = queue.pop(); txid !== undefined; txid = queue.pop()) {
    const record = state.txs.get(txid);
    if (!record) continue;
    if (isDone(state, record)) forget(state, record, harvest);
    else if (isLost(state, record)) {
      forgetGone(state, record, harvest);
      // What went as well, and was kept because this one spends it.
      queue.push(...[...spentOf(record)].map((key) => outpointOf(key).txid));
    }
  }
  for (const [wallet, { parts, scripts }] of harvest) {
    const known = state.settled.get(wallet) ?? NOTHING_SETTLED;
    state.settled.set(wallet, { parts: withKeys(known.parts, parts), scripts: withKeys(known.scripts, scripts) });
  }
}

function isDone(state: WatchState, record: TxRecord): boolean {
  if (!isSettled(state, record)) return false;
  if (coinsOf(state, record).some(({ settled }) => settled === null)) return false;
  if (record.parts.every(({ wallet }) => isQuiet(state, wallet))) return true;
  for (const { wallet } of record.parts) state.unswept.set(wallet, true);
  return false;
}

function isLost(state: WatchState, record: TxRecord): boolean {
  const { status, txid } = record;
  if (status.kind !== 'gone') return false;
  const cannotReturn = [...spentOf(record)].some((key) => {
    const settled = state.coins.get(key)?.settled ?? null;
    return settled !== null && settled.by !== txid;
  });
  if (!cannotReturn && status.height > state.settledHeight) return false;
  // What a block spends for good is in a block too, whatever sources say: it is told in the end, and its spend was told already.
  return coinsOf(state, record).every(
    ({ settled, spenders }) => settled === null && spenders.every((each) => !state.txs.has(each)),
  );
}

function forget(state: WatchState, record: TxRecord, harvest: Map<string, Harvest>): void {
  const { txid, parts } = record;
  for (const { wallet, vouts } of parts) {
    reap(harvest, wallet).parts.push(...(vouts.length > 0 ? vouts : [NO_OUTPUT]).map((vout) => partKey(txid, vout)));
  }
  for (const { wallets, script } of coinsOf(state, record)) {
    const hex = toHex(script!);
    for (const place of state.scripts.find(script!)) {
      if (wallets.includes(place.wallet)) reap(harvest, place.wallet).scripts.push(scriptKey(place));
    }
    const uses = (state.uses.get(hex) ?? 0) - 1;
    if (uses > 0) state.uses.set(hex, uses);
    else state.uses.delete(hex);
  }
  state.txs.delete(txid);
  for (const key of spentOf(record)) {
    const coin = state.coins.get(key)!;
    const losers = parts.filter(({ spent }) => spent.includes(key)).map(({ wallet }) => wallet);
    if (coin.settled?.by !== txid) continue;
    const told = [...new Set([...coin.settled.told, ...losers])];
    state.coins.set(key, { ...coin, settled: { by: txid, told } });
    dropCoin(state, key);
  }
  for (const coin of coinsOf(state, record)) dropCoin(state, outpointKey(coin));
}

function forgetGone(state: WatchState, record: TxRecord, harvest: Map<string, Harvest>): void {
  const { txid, parts } = record;
  for (const { wallet } of parts) reap(harvest, wallet).parts.push(partKey(txid, WENT));
  state.txs.delete(txid);
  for (const key of spentOf(record)) {
    const coin = state.coins.get(key)!;
    state.coins.set(key, { ...coin, spenders: coin.spenders.filter((each) => each !== txid) });
    dropCoin(state, key);
  }
  for (const coin of coinsOf(state, record)) {
    const itself = coin.wallets.some((wallet) => watchesItself(state, wallet, coin));
    if (!itself) state.coins.delete(outpointKey(coin));
  }
}

/** With the last transaction that knows of it. */
function dropCoin(state: WatchState, key: string): void {
  const coin = state.coins.get(key);
  if (!coin || coin.settled === null) return;
  if ([coin.txid, ...coin.spenders].every((txid) => !state.txs.has(txid))) state.coins.delete(key);
}

function watchesItself(state: WatchState, wallet: string, { txid, vout }: Coin): boolean {
  const { outpoints = [], txids = [] } = state.wallets.get(wallet)?.wallet ?? {};
  return [...outpoints, ...txids.flatMap(({ inputs }) => inputs)].some(
    (each) => each.txid === txid && each.vout === vout,
  );
}

function reap(harvest: Map<string, Harvest>, wallet: string): Harvest {
  const known = harvest.get(wallet) ?? { parts: [], scripts: [] };
  harvest.set(wallet, known);
  return known;
}

function coinsOf(state: WatchState, { txid, parts }: TxRecord): readonly Coin[] {
  return [...new Set(parts.flatMap(({ vouts }) => vouts))].map((vout) => state.coins.get(outpointKey({ txid, vout }))!);
}

const spentOf = ({ parts }: TxRecord): ReadonlySet<string> => new Set(parts.flatMap(({ spent }) => spent));
