import type { BlockHash, Txid } from '@keepwatch/bitcoin';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockRef, ChainEvent, Health, MatchedTx } from '../source.ts';
import { createQuorumState, quorumStep, quorumTick, type QuorumEvent, type QuorumState } from './step.ts';

const block = (height: number, branch = 'a'): BlockRef => ({
  height,
  hash: `${branch}${height}` as BlockHash,
  timeSeconds: height,
});
const tx = (txid: string): MatchedTx => ({ txid: txid as Txid, raw: new Uint8Array(0), received: [], spent: [] });
const connected = (ref: BlockRef, ...matches: MatchedTx[]): ChainEvent => ({ kind: 'connected', block: ref, matches });
const health = (state: Health['state']): ChainEvent => ({
  kind: 'health',
  health: { state, tip: null, peers: 1, problem: null },
});
const quorum = (suffices: readonly (readonly string[])[]) => {
  const sources = [...new Set(suffices.flat())];
  return createQuorumState({ sources, suffices, graceMs: 1_000, lagBlocks: 2 });
};
const story = (events: readonly QuorumEvent[]) =>
  events.flatMap((event) => {
    switch (event.kind) {
      case 'connected':
        return [`+${event.block.hash}${event.matches.map(({ txid }) => ` ${txid}`).join('')}`];
      case 'disconnected':
        return [`-${event.block.hash}`];
      case 'sighted':
        return [`${event.tx.txid} ${event.grade} ${event.seenBy.join()}`];
      case 'replaced':
        return [`${event.txid} replaced by ${event.by}`];
      case 'evicted':
        return [`${event.txid} evicted`];
      case 'supplement':
        return [`also in ${event.block.hash}: ${event.matches.map(({ txid }) => txid).join()}`];
      case 'disagreement':
        return [`${event.matter}: ${event.seenBy.join()} not ${event.others.join()}`];
      case 'agreement':
        return ['agreed'];
      case 'lag':
        return [`${event.source} ${event.over ? 'caught up' : `lags ${event.blocks}`}`];
      case 'quorum':
        return [event.able ? 'able' : 'not able'];
      case 'source-health':
        return [];
    }
  });
const tell = (state: QuorumState, source: string, event: ChainEvent, now = 0) =>
  story(quorumStep(state, source, event, now));

describe('what suffices', () => {
  it('is one source where one is enough', () => {
    const state = quorum([['p2p'], ['x', 'y']]);
    expect(tell(state, 'p2p', connected(block(1), tx('t')))).toEqual(['+a1 t', 'able']);
    expect(tell(state, 'x', connected(block(1)))).toEqual([]);
  });

  it('goes back to the fork that is named, where the chain left below the first block that was told', () => {
    const state = quorum([['x']]);
    tell(state, 'x', connected(block(3)));
    tell(state, 'x', { kind: 'disconnected', block: block(3), fork: block(1) });
    tell(state, 'x', connected(block(2, 'b')));
    tell(state, 'x', connected(block(3, 'b')));
    const out = quorumStep(state, 'x', connected(block(4, 'b')), 0);
    expect(story(out)).toEqual(['-a3', '+b2', '+b3', '+b4']);
    expect(out[0]).toMatchObject({ kind: 'disconnected', fork: block(1) });
  });

  it('is all of a set that has to agree', () => {
    const state = quorum([['x', 'y']]);
    expect(tell(state, 'x', connected(block(1)))).toEqual([]);
    expect(tell(state, 'x', connected(block(2)))).toEqual([]);
    expect(tell(state, 'y', connected(block(1)))).toEqual(['+a1', 'able']);
    expect(tell(state, 'y', connected(block(2, 'b')))).toEqual([]);
    expect(tell(state, 'x', { kind: 'disconnected', block: block(2), fork: block(1) })).toEqual([]);
    expect(tell(state, 'x', connected(block(2, 'b')))).toEqual(['+b2']);
  });

  it('goes on by the second set when the first is down, and says when none is left', () => {
    const state = quorum([['p2p'], ['x', 'y']]);
    for (const name of ['p2p', 'x', 'y']) tell(state, name, connected(block(1)));
    expect(tell(state, 'p2p', health('down'))).toEqual([]);
    tell(state, 'x', connected(block(2)));
    expect(tell(state, 'y', connected(block(2)))).toEqual(['+a2']);
    expect(tell(state, 'y', health('down'))).toEqual(['not able']);
  });

  it('follows a reorganisation back to the fork, tip first', () => {
    const state = quorum([['p2p']]);
    for (const height of [1, 2, 3]) tell(state, 'p2p', connected(block(height)));
    tell(state, 'p2p', { kind: 'disconnected', block: block(3), fork: block(1) });
    tell(state, 'p2p', { kind: 'disconnected', block: block(2), fork: block(1) });
    expect(tell(state, 'p2p', connected(block(2, 'b')))).toEqual(['-a3', '-a2', '+b2']);
    expect(tell(state, 'p2p', connected(block(3, 'b')))).toEqual(['+b3']);
  });
});

