import type { BlockRef, Health } from '../source.ts';

/** What one source says the chain is: its newest blocks, oldest first, without a gap. */
export interface View {
  blocks: BlockRef[];
  /** The fork that was named when the last one left: where what follows goes on from, though it was never told. */
  root: BlockRef | null;
  health: Health | null;
}

export function tipOf(view: View): BlockRef | undefined {
  return view.blocks.at(-1);
}

export function contains(view: View, block: BlockRef): boolean {
  const first = view.blocks[0];
  return first !== undefined && view.blocks[block.height - first.height]?.hash === block.hash;
}

/** A block that does not follow the last one begins the view anew: the source has skipped what nobody needs. */
export function addBlock(view: View, block: BlockRef, kept: number): void {
  const tip = tipOf(view);
  if (tip && block.height !== tip.height + 1) view.blocks = [];
  view.blocks.push(block);
  if (view.blocks.length > kept) view.blocks.shift();
}

export function dropBlock(view: View, block: BlockRef, fork: BlockRef): void {
  if (tipOf(view)?.hash === block.hash) view.blocks.pop();
  if (view.blocks.length === 0) view.root = fork;
}
