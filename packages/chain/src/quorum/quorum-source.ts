import type { Txid } from '@keepwatch/bitcoin';
import type { BroadcastResult, ChainSource, Cursor, FeerateEstimate, WatchSet } from '../source.ts';
import { mergeBroadcasts, mergeFeerates } from './merge.ts';
import { runQuorum, type QuorumDeps } from './quorum.ts';
import type { QuorumConfig, QuorumEvent } from './step.ts';
import { fetchTransaction, type FetchedTransaction } from './transaction.ts';

/** Several sources side by side, used as one. Their events carry who saw them; scans are run and compared one by one. */
export interface Quorum {
  readonly sources: readonly ChainSource[];
  /** Of all sources at once. */
  readonly watch: WatchSet;
  events(from: Cursor | null, signal: AbortSignal): AsyncIterable<QuorumEvent>;
  /** By all sources at once: what one of them keeps back another one sends. */
  broadcast(transactions: readonly Uint8Array[]): Promise<BroadcastResult>;
  feerates(targets: readonly number[]): Promise<readonly FeerateEstimate[]>;
  /** By one source after another, checked: none has to be trusted. */
  transaction(txid: Txid, signal: AbortSignal): Promise<FetchedTransaction>;
  close(): Promise<void>;
}

export function createQuorum(deps: QuorumDeps, config: Omit<QuorumConfig, 'sources'>): Quorum {
  const { sources } = deps;
  const each = <A>(act: (watch: WatchSet, items: readonly A[]) => void) => {
    return (items: Iterable<A>) => {
      // An iterable may be one that gives its items once.
      const list = [...items];
      for (const { watch } of sources) act(watch, list);
    };
  };
  return {
    sources,
    watch: {
      addScripts: each((watch, scripts) => watch.addScripts(scripts)),
      removeScripts: each((watch, scripts) => watch.removeScripts(scripts)),
      addOutpoints: each((watch, outpoints) => watch.addOutpoints(outpoints)),
      removeOutpoints: each((watch, outpoints) => watch.removeOutpoints(outpoints)),
    },
    events: (from, signal) => runQuorum(deps, config, from, signal),
    async broadcast(transactions) {
      const sent = sources.map(async (source): Promise<[string, BroadcastResult]> => {
        const failed = (error: unknown): BroadcastResult => ({ kind: 'unknown', why: String(error) });
        return [source.name, await source.broadcast(transactions).catch(failed)];
      });
      return mergeBroadcasts(new Map(await Promise.all(sent)));
    },
    async feerates(targets) {
      return mergeFeerates(
        targets,
        await Promise.all(sources.map((source) => source.feerates(targets).catch(() => []))),
      );
    },
    transaction: (txid, signal) => fetchTransaction(sources, txid, signal),
    close: async () => void (await Promise.all(sources.map((source) => source.close()))),
  };
}
