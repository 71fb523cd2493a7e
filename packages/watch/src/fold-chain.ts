import { toHex } from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import type { BlockRef } from './chain-input.ts';
import type { TxAt } from './event.ts';
import { settle } from './fold-settle.ts';
import { noteUse, requestScan } from './growth.ts';
import { hadPart, losersOf, receiversOf, watchersOf } from './settled.ts';
import {
  hasReceived,
  outpointKey,
  type Coin,
  type TxFact,
  type TxPart,
  type TxRecord,
  type WatchState,
} from './state.ts';
import { medianBefore, passTimers, scheduleCoin } from './timelock.ts';

/** So deep a spend is no more compared with others of its coins: see `TxRecord.money`. */
const MONEY_DEPTH = 6;
/** More often than any transaction leaves a block or comes back. */
const RETURNED = 1_000;

export function foldBlock(state: WatchState, block: BlockRef, atMs: number): void {
  const { tip } = state;
  if (state.bestHeight < 0) {
    for (const [id, record] of state.wallets.entries()) {
      const sinceHeight = record.wallet.birthdaySeconds === null ? block.height : null;
      state.wallets.set(id, { ...record, addedHeight: block.height - 1, sinceHeight });
      // Sources may have looked through it already, before they knew of the wallet.
      if (sinceHeight !== null) requestScan(state, id, sinceHeight);
    }
  }
  if (tip !== null && block.height > tip.height + 1) {
    // Blocks in between were not told: every wallet may have missed something.
    for (const id of state.wallets.keys()) requestScan(state, id, tip.height + 1);
  }
  // Who waits for scripts may have missed something in this block.
  for (const id of state.scriptsDue.keys()) {
    const record = state.wallets.get(id)!;
    const growthFrom = Math.min(record.growthFrom ?? block.height, block.height);
    if (growthFrom !== record.growthFrom) state.wallets.set(id, { ...record, growthFrom });
  }
  forgetMoney(state, state.bestHeight, block.height);
  state.tip = block;
  state.tipAtMs = atMs;
  state.aliveMs = Math.max(state.aliveMs, atMs);
  state.lowestHeight = state.bestHeight < 0 ? block.height : Math.min(state.lowestHeight, block.height);
  state.bestHeight = Math.max(state.bestHeight, block.height);
  state.blocks.set(block.height, block);
  passTimers(state, block);
  settle(state, block);
  const settledHeight = block.height - state.settings.keptBlocks;
  for (const [hash, held] of state.held.entries()) {
    if (hash === block.hash || held.block.height <= settledHeight) state.held.delete(hash);
  }
}

export function foldBlockBack(state: WatchState, block: BlockRef, to: BlockRef | null, atMs: number): void {
  const txids = state.blockTxs.get(block.hash) ?? [];
  if (state.blocks.get(block.height)?.hash === block.hash) state.blocks.delete(block.height);
  state.blockTxs.delete(block.hash);
  state.tip = to;
  state.aliveMs = Math.max(state.aliveMs, atMs);
  // What comes in its place came after the wallet: news, and to be looked for.
  const base = to?.height ?? block.height - 1;
  for (const [id, record] of state.wallets.entries()) {
    const { addedHeight, sinceHeight } = record;
    if (addedHeight === null || addedHeight <= base) continue;
    if (sinceHeight === null || sinceHeight <= base + 1) {
      state.wallets.set(id, { ...record, addedHeight: base });
      continue;
    }
    state.wallets.set(id, { ...record, addedHeight: base, sinceHeight: base + 1 });
    // Sources may have looked through that already, before they knew of the wallet, and it waits to be told.
    requestScan(state, id, base + 1);
  }
  // Deeper than all that is kept: what comes in place of it can be taken back as well.
  state.settledHeight = Math.min(state.settledHeight, base);
  for (const txid of txids) {
    const record = state.txs.get(txid)!;
    count(state, record, -1);
    for (const vout of voutsOf(record)) countUse(state, state.coins.get(outpointKey({ txid, vout })), -1);
    // A coinbase can stand in its own block only.
    const status = record.coinbase
      ? ({ kind: 'gone', by: null, height: state.bestHeight } as const)
      : ({ kind: 'unconfirmed', grade: 'valid' } as const);
    if (record.coinbase) noteGone(state, txid);
    else state.unconfirmed.set(txid, atMs);
    const parts = record.parts.map((part) => ({ ...part, silent: false, told: [] }));
    state.txs.set(txid, { ...record, status, round: record.round + 1, parts });
    for (const key of spentOf(record)) scheduleCoin(state, key);
  }
}

