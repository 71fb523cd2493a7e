import type { Cursor, WatchedOutpoint, WatchSet } from '@keepwatch/chain';
import { cursorBlocks, watchedCoins, watchedScripts, type WatchState } from '@keepwatch/watch';
import type { Recorded } from '../engine/engine.ts';

/** What the sources have to look for, kept in step with what the watch knows. */

/** At a start: everything. */
export function watchAll(state: WatchState, set: WatchSet): void {
  set.addScripts(watchedScripts(state));
  set.addOutpoints(outpointsOf(state));
}

/** Coins that can still be spent: of all wallets, or of some. */
export function* outpointsOf(state: WatchState, wallets?: ReadonlySet<string>): Generator<WatchedOutpoint> {
  for (const { txid, vout, script, sats } of watchedCoins(state, wallets)) {
    yield { txid, vout, ...(script && sats !== null ? { output: { script, sats } } : {}) };
  }
}

/**
 * After an append: what it added. What a removed wallet had stays with the sources until the next start: the watch takes no
 * notice of it, and another wallet may share it.
 */
export function watchMore(events: readonly Recorded[], set: WatchSet): void {
  for (const { room, event } of events) {
    if (room !== 'watch') continue;
    if (event.kind === 'scripts-added') set.addScripts(scriptsOf(event.range));
    if (event.kind === 'wallet-put') {
      const { outpoints, txids } = event.wallet;
      set.addOutpoints([...outpoints, ...txids.flatMap(({ inputs }) => inputs)]);
      set.addScripts(txids.flatMap(({ scripts }) => scripts));
    }
    if (event.kind === 'tx') {
      const { txid, received } = event.tx;
      set.addOutpoints(received.map(({ vout, script, sats }) => ({ txid, vout, output: { script, sats } })));
    }
  }
}

interface Range {
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array;
}

function* scriptsOf({ lengths, bytes }: Range): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length;) {
    for (const length of lengths) {
      yield bytes.subarray(at, at + length);
      at += length;
    }
  }
}

/** Where the sources go on: the last blocks that are durable, the newest first. Null: no block was told yet. */
export function cursorOf(state: WatchState): Cursor | null {
  const blocks = cursorBlocks(state);
  return blocks.length > 0 ? { blocks } : null;
}
