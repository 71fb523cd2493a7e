import type { EvmWatched } from '../account.ts';
import type { EvmPendingCount, EvmPendingFacts, Hash32 } from '../facts.ts';
import type { PendingListener } from './look.ts';

export type EvmPendingEvent =
  /** An upstream shows a transaction that is in no block: `transaction.digest` says whether its bytes were checked. */
  | { readonly kind: 'sighted'; readonly transaction: EvmPendingFacts; readonly seenBy: readonly string[] }
  /** An upstream counts so many; it shows none of them. */
  | { readonly kind: 'counted'; readonly count: EvmPendingCount; readonly seenBy: readonly string[] }
  /** A transaction that was sighted is in no block, and enough upstreams do not have it any more. */
  | { readonly kind: 'evicted'; readonly hash: Hash32; readonly seenBy: readonly string[] };

export interface PendingBoardDeps {
  readonly watching: () => readonly EvmWatched[];
  /** So many upstreams have to have lost a transaction. */
  readonly enough: number;
  /** And for so long nobody may have shown it. */
  readonly graceMs: number;
  /** There is something to be told. */
  readonly changed: () => void;
}

/** What the upstreams of a chain show outside blocks, until it is told. Nothing of it outlives the process. */
export interface PendingBoard {
  listener(name: string): PendingListener;
  /** What is to be told now. `tip`: the last block that was told. */
  events(tip: number): Generator<EvmPendingEvent, void, undefined>;
  /** Upstreams that show what is made up. */
  forgers(): readonly string[];
}

/** Transactions that wait to be told: what is beyond is shown again, or told with its block. */
const MAX_OFFERS = 1_024;
/** What was told and is of no use to anybody is not told again at each round. */
const AGAIN_MS = 30_000;
/** So deep in the chain, a transaction that is still waited for was passed over. */
const PASSED_BLOCKS = 2;

interface Offer {
  readonly transaction: EvmPendingFacts;
  readonly seenBy: Set<string>;
}

interface Absence {
  seenMs: number;
  readonly gone: Set<string>;
}

export function createPendingBoard({ watching, enough, graceMs, changed }: PendingBoardDeps): PendingBoard {
  const offers = new Map<string, Offer>();
  const toldMs = new Map<string, number>();
  const counts = new Map<string, { readonly count: EvmPendingCount; readonly name: string }>();
  /** Accounts of which an upstream counts more than is in blocks. */
  const waiting = new Set<string>();
  const absences = new Map<Hash32, Absence>();
  const forging = new Set<string>();
  let passed: { readonly hash: Hash32; readonly number: number; readonly name: string }[] = [];

  function offer(name: string, transaction: EvmPendingFacts): void {
    const key = keyOf(transaction);
    absences.delete(transaction.hash);
    const known = offers.get(key);
    if (known) known.seenBy.add(name);
    else if (offers.size < MAX_OFFERS && !isTold(key)) {
      offers.set(key, { transaction, seenBy: new Set([name]) });
      changed();
    }
  }

  function isTold(key: string): boolean {
    const at = toldMs.get(key);
    return at !== undefined && performance.now() - at < AGAIN_MS;
  }

  function absent(hash: Hash32, name: string): void {
    const known = absences.get(hash) ?? { seenMs: performance.now(), gone: new Set<string>() };
    absences.set(hash, known);
    known.gone.add(name);
  }

  return {
    listener: (name) => ({
      transaction: (facts) => offer(name, facts),
      count(count) {
        const key = `${count.address}/${name}`;
        const waits = count.pending > count.nonce;
        // That nothing waits any more is said once.
        if (!waits && !waiting.has(key)) return;
        if (waits) waiting.add(key);
        else waiting.delete(key);
        counts.set(key, { count, name });
        changed();
      },
      standing(hash, standing) {
        if (standing.is === 'gone') absent(hash, name);
        else if (standing.is === 'there') absences.delete(hash);
        else passed = [...passed.slice(1 - MAX_OFFERS), { hash, number: standing.number, name }];
      },
      forging: (is) => void (is ? forging.add(name) : forging.delete(name)),
    }),

    *events(tip) {
      const now = performance.now();
      const all = watching();
      const awaited = new Map(all.flatMap(({ pending }) => pending.map((each) => [each.hash, each] as const)));
      for (const [key, at] of toldMs) if (now - at >= AGAIN_MS) toldMs.delete(key);
      for (const [key, { transaction, seenBy }] of [...offers]) {
        offers.delete(key);
        const known = awaited.get(transaction.hash);
        // What is known with as much proof is no news.
        if (known && (known.proven || transaction.digest === null)) continue;
        toldMs.set(key, now);
        yield { kind: 'sighted', transaction, seenBy: [...seenBy] };
      }
      for (const [key, { count, name }] of [...counts]) {
        counts.delete(key);
        yield { kind: 'counted', count, seenBy: [name] };
      }
      // In a block that was told, and nothing of it was what was waited for.
      for (const { hash, number, name } of passed.splice(0)) {
        if (number <= tip - PASSED_BLOCKS) absent(hash, name);
        else absences.delete(hash);
      }
      for (const [hash, { seenMs, gone }] of [...absences]) {
        if (awaited.has(hash) && (now - seenMs < graceMs || gone.size < enough)) continue;
        absences.delete(hash);
        if (awaited.has(hash)) yield { kind: 'evicted', hash, seenBy: [...gone] };
      }
    },
    forgers: () => [...forging],
  };
}

const keyOf = ({ hash, digest }: EvmPendingFacts) => `${hash}${digest === null ? '' : '/signed'}`;