/** `at`: unconfirmed of a grade, or in a block of the chain. */
export function foldTx(state: WatchState, fact: TxFact, at: TxAt): void {
  const { txid } = fact;
  const known = state.txs.get(txid);
  if (known?.status.kind === 'confirmed') count(state, known, -1);
  const before = new Set(known?.status.kind === 'confirmed' ? voutsOf(known) : []);
  const returns = (known?.returns ?? 0) + (known?.status.kind === 'gone' ? 1 : 0);
  const height = 'block' in at ? at.block.height : null;
  const parts = new Map(known?.parts.map((part) => [part.wallet, part]));
  // What was told of it before it was settled is not known any more: what is told of it now has other numbers.
  const wasSettled = !known && concernedBy(state, fact).some((wallet) => hadPart(state, wallet, txid));
  const first = wasSettled ? RETURNED + ++state.counter : 0;
  const partOf = (wallet: string): TxPart =>
    parts.get(wallet) ?? { wallet, vouts: [], spent: [], silent: false, told: [], sightings: first };

  for (const { vout, script, sats } of fact.received) {
    const places = receiversOf(state, txid, vout, script);
    if (places.length === 0) continue;
    for (const place of places) {
      const part = partOf(place.wallet);
      if (!part.vouts.includes(vout)) parts.set(place.wallet, { ...part, vouts: [...part.vouts, vout].sort(byNumber) });
      noteUse(state, place, height ?? state.bestHeight);
    }
    addCoin(state, { txid, vout }, sats, script, [...new Set(places.map(({ wallet }) => wallet))]);
  }
  for (const outpoint of fact.spent) {
    const key = outpointKey(outpoint);
    const coin = state.coins.get(key);
    const losers = losersOf(state, key, txid);
    if (!coin || losers.length === 0) continue;
    if (!coin.spenders.includes(txid)) state.coins.set(key, { ...coin, spenders: [...coin.spenders, txid] });
    for (const wallet of losers) {
      const part = partOf(wallet);
      if (!part.spent.includes(key)) parts.set(wallet, { ...part, spent: [...part.spent, key] });
    }
  }
  const byId = watchersOf(state, txid);
  for (const wallet of byId) parts.set(wallet, partOf(wallet));
  const settled = [...parts.values()].map((part) => {
    // What was known of it before is news wherever it goes.
    const isNew = !known?.parts.some(({ wallet }) => wallet === part.wallet);
    const isOld = isNew && height !== null && height <= addedHeight(state, part.wallet) && !byId.includes(part.wallet);
    return isOld ? { ...part, silent: true } : part;
  });
  const status =
    'block' in at
      ? ({ kind: 'confirmed', block: at.block, medianSeconds: medianBefore(state, at.block) } as const)
      : ({ kind: 'unconfirmed', grade: at.grade } as const);
  const { coinbase, outputs } = fact;
  const round = known?.round ?? first;
  const money = fact.money ?? known?.money;
  // What is only claimed costs its maker nothing: nothing is compared with it, and no room is given to it.
  const isProven = known?.money !== undefined || !('grade' in at) || at.grade !== 'claimed';
  const isKept = height === null ? isProven : height > state.bestHeight - MONEY_DEPTH + 1;
  const kept = money && isKept ? { money } : {};
  const record: TxRecord = { txid, coinbase, outputs, status, round, returns, parts: settled, ...kept };
  state.txs.set(txid, record);
  if (!('block' in at)) {
    state.unconfirmed.set(txid, 0);
    return;
  }
  state.unconfirmed.delete(txid);
  count(state, record, 1);
  for (const vout of voutsOf(record)) {
    const key = outpointKey({ txid, vout });
    if (before.has(vout)) continue;
    countUse(state, state.coins.get(key), 1);
    scheduleCoin(state, key);
  }
  if (at.block.height <= state.settledHeight) {
    state.settling.set(txid, true);
    return;
  }
  const inBlock = state.blockTxs.get(at.block.hash) ?? [];
  if (!inBlock.includes(txid)) state.blockTxs.set(at.block.hash, [...inBlock, txid]);
  if (!state.blocks.has(at.block.height)) state.blocks.set(at.block.height, at.block);
}

