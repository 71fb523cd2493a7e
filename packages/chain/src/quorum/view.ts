import type { BlockHash } from '@keepwatch/bitcoin';
import type { BlockRef, ChainSource, Health, SourceWatch, WatchMark } from '../source.ts';

/** A source as the quorum knows it. */
export interface Member extends Pick<ChainSource, 'name' | 'mempool'> {
  /** What it watches and since when. */
  readonly watch: Pick<SourceWatch, 'mark' | 'covers'>;
}

/** What one source says the chain is: its newest blocks, oldest first, without a gap. */
export interface View {
  readonly member: Member;
  blocks: BlockRef[];
  /** The fork that was named when the last one left: where what follows goes on from, though it was never told. */
  root: BlockRef | null;
  /** What it watched when it looked through a block. Those that an earlier run told are not among them. */
  readonly looked: Map<BlockHash, WatchMark>;
  health: Health | null;
  downSinceMs: number | null;
  /** Since when it hears what is relayed. */
  hearingSinceMs: number | null;
  /** When it told a block last, or took one back. */
  movedMs: number;
  /** What it watched at some moments of the last while, oldest first. */
  marks: { readonly atMs: number; readonly mark: WatchMark }[];
}

export function createView(member: Member, blocks: readonly BlockRef[]): View {
  return {
    ...{ member, blocks: [...blocks], root: null, looked: new Map(), health: null },
    ...{ downSinceMs: null, hearingSinceMs: null, movedMs: -Infinity, marks: [] },
  };
}

export function tipOf(view: View): BlockRef | undefined {
  return view.blocks.at(-1);
}

/** The block of a chain (oldest first, without a gap) at this height. */
export function blockAt(blocks: readonly BlockRef[], height: number): BlockRef | undefined {
  const first = blocks[0];
  return first && blocks[height - first.height];
}

export function contains(view: View, block: BlockRef): boolean {
  return blockAt(view.blocks, block.height)?.hash === block.hash;
}

/** A block that does not follow the last one begins the view anew: the source has skipped what nobody needs. */
export function addBlock(view: View, block: BlockRef, watched: WatchMark, kept: number): void {
  const tip = tipOf(view);
  if (tip && block.height !== tip.height + 1) {
    view.blocks = [];
    view.looked.clear();
  }
  view.blocks.push(block);
  view.looked.set(block.hash, watched);
  if (view.blocks.length > kept) view.looked.delete(view.blocks.shift()!.hash);
}

export function dropBlock(view: View, block: BlockRef, fork: BlockRef): void {
  if (tipOf(view)?.hash === block.hash) {
    view.blocks.pop();
    view.looked.delete(block.hash);
  }
  if (view.blocks.length === 0) view.root = fork;
}

export function noteHealth(view: View, health: Health, nowMs: number): void {
  view.health = health;
  view.downSinceMs = health.state === 'down' ? (view.downSinceMs ?? nowMs) : null;
  view.hearingSinceMs = speaks(health) ? (view.hearingSinceMs ?? nowMs) : null;
}

const speaks = ({ state }: Health) => state === 'live' || state === 'behind' || state === 'stale';

/** Whether it has been out of reach for so long that its last word no longer counts. */
export function isGone({ downSinceMs }: View, nowMs: number, graceMs: number): boolean {
  return downSinceMs !== null && nowMs - downSinceMs >= graceMs;
}

/** Whether it tells what is in no block yet. One that is down for a moment still does. */
export function hasMempool(view: View, nowMs: number, graceMs: number): boolean {
  const { health } = view;
  if (health === null) return false;
  return speaks(health) || (health.state === 'down' && !isGone(view, nowMs, graceMs));
}
