import type { Suffices } from '../quorum/step.ts';
import type { FoundTx, WalletScanState } from './state.ts';

/** A transaction of the wallet with the sources that found it in the same block, and those that did not. */
export interface ComparedTx {
  readonly tx: FoundTx;
  readonly seenBy: readonly string[];
  readonly others: readonly string[];
}

export interface ComparedScans {
  /** What a set of sources that suffices agrees on, in the order of the chain. */
  readonly found: readonly FoundTx[];
  /** Everything on which the sources differ, whether it counts or not. */
  readonly disputed: readonly ComparedTx[];
  /** Up to, and not including, this height all of them have looked. */
  readonly next: number;
}

/**
 * What several sources found, side by side, up to the height that all of them have reached: what lies above it is compared
 * the next time. Pure.
 */
export function compareScans(scans: ReadonlyMap<string, WalletScanState>, suffices: Suffices): ComparedScans {
  const next = Math.min(...[...scans.values()].map((state) => state.next));
  const byKey = new Map<string, { tx: FoundTx; seenBy: string[] }>();
  for (const [name, { found }] of scans) {
    for (const tx of found.filter(({ block }) => block.height < next)) {
      const key = JSON.stringify([tx.block.hash, tx.txid, tx.received.map(({ vout }) => vout), tx.spent]);
      const known = byKey.get(key);
      if (known) known.seenBy.push(name);
      else byKey.set(key, { tx, seenBy: [name] });
    }
  }
  const names = [...scans.keys()];
  const all = [...byKey.values()].sort((a, b) => a.tx.block.height - b.tx.block.height);
  return {
    next,
    found: all
      .filter(({ seenBy }) => suffices.some((set) => set.every((name) => seenBy.includes(name))))
      .map(({ tx }) => tx),
    disputed: all
      .filter(({ seenBy }) => seenBy.length < names.length)
      .map(({ tx, seenBy }) => ({ tx, seenBy, others: names.filter((name) => !seenBy.includes(name)) })),
  };
}
