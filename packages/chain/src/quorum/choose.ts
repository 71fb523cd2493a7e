import type { BlockRef } from '../source.ts';
import type { Suffices } from './step.ts';
import { contains, type View } from './view.ts';

/** A chain that suffices, and who agrees on it. */
export interface Chosen {
  readonly blocks: readonly BlockRef[];
  readonly by: readonly string[];
}

/**
 * The chain to believe: of all sets that suffice the one whose members agree on the highest block. Of two that reach the
 * same height, the one that goes on from what was told; then the one that stands first in the configuration. A set with
 * a member that is down says nothing.
 */
export function chooseChain(
  views: ReadonlyMap<string, View>,
  suffices: Suffices,
  told: readonly BlockRef[],
): Chosen | undefined {
  let best: Chosen | undefined;
  for (const names of suffices) {
    const members = names.map((name) => views.get(name));
    if (!members.every((view) => view !== undefined && view.health?.state !== 'down')) continue;
    const blocks = agreed(members as View[]);
    if (blocks.length === 0) continue;
    const chosen = { blocks, by: names };
    if (!best || isBetter(chosen, best, told.at(-1))) best = chosen;
  }
  return best;
}

/** What all views share: from the highest beginning up to the first difference. */
function agreed(views: readonly View[]): readonly BlockRef[] {
  const [first, ...others] = views;
  if (!first) return [];
  const last = first.blocks.findLastIndex((block) => others.every((view) => contains(view, block)));
  if (last < 0) return [];
  let from = last;
  while (from > 0 && others.every((view) => contains(view, first.blocks[from - 1]!))) from--;
  return first.blocks.slice(from, last + 1);
}

function isBetter(a: Chosen, b: Chosen, told: BlockRef | undefined): boolean {
  const difference = a.blocks.at(-1)!.height - b.blocks.at(-1)!.height;
  if (difference !== 0) return difference > 0;
  const goesOn = ({ blocks }: Chosen) => told !== undefined && blocks.some(({ hash }) => hash === told.hash);
  return goesOn(a) && !goesOn(b);
}
