import type { MatchedTx } from '@keepwatch/bitcoin';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outpoint } from '../source.ts';
import { createQuorumState, quorumStep, quorumTick, type QuorumEvent, type Suffices } from './step.ts';
import {
  createNetwork,
  createSource,
  mine,
  pay,
  reorganise,
  type Block,
  type Kind,
  type Network,
  type Source,
} from './world.fixture.ts';

/**
 * Histories of a network, of sources that follow it each at its own pace, and of a watch that grows in between: in whatever
 * order they come, honest sources end without a difference, and who keeps something back that it watched for is named.
 */

const GRACE_MS = 1_000;
const SCRIPTS = ['s0', 's1', 's2', 's3'];

const who = fc.nat(2);
const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });
const pays = fc.subarray(SCRIPTS, { minLength: 1, maxLength: 2 });
const depth = fc.integer({ min: 1, max: 4 });
const what = <W extends string>(word: W) => ({ what: fc.constant(word) });
const step = fc.oneof(
  often(10, fc.record({ ...what('pay'), pays, spends: fc.boolean() })),
  often(10, fc.record({ ...what('mine'), most: fc.nat(3) })),
  often(4, fc.record({ ...what('reorganise'), depth, most: fc.nat(3) })),
  often(6, fc.record({ ...what('grow'), scripts: fc.subarray(SCRIPTS) })),
  often(4, fc.record(what('heed'))),
  often(20, fc.record({ ...what('advance'), who, most: depth })),
  often(20, fc.record({ ...what('hear'), who, most: fc.integer({ min: 1, max: 6 }) })),
  often(8, fc.record({ ...what('listen'), who })),
  often(3, fc.record({ ...what('turn'), who, up: fc.boolean() })),
  often(8, fc.record({ ...what('wait'), ms: fc.nat(1_500) })),
  often(1, fc.record(what('restart'))),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Named {
  readonly name: string;
  readonly kind: Kind;
  /** Whether it keeps the next match back; honest ones have none. */
  readonly keepsBack?: () => boolean;
}

/**
 * Plays a history over sources, and what follows until all is quiet. `waits`: what is in no block then stays in none; and
 * sources look into their mempools more often than the grace lasts.
 */
function play(history: readonly Step[], named: readonly Named[], suffices: Suffices, waits = false) {
  const net: Network = createNetwork();
  const known = { scripts: new Set(['s0']), coins: [] as Outpoint[] };
  /** Coins that the watch has learnt of, and has not told the sources yet. */
  let learnt: Outpoint[] = [];
  let nowMs = 0;
  const told: Block[] = [net.best[0]!];
  const blocks = new Map<string, Block>([[net.best[0]!.hash, net.best[0]!]]);
  const open = new Map<string, Extract<QuorumEvent, { kind: 'disagreement' }>>();
  const lags = new Set<string>();
  const everTold: string[] = [];
  let sources: Source[];
  let state: ReturnType<typeof createQuorumState>;

  function start(): void {
    sources = named.map(({ name, kind, keepsBack }) => createSource(name, kind, told, keepsBack));
    for (const source of sources) {
      source.addScripts([...known.scripts]);
      source.addCoins(known.coins);
    }
    const config = { sources: sources.map(({ member }) => member), suffices, graceMs: GRACE_MS, lagBlocks: 2 };
    state = createQuorumState(config, told);
    open.clear();
    lags.clear();
  }

  function take(events: readonly QuorumEvent[]): void {
    for (const event of events) {
      switch (event.kind) {
        case 'connected':
          expect(event.block.height).toBe(told.at(-1)!.height + 1);
          told.push(blocks.get(event.block.hash)!);
          break;
        case 'disconnected':
          expect(told.pop()!.hash).toBe(event.block.hash);
          break;
        case 'disagreement':
          expect(open.has(event.about)).toBe(false);
          open.set(event.about, event);
          everTold.push(event.about);
          break;
        case 'agreement':
          expect(open.delete(event.about)).toBe(true);
          break;
        case 'lag':
          if (event.over) lags.delete(event.source);
          else lags.add(event.source);
          break;
        default:
      }
      const found = event.kind === 'sighted' ? [event.tx] : 'matches' in event ? event.matches : [];
      for (const { txid, received } of found) learnt.push(...received.map(({ vout }) => ({ txid, vout })));
    }
  }

  function heed(): void {
    for (const source of sources) source.addCoins(learnt);
    known.coins.push(...learnt);
    learnt = [];
  }

  function hear(source: Source, most: number): void {
    for (let i = 0; i < most; i++) {
      const event = source.next();
      if (!event) return;
      take(quorumStep(state, source.name, event, nowMs));
    }
  }

  function lookAround(): void {
    for (const source of sources) {
      source.listen(net);
      hear(source, Infinity);
    }
  }

  function note(): void {
    for (const block of net.best) blocks.set(block.hash, block);
  }

  function act(each: Step): void {
    switch (each.what) {
      case 'pay': {
        const tx = pay(net, each.pays, each.spends);
        for (const source of sources) source.relay(tx);
        return;
      }
      case 'mine':
        mine(net, each.most);
        return note();
      case 'reorganise':
        reorganise(net, each.depth, each.most);
        return note();
      case 'grow':
        for (const source of sources) source.addScripts(each.scripts);
        for (const script of each.scripts) known.scripts.add(script);
        return;
      case 'heed':
        return heed();
      case 'wait':
        if (waits) lookAround();
        nowMs += each.ms;
        return take(quorumTick(state, nowMs));
      case 'restart':
        heed();
        return start();
      default: {
        const source = sources[each.who % sources.length]!;
        if (each.what === 'advance') source.advance(net, each.most);
        else if (each.what === 'hear') hear(source, each.most);
        else if (each.what === 'listen') source.listen(net);
        else source.turn(each.up);
      }
    }
  }

  function quiet(): void {
    for (const source of sources) {
      source.turn(true);
      source.advance(net, Infinity);
      source.listen(net);
      hear(source, Infinity);
    }
    // What was learnt is looked for at once, and so is what comes of it.
    do {
      heed();
      lookAround();
    } while (learnt.length > 0);
    nowMs += 2 * GRACE_MS;
    take(quorumTick(state, nowMs));
  }

  start();
  for (const each of history) act(each);
  // What waits is taken in, and everybody comes to the same tip.
  if (!waits) mine(net, Infinity);
  note();
  for (let i = 0; i < 3; i++) quiet();
  return { net, told, sources: sources!, state: state!, open, lags, everTold };
}

const kinds: readonly Kind[] = ['node', 'light', 'server'];
const others = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 2 });
const history = fc.array(step, { minLength: 40, maxLength: 120 });
const namesOf = (of: readonly Kind[]): Named[] => of.map((kind, i) => ({ name: `h${i}`, kind }));
const sufficient = (named: readonly Named[], all: boolean): Suffices =>
  all ? [named.map(({ name }) => name)] : named.map(({ name }) => [name]);