/** Of what gets that deep as the greatest height rises; what is put into a block below has none from the start. */
function forgetMoney(state: WatchState, from: number, to: number): void {
  for (let height = from - MONEY_DEPTH + 2; height <= Math.min(from, to - MONEY_DEPTH + 1); height++) {
    const block = state.blocks.get(height);
    for (const txid of (block && state.blockTxs.get(block.hash)) ?? []) {
      const { money, ...rest } = state.txs.get(txid)!;
      if (money) state.txs.set(txid, rest);
    }
  }
}

/** To whom a transaction says something that is not settled. */
function concernedBy(state: WatchState, { txid, received, spent }: TxFact): readonly string[] {
  const paid = received.flatMap(({ vout, script }) => receiversOf(state, txid, vout, script));
  const lost = spent.flatMap((outpoint) => losersOf(state, outpointKey(outpoint), txid));
  return [...paid.map(({ wallet }) => wallet), ...lost, ...watchersOf(state, txid)];
}

export function foldTxGone(state: WatchState, txid: Txid, by: Txid | null): void {
  const record = state.txs.get(txid);
  if (!record) return;
  state.unconfirmed.delete(txid);
  state.txs.set(txid, { ...record, status: { kind: 'gone', by, height: state.bestHeight } });
  noteGone(state, txid);
}

function noteGone(state: WatchState, txid: Txid): void {
  const others = state.goneAt.get(state.bestHeight) ?? [];
  if (!others.includes(txid)) state.goneAt.set(state.bestHeight, [...others, txid]);
}

function addCoin(state: WatchState, at: Pick<Coin, 'txid' | 'vout'>, sats: bigint, script: Uint8Array, of: string[]) {
  const key = outpointKey(at);
  const known = state.coins.get(key);
  const wallets = [...new Set([...(known?.wallets ?? []), ...of])];
  if (known?.sats === sats && wallets.length === known.wallets.length) return;
  const { spenders = [], conflicts = [], settled = null } = known ?? {};
  state.coins.set(key, {
    txid: at.txid,
    vout: at.vout,
    sats,
    script: Uint8Array.from(script),
    wallets,
    spenders,
    conflicts,
    settled,
  });
}

/** Adds what a transaction does to the confirmed balances of its wallets, or takes it away. */
function count(state: WatchState, record: TxRecord, sign: 1 | -1): void {
  for (const part of record.parts) {
    const wallet = state.wallets.get(part.wallet);
    if (!wallet) continue;
    let sats = 0n;
    for (const vout of part.vouts) sats += state.coins.get(outpointKey({ txid: record.txid, vout }))?.sats ?? 0n;
    for (const key of part.spent) {
      const coin = state.coins.get(key);
      // A coin that is watched by itself was never counted as the wallet's.
      if (hasReceived(state, part.wallet, coin!)) sats -= coin!.sats ?? 0n;
    }
    const confirmedSats = wallet.confirmedSats + (sign === 1 ? sats : -sats);
    state.wallets.set(part.wallet, { ...wallet, confirmedSats });
    state.unsettled.set(part.wallet, true);
  }
}

export function countUse(state: WatchState, coin: Coin | undefined, change: 1 | -1): void {
  if (!coin?.script) return;
  const key = toHex(coin.script);
  const uses = (state.uses.get(key) ?? 0) + change;
  if (uses > 0) state.uses.set(key, uses);
  else state.uses.delete(key);
}

export const voutsOf = (record: Pick<TxRecord, 'parts'>): ReadonlySet<number> =>
  new Set(record.parts.flatMap(({ vouts }) => vouts));
const spentOf = (record: TxRecord): ReadonlySet<string> => new Set(record.parts.flatMap(({ spent }) => spent));
const byNumber = (a: number, b: number) => a - b;

function addedHeight(state: WatchState, wallet: string): number {
  return state.wallets.get(wallet)?.addedHeight ?? -1;
}
