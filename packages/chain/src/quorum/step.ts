import { assertNever } from '@keepwatch/base';
import type { BlockHash, Txid } from '@keepwatch/bitcoin';
import type { BlockRef, ChainEvent, Grade, Health, MatchedTx } from '../source.ts';
import { chooseChain, type Chosen } from './choose.ts';
import { addBlock, contains, dropBlock, tipOf, type View } from './view.ts';

/**
 * Several sources side by side become one story. A block counts when a set of sources that suffices agrees on it; a
 * sighting counts at once, with who saw it; and where sources differ, or one falls behind, that is an event of its own.
 * Pure: events and time come in as values, and what is to be told goes out.
 */

/**
 * What suffices: any one of these sets of source names, all of whose members agree. `[['p2p'], ['a', 'b']]` reads “P2P,
 * or both servers”.
 */
export type Suffices = readonly (readonly string[])[];

export interface QuorumConfig {
  readonly sources: readonly string[];
  readonly suffices: Suffices;
  /** How long sources may differ before it is told, ms: blocks and transactions take their time through a network. */
  readonly graceMs: number;
  /** How many blocks a source may be behind. */
  readonly lagBlocks: number;
}

type Told = Exclude<ChainEvent, { kind: 'health' }> & {
  /** The sources that say so at this moment. */
  readonly seenBy: readonly string[];
};

export type QuorumEvent =
  | Told
  /** A source that spoke later knows more of a block that was told already. */
  | {
      readonly kind: 'supplement';
      readonly block: BlockRef;
      readonly matches: readonly MatchedTx[];
      readonly seenBy: readonly string[];
    }
  | ({ readonly kind: 'disagreement' } & Sides & Matter)
  /** A disagreement of the same `about` is over. */
  | { readonly kind: 'agreement'; readonly about: string }
  | { readonly kind: 'lag'; readonly source: string; readonly blocks: number; readonly over: boolean }
  | { readonly kind: 'source-health'; readonly source: string; readonly health: Health }
  /** Whether any set that suffices is able to speak: false is the time to worry. */
  | { readonly kind: 'quorum'; readonly able: boolean };

/** Who says so, and who does not. */
interface Sides {
  readonly seenBy: readonly string[];
  readonly others: readonly string[];
}

/** What sources differ about. `about` names it, the same for its end. */
type Matter = {
  readonly about: string;
} & (
  | { readonly matter: 'block'; readonly height: number; readonly hashes: readonly BlockHash[] }
  | { readonly matter: 'matches'; readonly block: BlockRef; readonly txid: Txid }
  | { readonly matter: 'mempool'; readonly txid: Txid }
);

interface Sighting {
  readonly tx: MatchedTx;
  readonly grades: Map<string, Exclude<Grade, 'confirmed'>>;
  told: Exclude<Grade, 'confirmed'>;
  readonly firstMs: number;
}

/** Changed in place by {@link quorumStep} alone. */
export interface QuorumState {
  readonly config: QuorumConfig;
  readonly views: Map<string, View>;
  /** What was told, oldest first. */
  chain: BlockRef[];
  readonly matches: Map<BlockHash, Map<Txid, { tx: MatchedTx; by: Set<string> }>>;
  readonly sightings: Map<Txid, Sighting>;
  readonly differences: Map<string, { sinceMs: number; told: boolean }>;
  readonly lagging: Map<string, { sinceMs: number; told: boolean }>;
  able: boolean;
}

/** Deeper than any reorganisation that was ever seen on a live chain; what lies below is settled. */
const KEPT_BLOCKS = 2_016;

export function createQuorumState(config: QuorumConfig, chain: readonly BlockRef[] = []): QuorumState {
  const views = new Map(
    config.sources.map((name): [string, View] => [name, { blocks: [...chain], root: null, health: null }]),
  );
  return {
    ...{ config, views, chain: [...chain], matches: new Map(), sightings: new Map() },
    ...{ differences: new Map(), lagging: new Map(), able: false },
  };
}

/** One event of one source. `nowMs` never goes back. */
export function quorumStep(state: QuorumState, source: string, event: ChainEvent, nowMs: number): QuorumEvent[] {
  const view = state.views.get(source);
  if (!view) throw new RangeError(`no source is called ${source}`);
  const out: QuorumEvent[] = [];
  switch (event.kind) {
    case 'connected':
      addBlock(view, event.block, KEPT_BLOCKS);
      noteMatches(state, source, event.block, event.matches, out);
      follow(state, out);
      break;
    case 'disconnected':
      dropBlock(view, event.block, event.fork);
      follow(state, out);
      break;
    case 'sighted':
      sight(state, source, event.tx, event.grade, nowMs, out);
      break;
    case 'replaced':
    case 'evicted':
      lose(state, source, event, out);
      break;
    case 'health':
      view.health = event.health;
      out.push({ kind: 'source-health', source, health: event.health });
      follow(state, out);
      break;
    default:
      assertNever(event);
  }
  return [...out, ...quorumTick(state, nowMs)];
}