describe('in whatever order honest sources are heard, while the watch grows', () => {
  const plays = (waits: boolean) => {
    let [differed, waiting] = [0, 0];
    fc.assert(
      fc.property(history, others, fc.constantFrom(...kinds), fc.boolean(), (steps, some, more, all) => {
        const named = namesOf([...some, more]);
        const end = play(steps, named, sufficient(named, all), waits);
        expect([...end.open.keys()]).toEqual([]);
        expect([...end.state.differences.keys()]).toEqual([]);
        expect(end.everTold.filter((about) => about.startsWith('matches'))).toEqual([]);
        expect([...end.lags]).toEqual([]);
        expect(end.state.able).toBe(true);
        expect(end.told.at(-1)!.hash).toBe(end.net.best.at(-1)!.hash);
        differed += end.everTold.length;
        waiting += end.state.sightings.size;
      }),
      { numRuns: 500 },
    );
    return { differed, waiting };
  };

  it('no difference is left when all is quiet, and none about what is in blocks was ever told', () => {
    const { differed, waiting } = plays(false);
    expect(waiting).toBe(0);
    // Others are told while they last: of branches, and of what one mempool has and another one has not.
    expect(differed).toBeGreaterThan(50);
  });

  it('nor is one about what is in no block yet, of which a light client may never have heard', () => {
    const { waiting } = plays(true);
    expect(waiting).toBeGreaterThan(200);
  });
});

describe('in whatever order sources are heard, while the watch grows', () => {
  it('one that keeps back what it looked for is named for each transaction, and nobody else is', () => {
    let omitted = 0;
    const lies = fc.infiniteStream(fc.boolean());
    fc.assert(
      fc.property(history, others, fc.constantFrom(...kinds), lies, (steps, some, kind, stream) => {
        const honest = namesOf(some);
        const liar: Named = { name: 'liar', kind, keepsBack: () => stream.next().value as boolean };
        const named = [...honest, liar];
        const end = play(steps, named, sufficient(named, false));
        const inBlocks = [...end.open.values()].filter(({ matter }) => matter === 'matches');
        expect(inBlocks.flatMap((each) => each.others).filter((name) => name !== 'liar')).toEqual([]);
        const inTold = new Set(end.told.map(({ hash }) => hash));
        const views = honest.map(({ name }) => end.state.views.get(name)!);
        for (const { block, found } of end.sources.at(-1)!.kept) {
          if (!inTold.has(block.hash)) continue;
          // Somebody has to know better: who looked in this run, when it watched for it, and for some of the same in it.
          const { by, tx } = end.state.matches.byBlock.get(block.hash)?.txs.get(found.txid) ?? {};
          if (!tx || !views.some((view) => by?.has(view.member.name)) || !shares(found, tx)) continue;
          omitted++;
          expect(inBlocks.map(({ about }) => about)).toContain(`matches ${block.hash} ${found.txid} liar`);
        }
      }),
      { numRuns: 500 },
    );
    expect(omitted).toBeGreaterThan(500);
  });
});

/** Whether both saw one output, or one input, of the transaction: who saw another one alone cannot say what was kept back. */
function shares(one: MatchedTx, other: MatchedTx): boolean {
  return (
    one.received.some(({ vout }) => other.received.some((each) => each.vout === vout)) ||
    one.spent.some(({ vin }) => other.spent.some((each) => each.vin === vin))
  );
}
