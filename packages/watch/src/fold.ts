import { assertNever } from '@keepwatch/base';
import type { WatchEvent } from './event.ts';
import type { Finding } from './finding.ts';
import { foldBlock, foldBlockBack, foldTx, foldTxGone } from './fold-chain.ts';
import { foldScanAsked, foldScanProgress, foldScripts, foldWallet, foldWalletDropped } from './fold-wallet.ts';
import { conflictKey, toldOf } from './id.ts';
import { outpointKey, type WatchState } from './state.ts';

/** Brings an event into the state: the only place where it changes. Events of one journal, in order, each once. */
export function applyWatchEvent(state: WatchState, event: WatchEvent): void {
  switch (event.kind) {
    case 'finding':
      return foldFinding(state, event.finding);
    case 'settings':
      state.settings = event.settings;
      return;
    case 'wallet-put':
      return foldWallet(state, event.wallet);
    case 'wallet-dropped':
      return foldWalletDropped(state, event.wallet);
    case 'scripts-added':
      return foldScripts(state, event.range, event.scanFrom);
    case 'scan-asked':
      return foldScanAsked(state, event.wallet, event.fromHeight);
    case 'scan-progress':
      return foldScanProgress(state, event);
    case 'block':
      return foldBlock(state, event.block, event.atMs);
    case 'block-back':
      return foldBlockBack(state, event.block, event.to, event.atMs);
    case 'tx':
      return foldTx(state, event.tx, event.at);
    case 'tx-seen':
      state.unconfirmed.set(event.txid, 0);
      return;
    case 'tx-gone':
      return foldTxGone(state, event.txid, event.by);
    case 'held':
      state.held.set(event.block.hash, { block: event.block, txs: event.txs });
      return;
    case 'conflict': {
      const key = outpointKey(event.outpoint);
      const coin = state.coins.get(key);
      if (coin) state.coins.set(key, { ...coin, conflicts: [...coin.conflicts, conflictKey(event.txid, event.other)] });
      return;
    }
    case 'settled':
      for (const { id, above, below } of event.wallets) {
        const record = state.wallets.get(id);
        const passed = record && ((above && !record.above) || (below && !record.below)) ? 1 : 0;
        if (record) state.wallets.set(id, { ...record, above, below, crossings: record.crossings + passed });
        state.unsettled.delete(id);
      }
      state.counter++;
      return;
    case 'source':
      state.sources.set(event.source, event.record);
      return;
    case 'condition':
      if (event.open) state.conditions.set(event.key, ++state.counter);
      else state.conditions.delete(event.key);
      return;
    case 'started':
      state.catchingUp = { fromHeight: state.tip?.height ?? null, sinceMs: event.atMs };
      state.startedMs = event.atMs;
      state.counter++;
      forgetSources(state, event.atMs);
      return alive(state, event.atMs);
    case 'caught-up':
      state.catchingUp = null;
      return;
    case 'alive':
      return alive(state, event.atMs);
    default:
      assertNever(event);
  }
}

/** What sources said before a start holds no longer: they have to say it again. */
function forgetSources(state: WatchState, atMs: number): void {
  for (const [name, record] of state.sources.entries()) {
    state.sources.set(name, { ...record, state: 'starting', words: '', sinceMs: atMs });
  }
  for (const [txid, sinceMs] of state.unconfirmed.entries()) if (sinceMs === 0) state.unconfirmed.set(txid, atMs);
}

function alive(state: WatchState, atMs: number): void {
  state.aliveMs = Math.max(state.aliveMs, atMs);
}

function foldFinding(state: WatchState, finding: Finding): void {
  const { detail, wallet, evidence } = finding;
  alive(state, finding.atMs);
  const record = evidence.txid === undefined ? undefined : state.txs.get(evidence.txid);
  if (!record || wallet === null) return;
  const told = toldOf(finding);
  if (told === undefined && detail.kind !== 'sighted') return;
  const parts = record.parts.map((part) => {
    if (part.wallet !== wallet) return part;
    return told === undefined ? { ...part, sightings: part.sightings + 1 } : { ...part, told: [...part.told, told] };
  });
  state.txs.set(record.txid, { ...record, parts });
}
