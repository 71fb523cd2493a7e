import type { BlockHash, Txid } from '@keepwatch/bitcoin';
import type { BlockRef } from '../source.ts';
import type { QuorumState, Sighting } from './step.ts';
import { blockAt, contains, hasMempool, isGone, tipOf, type View } from './view.ts';

/** Who says so, and who does not. */
interface Sides {
  readonly seenBy: readonly string[];
  readonly others: readonly string[];
}

/** What sources differ about. `about` names it and who differs, the same for its end. */
type Matter = {
  readonly about: string;
} & (
  | { readonly matter: 'block'; readonly height: number; readonly hashes: readonly BlockHash[] }
  | { readonly matter: 'matches'; readonly block: BlockRef; readonly txid: Txid }
  | { readonly matter: 'mempool'; readonly txid: Txid }
);

/** One source differs from what the others say. Each has its own, so that none hides behind another. */
export type Difference = Sides & Matter;

/** All that sources differ about at this moment, told or not. */
export function differencesOf(state: QuorumState, nowMs: number): readonly Difference[] {
  return [...blockDifferences(state, nowMs), ...matchDifferences(state), ...mempoolDifferences(state, nowMs)];
}

/**
 * Sources on another branch than the told one. A branch is named by its first block, so that the difference stays the same
 * one while both branches grow. One that is only behind does not differ, and the last word of one that is gone is old.
 */
function blockDifferences(state: QuorumState, nowMs: number): Difference[] {
  const out: Difference[] = [];
  for (const [name, view] of state.views) {
    if (isGone(view, nowMs, state.config.graceMs)) continue;
    const fork = forkOf(state, view);
    if (!fork) continue;
    const { told, own } = fork;
    const about = `block ${own.hash} ${name}`;
    const hashes = [told.hash, own.hash];
    out.push({ matter: 'block', about, height: own.height, hashes, seenBy: whoHas(state, told), others: [name] });
  }
  return out;
}

/** The lowest height at which the source has another block than the told one. */
function forkOf(state: QuorumState, view: View): { readonly told: BlockRef; readonly own: BlockRef } | undefined {
  const top = Math.min(tipOf(view)?.height ?? -1, state.chain.at(-1)?.height ?? -1);
  let fork: { told: BlockRef; own: BlockRef } | undefined;
  for (let height = top; ; height--) {
    const told = blockAt(state.chain, height);
    const own = blockAt(view.blocks, height);
    if (!told || !own || told.hash === own.hash) return fork;
    fork = { told, own };
  }
}

/**
 * Sources that did not tell of a transaction in a told block, although they looked through that block for something that the
 * transaction touches. What one of them did not watch yet, because a wallet grew in between, it did not have to see.
 */
function matchDifferences(state: QuorumState): Difference[] {
  const out: Difference[] = [];
  for (const hash of state.unequal) {
    const found = state.matches.byBlock.get(hash);
    const before = out.length;
    if (found && blockAt(state.chain, found.block.height)?.hash === hash) {
      const { block, txs } = found;
      for (const [txid, { tx, by }] of txs) {
        // What everybody has taken back nobody says any more.
        if (by.size === 0) continue;
        for (const [name, { looked, member }] of state.views) {
          const mark = looked.get(hash);
          if (by.has(name) || !mark || !member.watch.covers(tx, mark)) continue;
          const about = `matches ${hash} ${txid} ${name}`;
          out.push({ matter: 'matches', about, block, txid, seenBy: [...by], others: [name] });
        }
      }
    }
    if (out.length === before) state.unequal.delete(hash);
  }
  return out;
}

/** Transactions that are in the mempool of one source and not of another one, which has no block with them either. */
function mempoolDifferences(state: QuorumState, nowMs: number): Difference[] {
  const out: Difference[] = [];
  const speaking = [...state.views].filter(([, view]) => hasMempool(view, nowMs, state.config.graceMs));
  for (const [txid, sighting] of state.sightings) {
    const seenBy = speaking.flatMap(([name]) => (sighting.grades.has(name) ? [name] : []));
    if (seenBy.length === 0) continue;
    for (const [name, view] of speaking) {
      if (sighting.grades.has(name) || !isDue(state, view, sighting) || hasInBlock(state, view, txid)) continue;
      out.push({ matter: 'mempool', about: `mempool ${txid} ${name}`, txid, seenBy, others: [name] });
    }
  }
  return out;
}

/** What came before a source listened, or just then, it may never hear of. */
function isDue({ config }: QuorumState, { member, hearingSinceMs }: View, { excused, firstMs }: Sighting): boolean {
  if (member.mempool === 'whole') return true;
  return !excused.has(member.name) && hearingSinceMs !== null && hearingSinceMs + config.graceMs <= firstMs;
}

/**
 * Who may never hear of a transaction that a source sights: it may have been relayed before they listened for it. That is so
 * too where the first who tells of it has only just come, or has just moved to another block: it may have waited for that.
 */
export function excusedFrom(
  state: QuorumState,
  source: string,
  tx: Sighting['tx'],
  nowMs: number,
): ReadonlySet<string> {
  const sinceMs = nowMs - state.config.graceMs;
  const { hearingSinceMs, movedMs } = state.views.get(source)!;
  const isOld = hearingSinceMs === null || hearingSinceMs > sinceMs || movedMs > sinceMs;
  const excused = new Set<string>();
  for (const [name, { member, marks }] of state.views) {
    if (member.mempool === 'whole') continue;
    const known = marks.findLast(({ atMs }) => atMs <= sinceMs);
    if (isOld || !known || !member.watch.covers(tx, known.mark)) excused.add(name);
  }
  return excused;
}

function hasInBlock({ matches }: QuorumState, view: View, txid: Txid): boolean {
  const blocks = matches.blocksOf.get(txid);
  return blocks !== undefined && [...blocks].some((hash) => contains(view, matches.byBlock.get(hash)!.block));
}

export const whoHas = (state: QuorumState, block: BlockRef) =>
  [...state.views].filter(([, view]) => contains(view, block)).map(([name]) => name);
