import { assertNever } from '@keepwatch/base';
import type { BlockHash, Txid } from '@keepwatch/bitcoin';
import type { BlockRef, ChainEvent, Grade, Health, MatchedTx } from '../source.ts';
import { chooseChain, type Chosen } from './choose.ts';
import { differencesOf, excusedFrom, whoHas, type Difference } from './differences.ts';
import { createMatches, forgetBelow, noteMatches, type Matches } from './matches.ts';
import { addBlock, blockAt, createView, dropBlock, noteHealth, tipOf, type Member, type View } from './view.ts';

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
  readonly sources: readonly Member[];
  readonly suffices: Suffices;
  /** How long sources may differ before it is told, ms: blocks and transactions take their time through a network. */
  readonly graceMs: number;
  /** How many blocks a source may be behind. */
  readonly lagBlocks: number;
}

type Told = (
  Exclude<ChainEvent, { kind: 'health' | 'connected' }> | Omit<Extract<ChainEvent, { kind: 'connected' }>, 'watched'>
) & {
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
  | ({ readonly kind: 'disagreement' } & Difference)
  /** A disagreement of the same `about` is over. */
  | { readonly kind: 'agreement'; readonly about: string }
  | { readonly kind: 'lag'; readonly source: string; readonly blocks: number; readonly over: boolean }
  | { readonly kind: 'source-health'; readonly source: string; readonly health: Health }
  /** Whether any set that suffices is able to speak: false is the time to worry, and is told after the grace. */
  | { readonly kind: 'quorum'; readonly able: boolean };

export interface Sighting {
  readonly tx: MatchedTx;
  readonly grades: Map<string, Exclude<Grade, 'confirmed'>>;
  told: Exclude<Grade, 'confirmed'>;
  readonly firstMs: number;
  /** Sources that may never hear of it, and are not at fault. */
  readonly excused: ReadonlySet<string>;
}

/** Changed in place by {@link quorumStep} alone. */
export interface QuorumState {
  readonly config: QuorumConfig;
  readonly views: Map<string, View>;
  /** What was told, oldest first. */
  chain: BlockRef[];
  readonly matches: Matches;
  /** Blocks of which some source may not have told all that another one did. */
  readonly unequal: Set<BlockHash>;
  readonly sightings: Map<Txid, Sighting>;
  readonly differences: Map<string, { sinceMs: number; told: boolean }>;
  readonly lagging: Map<string, { sinceMs: number; told: boolean }>;
  able: boolean;
  unableSinceMs: number | null;
}

/** Deeper than any reorganisation that was ever seen on a live chain; what lies below is settled. */
const KEPT_BLOCKS = 2_016;

/** `told`: the last blocks that were told before, oldest first. Only those without a gap up to the last are of use here. */
export function createQuorumState(config: QuorumConfig, told: readonly BlockRef[] = []): QuorumState {
  const gap = told.findLastIndex(({ height }, i) => i > 0 && told[i - 1]!.height !== height - 1);
  const chain = told.slice(Math.max(0, gap));
  const views = new Map(config.sources.map((member): [string, View] => [member.name, createView(member, chain)]));
  return {
    ...{ config, views, chain: [...chain], matches: createMatches(), unequal: new Set(), sightings: new Map() },
    ...{ differences: new Map(), lagging: new Map(), able: false, unableSinceMs: null },
  };
}

/** One event of one source. `nowMs` never goes back. */
export function quorumStep(state: QuorumState, source: string, event: ChainEvent, nowMs: number): QuorumEvent[] {
  const view = state.views.get(source);
  if (!view) throw new RangeError(`no source is called ${source}`);
  const out: QuorumEvent[] = [];
  switch (event.kind) {
    case 'connected':
      addBlock(view, event.block, event.watched, KEPT_BLOCKS);
      view.movedMs = nowMs;
      lookThrough(state, source, event.block, event.matches, out);
      follow(state, out);
      break;
    case 'disconnected':
      dropBlock(view, event.block, event.fork);
      view.movedMs = nowMs;
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
      noteHealth(view, event.health, nowMs);
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
  noteMarks(state, nowMs);
  const differing = differencesOf(state, nowMs);
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
  tellAble(state, nowMs, out);
  return out;
}

/** Now and then it is noted what those who only hear listen for, and what is older than the grace is forgotten but for one. */
function noteMarks({ views, config }: QuorumState, nowMs: number): void {
  for (const view of views.values()) {
    const last = view.marks.at(-1);
    if (view.member.mempool === 'whole' || (last && nowMs - last.atMs < config.graceMs / 4)) continue;
    view.marks.push({ atMs: nowMs, mark: view.member.watch.mark() });
    const old = view.marks.findLastIndex(({ atMs }) => nowMs - atMs >= config.graceMs);
    if (old > 0) view.marks.splice(0, old);
  }
}

function tellAble(state: QuorumState, nowMs: number, out: QuorumEvent[]): void {
  const { views, config } = state;
  if (chooseChain(views, config.suffices, state.chain) !== undefined) {
    state.unableSinceMs = null;
    if (!state.able) out.push({ kind: 'quorum', able: true });
    state.able = true;
    return;
  }
  state.unableSinceMs ??= nowMs;
  if (!state.able || nowMs - state.unableSinceMs < config.graceMs) return;
  state.able = false;
  out.push({ kind: 'quorum', able: false });
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
  const tip = state.chain.at(-1);
  if (tip && block.height !== tip.height + 1) state.chain = [];
  state.chain.push(block);
  if (state.chain.length > KEPT_BLOCKS) state.chain.shift();
  forgetBelow(state.matches, block.height - KEPT_BLOCKS);
  const found = [...(state.matches.byBlock.get(block.hash)?.txs.values() ?? [])].map(({ tx }) => tx);
  if (found.length > 0) state.unequal.add(block.hash);
  out.push({ kind: 'connected', block, matches: found, seenBy: whoHas(state, block) });
}

/** What a source found in a block is no longer in its mempool; and it may be more than was told of the block. */
function lookThrough(
  state: QuorumState,
  source: string,
  block: BlockRef,
  matches: readonly MatchedTx[],
  out: QuorumEvent[],
): void {
  const fresh = noteMatches(state.matches, source, block, matches);
  if (state.matches.byBlock.has(block.hash)) state.unequal.add(block.hash);
  for (const { txid } of matches) {
    const sighting = state.sightings.get(txid);
    sighting?.grades.delete(source);
    if (sighting?.grades.size === 0) state.sightings.delete(txid);
  }
  const isTold = blockAt(state.chain, block.height)?.hash === block.hash;
  if (isTold && fresh.length > 0) out.push({ kind: 'supplement', block, matches: fresh, seenBy: [source] });
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
    const excused = excusedFrom(state, source, tx, nowMs);
    state.sightings.set(tx.txid, { tx, grades: new Map([[source, grade]]), told: grade, firstMs: nowMs, excused });
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
