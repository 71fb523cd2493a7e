import type { BlockHash, Txid } from '@keepwatch/bitcoin';
import type { ChainEvent, ChainSource, Cursor, WatchSet } from '@keepwatch/chain';
import { expect, vi } from 'vitest';

/** What sources and a quorum of several have in common. */
export type SourceUnderContract = Pick<ChainSource, 'broadcast' | 'feerates' | 'transaction' | 'close'> & {
  readonly watch: WatchSet;
  events(from: Cursor | null, signal: AbortSignal): AsyncIterable<ChainEvent>;
};

export const PATIENCE = { timeout: 90_000, interval: 50 };

/** Follows a source in the background and keeps what it says. */
export function follow<S extends SourceUnderContract>(
  source: S,
  from: Cursor | null = null,
  prepare: (source: S) => void = () => undefined,
) {
  prepare(source);
  const ending = new AbortController();
  const seen: ChainEvent[] = [];
  let failure: unknown;
  const done = (async () => {
    for await (const event of source.events(from, ending.signal)) seen.push(event);
  })().catch((error) => void (failure = error));
  const of = <K extends ChainEvent['kind']>(kind: K) =>
    seen.filter((event) => event.kind === kind) as Extract<ChainEvent, { kind: K }>[];
  const until = (what: (event: ChainEvent) => boolean) =>
    vi.waitFor(() => {
      if (failure !== undefined) throw failure;
      expect(seen.some(what)).toBe(true);
    }, PATIENCE);
  const blocks = () => seen.filter((event) => event.kind === 'connected' || event.kind === 'disconnected');
  return {
    source,
    seen,
    of,
    until,
    story: () => blocks().map((event) => `${event.kind === 'connected' ? '+' : '-'}${event.block.hash}`),
    /**
     * A fork is a block that both branches share. A node takes blocks back one by one, so a source that looks meanwhile sees
     * a higher one first; what is told then builds on what was said last.
     */
    checkForks() {
      const chain: string[] = [];
      for (const event of blocks()) {
        if (event.kind === 'connected') chain.push(event.block.hash);
        else {
          expect(chain.pop()).toBe(event.block.hash);
          expect(event.fork.height).toBeLessThan(event.block.height);
          const below = chain.at(event.fork.height - event.block.height);
          if (below !== undefined) expect(event.fork.hash).toBe(below);
        }
      }
    },
    cursor(): Cursor {
      const chain: Cursor['blocks'][number][] = [];
      for (const event of blocks()) {
        if (event.kind === 'connected') chain.unshift(event.block);
        else chain.shift();
      }
      return { blocks: chain };
    },
    tip: (hash: string) =>
      vi.waitFor(() => {
        if (failure !== undefined) throw failure;
        expect(of('connected').at(-1)?.block.hash).toBe(hash as BlockHash);
      }, PATIENCE),
    matchesIn: (hash: string): readonly Txid[] =>
      of('connected')
        .findLast(({ block }) => block.hash === (hash as BlockHash))!
        .matches.map(({ txid }) => txid),
    async stop() {
      ending.abort();
      await done;
      await source.close();
      if (failure !== undefined) throw failure;
    },
  };
}