describe('what one source withholds', () => {
  it('is told when another one brings it, and then that they differ', () => {
    const state = quorum([['p2p'], ['x']]);
    tell(state, 'p2p', connected(block(1)));
    expect(tell(state, 'x', connected(block(1), tx('t')))).toEqual(['also in a1: t']);
    expect(story(quorumTick(state, 500))).toEqual([]);
    expect(story(quorumTick(state, 1_000))).toEqual(['matches: x not p2p']);
    expect(story(quorumTick(state, 9_000))).toEqual([]);
  });

  it('in the mempool counts among live sources, and ends when they agree', () => {
    const state = quorum([['p2p'], ['x']]);
    for (const name of ['p2p', 'x']) tell(state, name, health('live'));
    const sighting = { kind: 'sighted', tx: tx('t'), grade: 'claimed' } as const;
    expect(tell(state, 'p2p', sighting)).toEqual(['t claimed p2p']);
    expect(story(quorumTick(state, 1_000))).toEqual(['mempool: p2p not x']);
    expect(tell(state, 'x', { ...sighting, grade: 'relayed' }, 1_500)).toEqual(['t relayed p2p,x', 'agreed']);
    expect(tell(state, 'p2p', { kind: 'evicted', txid: 't' as Txid }, 1_600)).toEqual([]);
    expect(tell(state, 'x', { kind: 'evicted', txid: 't' as Txid }, 1_700)).toEqual(['t evicted']);
  });

  it('a replacement is told whoever saw it', () => {
    const state = quorum([['p2p'], ['x']]);
    for (const name of ['p2p', 'x']) tell(state, name, { kind: 'sighted', tx: tx('t'), grade: 'valid' });
    expect(tell(state, 'x', { kind: 'replaced', txid: 't' as Txid, by: 'u' as Txid })).toEqual(['t replaced by u']);
    expect(tell(state, 'p2p', { kind: 'replaced', txid: 't' as Txid, by: 'u' as Txid })).toEqual([]);
  });
});

describe('a source that differs or falls behind', () => {
  it('is named after the grace, once, and again when it is over', () => {
    const state = quorum([['p2p'], ['x']]);
    tell(state, 'p2p', connected(block(1)));
    tell(state, 'x', connected(block(1)));
    tell(state, 'p2p', connected(block(2)));
    tell(state, 'x', connected(block(2, 'b')));
    expect(story(quorumTick(state, 1_000))).toEqual(['block: p2p not x']);
    tell(state, 'x', { kind: 'disconnected', block: block(2, 'b'), fork: block(1) }, 1_100);
    expect(tell(state, 'x', connected(block(2)), 1_200)).toEqual([]);
    tell(state, 'p2p', connected(block(3)), 1_300);
    tell(state, 'p2p', connected(block(4)), 1_400);
    expect(story(quorumTick(state, 2_400))).toEqual(['x lags 2']);
    expect(tell(state, 'x', connected(block(3)), 2_500)).toEqual(['x caught up']);
  });
});

describe('whatever sources say', () => {
  /** Each source follows its own path through branches of one tree; all end on the same chain. */
  const walks = fc.array(
    fc.record({ source: fc.constantFrom('p2p', 'x', 'y'), up: fc.integer({ min: 1, max: 4 }), back: fc.nat(3) }),
    { maxLength: 40 },
  );

  it('the told story is one chain: each block follows the last, what is taken back was the tip', () => {
    fc.assert(
      fc.property(walks, (steps) => {
        const state = quorum([['p2p'], ['x', 'y']]);
        const views = new Map(['p2p', 'x', 'y'].map((name): [string, BlockRef[]] => [name, []]));
        const told: BlockRef[] = [];
        let branch = 0;
        const say = (source: string, event: ChainEvent) => {
          for (const each of quorumStep(state, source, event, 0)) {
            if (each.kind === 'connected') {
              expect(each.block.height).toBe((told.at(-1)?.height ?? 0) + 1);
              told.push(each.block);
            } else if (each.kind === 'disconnected') {
              expect(each.block).toEqual(told.pop());
            }
          }
        };
        for (const { source, up, back } of steps) {
          const own = views.get(source)!;
          for (let i = 0; i < back && own.length > 1; i++) {
            const gone = own.pop()!;
            say(source, { kind: 'disconnected', block: gone, fork: own.at(-1)! });
          }
          const name = back > 0 ? `b${++branch}x` : 'm';
          for (let i = 0; i < up; i++) {
            // A hash stands for all that lies below it, as it does on a chain.
            const next = block(own.length + 1, `${own.at(-1)?.hash ?? ''}${own.length === 0 ? 'm' : name}`);
            own.push(next);
            say(source, connected(next));
          }
        }
        // Everybody comes to the longest chain of all: then that is what was told.
        const longest = [...views.values()].reduce((a, b) => (b.length > a.length ? b : a));
        for (const [source, own] of views) {
          while (own.length > 0 && own.at(-1)!.hash !== longest[own.length - 1]?.hash) {
            const gone = own.pop()!;
            say(source, { kind: 'disconnected', block: gone, fork: own.at(-1) ?? gone });
          }
          for (const next of longest.slice(own.length)) {
            own.push(next);
            say(source, connected(next));
          }
        }
        expect(told).toEqual(longest);
      }),
      { numRuns: 500 },
    );
  });
});
