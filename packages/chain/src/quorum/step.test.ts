import type { BlockHash, Txid } from '@keepwatch/bitcoin';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockRef, ChainEvent, Health, MatchedTx, WatchMark } from '../source.ts';
import { createQuorumState, quorumStep, quorumTick, type QuorumEvent, type QuorumState } from './step.ts';

const block = (height: number, branch = 'a'): BlockRef => ({
  height,
  hash: `${branch}${height}` as BlockHash,
  timeSeconds: height,
});
const tx = (txid: string): MatchedTx => ({ txid: txid as Txid, raw: new Uint8Array(0), received: [], spent: [] });
/** At a mark a source of these tests watches for the transactions that are called by lower letters. */
const at = (mark: number): WatchMark => ({ scripts: mark, outpoints: mark });
const ALL = at(26);
const watch = {
  mark: () => ALL,
  covers: ({ txid }: Pick<MatchedTx, 'received' | 'spent'> & { txid?: string }, { scripts }: WatchMark) =>
    txid!.charCodeAt(0) - 97 < scripts,
};
const looked = (ref: BlockRef, watched: WatchMark, ...matches: MatchedTx[]): ChainEvent => ({
  ...{ kind: 'connected', block: ref, matches, watched },
});
const connected = (ref: BlockRef, ...matches: MatchedTx[]): ChainEvent => looked(ref, ALL, ...matches);
const health = (state: Health['state']): ChainEvent => ({
  kind: 'health',
  health: { state, tip: null, peers: 1, problem: null },
});
const config = (suffices: readonly (readonly string[])[]) => {
  const sources = [...new Set(suffices.flat())].map((name) => ({ name, watch, mempool: 'whole' as const }));
  return { sources, suffices, graceMs: 1_000, lagBlocks: 2 };
};
const quorum = (suffices: readonly (readonly string[])[]) => createQuorumState(config(suffices));
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
    expect(tell(state, 'y', health('down'))).toEqual([]);
    expect(story(quorumTick(state, 1_000))).toEqual(['not able']);
    expect(tell(state, 'y', health('live'), 1_100)).toEqual(['able']);
    // An answer that fails to come once is no reason to worry.
    expect(tell(state, 'y', health('down'), 1_200)).toEqual([]);
    expect(tell(state, 'y', health('live'), 1_900)).toEqual([]);
    expect(story(quorumTick(state, 9_000))).toEqual([]);
  });

  it('goes on behind what was told before, of which only the last blocks are without a gap', () => {
    const before = [1, 145, 289, 290, 291].map((height) => block(height));
    const state = createQuorumState(config([['x', 'y']]), before);
    tell(state, 'x', connected(block(292)));
    expect(tell(state, 'y', connected(block(292)))).toEqual(['+a292']);
    tell(state, 'x', { kind: 'disconnected', block: block(292), fork: block(291) });
    tell(state, 'y', { kind: 'disconnected', block: block(292), fork: block(291) });
    tell(state, 'x', connected(block(292, 'b')));
    expect(tell(state, 'y', connected(block(292, 'b')))).toEqual(['-a292', '+b292']);
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

  it('is not what came before it watched for it', () => {
    const state = quorum([['p2p'], ['x']]);
    tell(state, 'p2p', looked(block(1), at(3)));
    tell(state, 'x', connected(block(1), tx('c'), tx('d')), 10);
    // It had to see c, and not d.
    expect(quorumTick(state, 5_000)).toMatchObject([{ kind: 'disagreement', txid: 'c', others: ['p2p'] }]);
    expect(story(quorumTick(state, 9_000))).toEqual([]);
  });

  it('is found however many blocks come at once, and stays until it is told', () => {
    const state = quorum([['p2p'], ['x']]);
    for (let height = 1; height <= 20; height++) {
      tell(state, 'p2p', connected(block(height)));
      tell(state, 'x', connected(block(height), ...(height === 2 ? [tx('t')] : [])));
    }
    expect(story(quorumTick(state, 1_000))).toEqual(['matches: x not p2p']);
    for (let height = 20; height >= 2; height--) {
      tell(state, 'p2p', { kind: 'disconnected', block: block(height), fork: block(height - 1) }, 1_100);
    }
    expect(tell(state, 'p2p', connected(block(2), tx('t')), 1_200)).toEqual([]);
    for (const height of [3, 4]) tell(state, 'p2p', connected(block(height)), 1_300);
    expect(story(quorumTick(state, 9_000))).not.toContain('matches: x not p2p');
  });

  it('does not hide behind another one that withholds the same', () => {
    const state = quorum([['p2p'], ['x'], ['y']]);
    for (const name of ['p2p', 'x', 'y']) tell(state, name, connected(block(0)));
    tell(state, 'p2p', connected(block(1), tx('t')));
    tell(state, 'x', connected(block(1)));
    expect(story(quorumTick(state, 1_000))).toEqual(['matches: p2p not x']);
    tell(state, 'y', connected(block(1)), 1_500);
    expect(story(quorumTick(state, 2_500))).toEqual(['matches: p2p not y']);
  });

  it('was told by an earlier run, and cannot be asked for', () => {
    const state = createQuorumState(config([['p2p'], ['x']]), [block(1), block(2)]);
    tell(state, 'x', { kind: 'disconnected', block: block(2), fork: block(1) });
    expect(tell(state, 'x', connected(block(2), tx('t')))).toEqual(['also in a2: t']);
    expect(story(quorumTick(state, 9_000))).toEqual([]);
  });

  it('is what it told of once and no longer tells of', () => {
    const state = quorum([['p2p'], ['x']]);
    for (const name of ['p2p', 'x']) {
      tell(state, name, connected(block(0)));
      tell(state, name, connected(block(1), tx('t')));
    }
    tell(state, 'x', { kind: 'disconnected', block: block(1), fork: block(0) });
    tell(state, 'x', connected(block(1)));
    expect(story(quorumTick(state, 1_000))).toEqual(['matches: p2p not x']);
  });

  it('counts in a branch once that is what is told', () => {
    const state = quorum([['p2p'], ['x', 'y']]);
    for (const name of ['p2p', 'x', 'y']) tell(state, name, connected(block(1)));
    tell(state, 'p2p', connected(block(2)));
    tell(state, 'x', connected(block(2, 'b'), tx('t')));
    tell(state, 'y', connected(block(2, 'b')));
    expect(story(quorumTick(state, 500))).toEqual([]);
    tell(state, 'x', connected(block(3, 'b')));
    expect(tell(state, 'y', connected(block(3, 'b')))).toEqual(['-a2', '+b2 t', '+b3']);
    expect(story(quorumTick(state, 9_000))).toContain('matches: x not y');
  });

  it('is more of a transaction that another one saw in part', () => {
    const state = quorum([['p2p'], ['x']]);
    const script = new Uint8Array(22);
    const part = { ...tx('t'), received: [{ vout: 1, script, sats: 5n }] };
    const more = { ...tx('t'), received: [{ vout: 0, script, sats: 7n }] };
    tell(state, 'p2p', connected(block(1), part));
    const [supplement] = quorumStep(state, 'x', connected(block(1), more), 0);
    expect(supplement).toMatchObject({
      kind: 'supplement',
      matches: [{ txid: 't', received: [{ vout: 0, sats: 7n }, { vout: 1 }] }],
    });
    expect(tell(state, 'p2p', connected(block(2)))).toEqual(['+a2']);
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

  it('in the mempool is not what is in a block already, nor what only a source said that is gone', () => {
    const state = quorum([['p2p'], ['x']]);
    for (const name of ['p2p', 'x']) {
      tell(state, name, health('live'));
      tell(state, name, connected(block(0)));
    }
    tell(state, 'p2p', connected(block(1), tx('t')));
    // x has not heard of the block yet.
    expect(tell(state, 'x', { kind: 'sighted', tx: tx('t'), grade: 'relayed' })).toEqual(['t relayed x']);
    expect(story(quorumTick(state, 5_000))).toEqual([]);
    tell(state, 'x', connected(block(1), tx('t')), 5_100);
    tell(state, 'x', { kind: 'disconnected', block: block(1), fork: block(0) }, 5_200);
    expect(story(quorumTick(state, 9_000))).toEqual([]);

    tell(state, 'x', { kind: 'sighted', tx: tx('u'), grade: 'relayed' }, 9_000);
    expect(story(quorumTick(state, 10_000))).toEqual(['mempool: x not p2p']);
    expect(tell(state, 'x', health('down'), 10_100)).toEqual([]);
    expect(story(quorumTick(state, 11_100))).toEqual(['agreed']);
  });

  it('in the mempool is nothing that was relayed before a light client listened for it', () => {
    let mark = at(1);
    const light = { name: 'p2p', watch: { ...watch, mark: () => mark }, mempool: 'relayed' as const };
    const whole = { name: 'x', watch, mempool: 'whole' as const };
    const state = createQuorumState({ ...config([['p2p'], ['x']]), sources: [light, whole] });
    const sight = (txid: string, now: number) =>
      tell(state, 'x', { kind: 'sighted', tx: tx(txid), grade: 'relayed' }, now);
    for (const name of ['p2p', 'x']) tell(state, name, health('live'), 4_000);
    sight('a', 4_500);
    mark = at(2);
    for (let now = 6_000; now <= 7_000; now += 100) quorumTick(state, now);
    sight('b', 7_010);
    mark = at(3);
    sight('c', 7_020);
    expect(story(quorumTick(state, 9_000))).toEqual(['mempool: x not p2p']);
    expect([...state.differences.keys()]).toEqual(['mempool b p2p']);
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

describe('a branch that one source is on', () => {
  it('is one difference from its first block on, however far both branches grow, until the source leaves it or is gone', () => {
    const state = quorum([['p2p'], ['x']]);
    for (const name of ['p2p', 'x']) tell(state, name, connected(block(1)));
    tell(state, 'p2p', connected(block(2)));
    tell(state, 'x', connected(block(2, 'b')));
    expect(quorumTick(state, 1_000)).toMatchObject([{ kind: 'disagreement', height: 2, hashes: ['a2', 'b2'] }]);
    for (let height = 3; height < 9; height++) {
      expect(tell(state, 'p2p', connected(block(height)), height * 1_000)).toEqual([`+a${height}`]);
      expect(tell(state, 'x', connected(block(height, 'b')), height * 1_000)).toEqual([]);
    }
    tell(state, 'x', health('down'), 9_000);
    expect(story(quorumTick(state, 10_000))).toEqual(['agreed']);
    expect(tell(state, 'x', health('live'), 11_000)).toEqual([]);
    expect(story(quorumTick(state, 12_000))).toEqual(['block: p2p not x']);
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