/** What the passing of time makes worth telling. Call it every few seconds. */
export function quorumTick(state: QuorumState, nowMs: number): QuorumEvent[] {
  const out: QuorumEvent[] = [];
  const differing = [...blockDifferences(state), ...matchDifferences(state), ...mempoolDifferences(state)];
  const now = new Set(differing.map(({ about }) => about));
  for (const each of differing) {
    const known = state.differences.get(each.about) ?? { sinceMs: nowMs, told: false };
    state.differences.set(each.about, known);
    if (known.told || nowMs - known.sinceMs < state.config.graceMs) continue;
    known.told = true;
    out.push({ kind: 'disagreement', ...each });
  }
  for (const [about, { told }] of state.differences) {
    if (now.has(about)) continue;
    state.differences.delete(about);
    if (told) out.push({ kind: 'agreement', about });
  }
  tellLag(state, nowMs, out);
  const able = chooseChain(state.views, state.config.suffices, state.chain) !== undefined;
  if (able !== state.able) {
    state.able = able;
    out.push({ kind: 'quorum', able });
  }
  return out;
}

/** Where the told chain and the one that suffices now differ: back to the fork, then up. */
function follow(state: QuorumState, out: QuorumEvent[]): void {
  const chosen = chooseChain(state.views, state.config.suffices, state.chain);
  if (!chosen || chosen.blocks.length === 0) return;
  const byHeight = new Map(chosen.blocks.map((block) => [block.height, block]));
  const lowest = chosen.blocks[0]!.height;
  let fork = state.chain.length - 1;
  while (fork >= 0 && byHeight.get(state.chain[fork]!.height)?.hash !== state.chain[fork]!.hash) fork--;
  // Behind what was told and not beside it: no news.
  if (fork >= 0 && state.chain[fork]!.height === chosen.blocks.at(-1)!.height) return;
  if (fork < 0 && state.chain.length > 0 && state.chain[0]!.height >= lowest) {
    // Nothing in common within memory: the chosen chain forked off below it.
    if (chosen.blocks.at(-1)!.height <= state.chain.at(-1)!.height) return;
  }
  takeBack(state, fork, chosen, out);
  const from = state.chain.at(-1)?.height ?? lowest - 1;
  for (const block of chosen.blocks) if (block.height > from) connect(state, block, out);
}

function takeBack(state: QuorumState, fork: number, chosen: Chosen, out: QuorumEvent[]): void {
  const base = state.chain[fork] ?? rootOf(state, chosen) ?? chosen.blocks[0]!;
  while (state.chain.length - 1 > fork) {
    const block = state.chain.pop()!;
    out.push({ kind: 'disconnected', block, fork: base, seenBy: chosen.by });
  }
}

/** The block below the first of a chain that has nothing in common with what was told: whoever goes on from there misses none. */
function rootOf({ views }: QuorumState, { blocks, by }: Chosen): BlockRef | undefined {
  const roots = by.flatMap((name) => views.get(name)?.root ?? []);
  return roots.find(({ height }) => height === blocks[0]!.height - 1);
}

function connect(state: QuorumState, block: BlockRef, out: QuorumEvent[]): void {
  state.chain.push(block);
  if (state.chain.length > KEPT_BLOCKS) state.matches.delete(state.chain.shift()!.hash);
  const found = [...(state.matches.get(block.hash)?.values() ?? [])].map(({ tx }) => tx);
  for (const { txid } of found) state.sightings.delete(txid);
  out.push({ kind: 'connected', block, matches: found, seenBy: whoHas(state, block) });
}

function noteMatches(
  state: QuorumState,
  source: string,
  block: BlockRef,
  matches: readonly MatchedTx[],
  out: QuorumEvent[],
): void {
  const known = state.matches.get(block.hash) ?? new Map<Txid, { tx: MatchedTx; by: Set<string> }>();
  if (matches.length > 0) state.matches.set(block.hash, known);
  const told = state.chain.some(({ hash }) => hash === block.hash);
  const fresh: MatchedTx[] = [];
  for (const tx of matches) {
    const before = known.get(tx.txid);
    if (before) before.by.add(source);
    else {
      known.set(tx.txid, { tx, by: new Set([source]) });
      fresh.push(tx);
    }
  }
  if (told && fresh.length > 0) out.push({ kind: 'supplement', block, matches: fresh, seenBy: [source] });
}

