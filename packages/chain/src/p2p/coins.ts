import {
  createScanner,
  layoutTransaction,
  toDisplay,
  type MatchedTx,
  type Scanner,
  type Transaction,
  type TransactionOutput,
} from '@keepwatch/bitcoin';
import type { Entropy } from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import type { SourceWatch, WatchedOutpoint } from '../source.ts';

/** What is watched, and what the coins among it hold, as far as that is known. */
export interface Coins {
  readonly watch: SourceWatch;
  readonly scanner: Scanner;
  /** All scripts that a filter must be asked for: the watched ones and those of watched coins. */
  filterScripts(): Iterable<Uint8Array>;
  /** Goes up whenever `filterScripts` changes. */
  readonly version: number;
  /** What a block holds is certain: its coins are watched and known from now on. */
  learn(match: MatchedTx): void;
  /** What each input spends, in order; `undefined` where that is not known here. */
  prevouts(transaction: Transaction): readonly (TransactionOutput | undefined)[];
}

const key = ({ txid, vout }: { readonly txid: string; readonly vout: number }) => `${txid}:${vout}`;

export function createCoins(entropy: Entropy, changed: () => void): Coins {
  const scanner = createScanner({ entropy });
  const known = new Map<string, TransactionOutput>();
  let version = 0;
  const after = <T>(act: (items: readonly T[]) => void) => {
    return (items: Iterable<T>) => {
      act([...items]);
      version++;
      changed();
    };
  };
  function add(outpoints: readonly WatchedOutpoint[]): void {
    // A filter holds scripts: only from now on can a block that spends the coin be found, so it counts as new.
    scanner.removeOutpoints(outpoints.filter((each) => each.output && !known.has(key(each))));
    scanner.addOutpoints(outpoints);
    for (const each of outpoints) if (each.output) known.set(key(each), each.output);
  }

  return {
    scanner,
    watch: {
      addScripts: after(scanner.addScripts),
      removeScripts: after(scanner.removeScripts),
      addOutpoints: after(add),
      removeOutpoints: after((outpoints: readonly WatchedOutpoint[]) => {
        scanner.removeOutpoints(outpoints);
        for (const each of outpoints) known.delete(key(each));
      }),
      mark: scanner.mark,
      covers: ({ received, spent }, mark) => {
        const found = spent.filter(({ outpoint }) => known.has(key(outpoint)));
        return scanner.covers({ received, spent: found }, mark);
      },
    },
    *filterScripts() {
      yield* scanner.scripts();
      for (const { script } of known.values()) if (!scanner.hasScript(script)) yield script;
    },
    get version() {
      return version;
    },
    learn({ txid, received }) {
      for (const { vout, script, sats } of received) known.set(key({ txid, vout }), { script, sats });
    },
    prevouts: ({ inputs }) =>
      inputs.map(({ previous, vout }) => known.get(key({ txid: toDisplay<Txid>(previous), vout }))),
  };
}

/** The one transaction that the bytes are, if it touches what is watched; `undefined` too where they are none. */
export function matchTransaction(scanner: Scanner, raw: Uint8Array): MatchedTx | undefined {
  const read = layoutTransaction(raw);
  return read.ok ? scanner.scanTransaction(read.value) : undefined;
}
