import type { WatchEvent } from './event.ts';
import { countUse, voutsOf } from './fold-chain.ts';
import { requestScan, wantedOf } from './growth.ts';
import type { ScriptRange } from './script-index.ts';
import { outpointKey, type WalletRecord, type WatchState } from './state.ts';
import { scheduleCoin } from './timelock.ts';
import type { WatchedWallet } from './wallet.ts';

export function foldWallet(state: WatchState, wallet: WatchedWallet): void {
  const known = state.wallets.get(wallet.id);
  const zeros = () => wallet.descriptors.map(({ branches }) => Array<number>(branches).fill(0));
  const addedHeight = state.bestHeight < 0 ? null : (state.tip?.height ?? state.bestHeight);
  const sinceHeight = addedHeight === null || wallet.birthdaySeconds !== null ? null : addedHeight + 1;
  const record: WalletRecord = known
    ? { ...known, wallet }
    : {
        ...{ wallet, addedHeight, sinceHeight },
        ...{ confirmedSats: 0n, derived: zeros(), used: zeros(), growthFrom: null, scan: null },
        ...{ crossings: 0, above: false, below: false },
      };
  state.wallets.set(wallet.id, record);
  state.unsettled.set(wallet.id, true);
  if (wantedOf(record).length > 0) state.scriptsDue.set(wallet.id, true);
  if (known && known.wallet.limits.timelockBlocks !== wallet.limits.timelockBlocks) {
    // Who was not to be warned had no timer, and who is to be warned earlier has one that is too late.
    for (const [key, coin] of state.coins.entries()) if (coin.wallets.includes(wallet.id)) scheduleCoin(state, key);
  }
  if (known) return;
  for (const { txid } of wallet.txids) state.byTxid.set(txid, [...(state.byTxid.get(txid) ?? []), wallet.id]);
  for (const outpoint of [...wallet.outpoints, ...wallet.txids.flatMap(({ inputs }) => inputs)]) {
    const key = outpointKey(outpoint);
    const { txid, vout } = outpoint;
    const coin = state.coins.get(key);
    const { wallets = [], sats = null, script = null, spenders = [], conflicts = [], settled = null } = coin ?? {};
    if (wallets.includes(wallet.id)) continue;
    state.coins.set(key, { txid, vout, sats, script, wallets: [...wallets, wallet.id], spenders, conflicts, settled });
  }
  // Sources may have looked through the next block already, before they knew of these.
  if (sinceHeight !== null && wallet.outpoints.length + wallet.txids.length > 0)
    requestScan(state, wallet.id, sinceHeight);
  if (wallet.birthdaySeconds !== null) {
    const scan = { scan: ++state.counter, fromHeight: null, first: true, transactions: 0 };
    state.wallets.set(wallet.id, { ...record, scan });
    state.scansDue.set(wallet.id, true);
  }
}

/** Takes a wallet out, and what was known for it alone. */
export function foldWalletDropped(state: WatchState, id: string): void {
  state.scripts.removeWallet(id);
  for (const { txid } of state.wallets.get(id)?.wallet.txids ?? []) {
    const others = state.byTxid.get(txid)!.filter((wallet) => wallet !== id);
    if (others.length > 0) state.byTxid.set(txid, others);
    else state.byTxid.delete(txid);
  }
  state.dropped.set(id, (state.dropped.get(id) ?? 0) + 1);
  for (const due of [state.wallets, state.unsettled, state.scriptsDue, state.scansDue]) due.delete(id);
  for (const left of [state.settled, state.unswept]) left.delete(id);
  const gone = new Set<string>();
  for (const [txid, record] of state.txs.entries()) {
    const parts = record.parts.filter(({ wallet }) => wallet !== id);
    if (parts.length === record.parts.length) continue;
    if (record.status.kind === 'confirmed') {
      // Another wallet may watch such a coin by itself: it stays, and is no use of an address any more.
      for (const vout of voutsOf(record).difference(voutsOf({ parts })))
        countUse(state, state.coins.get(outpointKey({ txid, vout })), -1);
    }
    if (parts.length > 0) state.txs.set(txid, { ...record, parts });
    else {
      state.txs.delete(txid);
      state.unconfirmed.delete(txid);
      gone.add(txid);
    }
  }
  for (const [key, coin] of state.coins.entries()) {
    if (!coin.wallets.includes(id)) continue;
    const wallets = coin.wallets.filter((wallet) => wallet !== id);
    if (wallets.length === 0) {
      state.coins.delete(key);
      continue;
    }
    // Added again, it has to learn anew who spent the coin.
    const { settled: done } = coin;
    const settled = done && { ...done, told: done.told.filter((wallet) => wallet !== id) };
    state.coins.set(key, { ...coin, wallets, settled });
  }
  if (gone.size === 0) return;
  for (const [hash, txids] of state.blockTxs.entries()) {
    const kept = txids.filter((txid) => !gone.has(txid));
    if (kept.length === 0) state.blockTxs.delete(hash);
    else if (kept.length < txids.length) state.blockTxs.set(hash, kept);
  }
}

export function foldScripts(state: WatchState, range: ScriptRange, scanFrom: number | null): void {
  const { wallet: id, descriptor, branch } = range;
  state.scripts.add(range);
  const record = state.wallets.get(id)!;
  const derived = record.derived.map((counts, d) =>
    d === descriptor ? counts.map((count, b) => (b === branch ? range.to : count)) : counts,
  );
  const changed = { ...record, derived };
  const satisfied = wantedOf(changed).length === 0;
  state.wallets.set(id, satisfied ? { ...changed, growthFrom: null } : changed);
  if (satisfied) state.scriptsDue.delete(id);
  // A scan that goes on does so without these scripts: it is asked for again.
  if (scanFrom !== null || record.scan !== null) requestScan(state, id, scanFrom ?? Infinity);
}

export function foldScanAsked(state: WatchState, wallet: string, fromHeight: number | null): void {
  const record = state.wallets.get(wallet);
  if (!record) return;
  const { sinceHeight, scan } = record;
  const since = fromHeight === null || sinceHeight === null ? null : Math.min(sinceHeight, fromHeight);
  const first = { scan: ++state.counter, fromHeight, first: true, transactions: scan?.transactions ?? 0 };
  state.wallets.set(wallet, { ...record, sinceHeight: since, scan: first });
  state.scansDue.set(wallet, true);
}

export function foldScanProgress(state: WatchState, event: Extract<WatchEvent, { kind: 'scan-progress' }>): void {
  const { wallet, toHeight, done, transactions } = event;
  const record = state.wallets.get(wallet)!;
  if (record.scan === null) return;
  const scan = {
    ...record.scan,
    fromHeight: toHeight === null ? record.scan.fromHeight : Math.max(record.scan.fromHeight ?? 0, toHeight + 1),
    transactions: record.scan.transactions + transactions,
  };
  state.wallets.set(wallet, { ...record, scan: done ? null : scan });
  if (done) state.scansDue.delete(wallet);
}