const RANK: Readonly<Record<Exclude<Grade, 'confirmed'>, number>> = { claimed: 0, valid: 1, relayed: 2 };

function sight(
  state: QuorumState,
  source: string,
  tx: MatchedTx,
  grade: Exclude<Grade, 'confirmed'>,
  nowMs: number,
  out: QuorumEvent[],
): void {
  const known = state.sightings.get(tx.txid);
  if (!known) {
    state.sightings.set(tx.txid, { tx, grades: new Map([[source, grade]]), told: grade, firstMs: nowMs });
    out.push({ kind: 'sighted', tx, grade, seenBy: [source] });
    return;
  }
  known.grades.set(source, grade);
  if (RANK[grade] <= RANK[known.told]) return;
  known.told = grade;
  out.push({ kind: 'sighted', tx: known.tx, grade, seenBy: [...known.grades.keys()] });
}

/** A sighting is over when nobody sees it any more; one source alone may have dropped it for reasons of its own. */
function lose(
  state: QuorumState,
  source: string,
  event: Extract<ChainEvent, { kind: 'replaced' | 'evicted' }>,
  out: QuorumEvent[],
): void {
  const known = state.sightings.get(event.txid);
  if (!known?.grades.delete(source)) return;
  // Which transaction took its place is a fact to look at, whoever says so.
  if (known.grades.size > 0 && event.kind === 'evicted') return;
  state.sightings.delete(event.txid);
  out.push({ ...event, seenBy: [source] });
}

const whoHas = (state: QuorumState, block: BlockRef) =>
  [...state.views].filter(([, view]) => contains(view, block)).map(([name]) => name);

type Difference = Sides & Matter;

/** Sources that have another block than the told one at the highest height that they share with it. */
function blockDifferences(state: QuorumState): Difference[] {
  const byHeight = new Map<number, Map<BlockHash, string[]>>();
  for (const [name, view] of state.views) {
    const tip = tipOf(view);
    const told = tip && state.chain.findLast(({ height }) => height <= tip.height);
    if (!told || contains(view, told)) continue;
    const own = view.blocks.find(({ height }) => height === told.height);
    if (!own) continue;
    const hashes = byHeight.get(told.height) ?? new Map<BlockHash, string[]>([[told.hash, whoHas(state, told)]]);
    byHeight.set(told.height, hashes.set(own.hash, [...(hashes.get(own.hash) ?? []), name]));
  }
  return [...byHeight].map(([height, hashes]) => {
    const [seenBy = [], ...others] = hashes.values();
    const about = `block ${[...hashes.keys()].slice(1).sort().join(' ')}`;
    return { matter: 'block', about, height, hashes: [...hashes.keys()], seenBy, others: others.flat() };
  });
}

/** How many told blocks are looked through: who withholds something does so for what is new. */
const LOOKED_THROUGH = 6;

function matchDifferences(state: QuorumState): Difference[] {
  const out: Difference[] = [];
  for (const block of state.chain.slice(-LOOKED_THROUGH)) {
    const owners = whoHas(state, block);
    for (const [txid, { by }] of state.matches.get(block.hash) ?? []) {
      const others = owners.filter((name) => !by.has(name));
      if (others.length === 0) continue;
      out.push({ matter: 'matches', about: `matches ${block.hash} ${txid}`, block, txid, seenBy: [...by], others });
    }
  }
  return out;
}

function mempoolDifferences(state: QuorumState): Difference[] {
  const live = [...state.views].filter(([, view]) => view.health?.state === 'live').map(([name]) => name);
  const out: Difference[] = [];
  for (const [txid, { grades }] of state.sightings) {
    const others = live.filter((name) => !grades.has(name));
    if (others.length === 0) continue;
    out.push({ matter: 'mempool', about: `mempool ${txid}`, txid, seenBy: [...grades.keys()], others });
  }
  return out;
}

function tellLag(state: QuorumState, nowMs: number, out: QuorumEvent[]): void {
  const top = Math.max(...[...state.views.values()].map((view) => tipOf(view)?.height ?? -1));
  for (const [source, view] of state.views) {
    const blocks = top - (tipOf(view)?.height ?? -1);
    const known = state.lagging.get(source);
    if (top < 0 || blocks < state.config.lagBlocks) {
      state.lagging.delete(source);
      if (known?.told) out.push({ kind: 'lag', source, blocks, over: true });
      continue;
    }
    const since = known ?? { sinceMs: nowMs, told: false };
    state.lagging.set(source, since);
    if (since.told || nowMs - since.sinceMs < state.config.graceMs) continue;
    since.told = true;
    out.push({ kind: 'lag', source, blocks, over: false });
  }
}
