import type { BlockHash, Txid } from '@keepwatch/bitcoin';
import type { BlockRef, MatchedTx } from '../source.ts';

/** What sources found in blocks, told or not, and who found it. */
export interface Matches {
  readonly byBlock: Map<BlockHash, BlockMatches>;
  /** In which blocks a transaction is: in one of each branch at most. */
  readonly blocksOf: Map<Txid, Set<BlockHash>>;
}

export interface BlockMatches {
  readonly block: BlockRef;
  readonly txs: Map<Txid, { tx: MatchedTx; readonly by: Set<string> }>;
}

export const createMatches = (): Matches => ({ byBlock: new Map(), blocksOf: new Map() });

/**
 * A source has looked through a block. Its newest word counts: what it found earlier and no longer tells it does not vouch
 * for. Gives what nobody had told of the block: transactions, or more of what a known one touches.
 */
export function noteMatches(
  all: Matches,
  source: string,
  block: BlockRef,
  matches: readonly MatchedTx[],
): readonly MatchedTx[] {
  const known = all.byBlock.get(block.hash) ?? { block, txs: new Map() };
  if (matches.length > 0) all.byBlock.set(block.hash, known);
  for (const { by } of known.txs.values()) by.delete(source);
  const fresh: MatchedTx[] = [];
  for (const tx of matches) {
    const before = known.txs.get(tx.txid);
    if (!before) {
      known.txs.set(tx.txid, { tx, by: new Set([source]) });
      all.blocksOf.set(tx.txid, (all.blocksOf.get(tx.txid) ?? new Set()).add(block.hash));
      fresh.push(tx);
      continue;
    }
    before.by.add(source);
    const more = joined(before.tx, tx);
    if (more === before.tx) continue;
    before.tx = more;
    fresh.push(more);
  }
  return fresh;
}

/** All that two sources say of one transaction: who watched more saw more of it. The first one itself where the second adds nothing. */
function joined(known: MatchedTx, other: MatchedTx): MatchedTx {
  const received = other.received.filter(({ vout }) => known.received.every((each) => each.vout !== vout));
  const spent = other.spent.filter(({ vin }) => known.spent.every((each) => each.vin !== vin));
  if (received.length + spent.length === 0) return known;
  return {
    ...known,
    received: [...known.received, ...received].sort((a, b) => a.vout - b.vout),
    spent: [...known.spent, ...spent].sort((a, b) => a.vin - b.vin),
  };
}

/** Forgets blocks below this height. They stand in the order in which they came, so few are looked at. */
export function forgetBelow({ byBlock, blocksOf }: Matches, height: number): void {
  for (const [hash, { block, txs }] of byBlock) {
    if (block.height >= height) return;
    byBlock.delete(hash);
    for (const txid of txs.keys()) {
      const blocks = blocksOf.get(txid);
      blocks?.delete(hash);
      if (blocks?.size === 0) blocksOf.delete(txid);
    }
  }
}
