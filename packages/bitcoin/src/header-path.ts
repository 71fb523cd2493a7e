import type { HeaderStore } from './header-store.ts';

/** The best chain through the tree: which node stands at which height. As few numbers as it has runs. */
export interface BestPath {
  tip(): number;
  /** `undefined` below the root, above the tip, and for what is no height. */
  at(height: number): number | undefined;
  has(node: number): boolean;
  /** From now on the chain is that of this node and its ancestors. */
  moveTo(node: number): void;
  snapshot(): PathSnapshot;
  restore(snapshot: PathSnapshot): void;
}

interface Stretch {
  /** From this height on stand this node and, up to the next stretch, those behind it. */
  readonly height: number;
  readonly node: number;
}

export interface PathSnapshot {
  readonly tip: number;
  readonly stretches: readonly Stretch[];
}

/** Begins with the store's root. */
export function createBestPath(store: Pick<HeaderStore, 'height' | 'parent' | 'runStart'>): BestPath {
  let tip = 0;
  let tipHeight = store.height(0);
  let stretches: readonly Stretch[] = [{ height: tipHeight, node: 0 }];

  function at(height: number): number | undefined {
    if (!Number.isInteger(height) || height < stretches[0]!.height || height > tipHeight) return undefined;
    let low = 0;
    let high = stretches.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (stretches[middle]!.height <= height) low = middle;
      else high = middle - 1;
    }
    const { height: from, node } = stretches[low]!;
    return node + height - from;
  }

  const has = (node: number) => at(store.height(node)) === node;

  /** The last node from `first` on that is on the path; `first` is, and after one that is not none is. */
  function lastOn(first: number, node: number): number {
    let low = first;
    let high = node;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (has(middle)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  return {
    tip: () => tip,
    at,
    has,
    moveTo(node) {
      // Mostly the next of the same run: its stretch goes on.
      if (node === tip + 1 && store.parent(node) === tip) {
        tip = node;
        tipHeight++;
        return;
      }
      const above: Stretch[] = [];
      let fork = node;
      while (!has(fork)) {
        const first = store.runStart(fork);
        if (has(first)) {
          const shared = lastOn(first, fork);
          above.unshift({ height: store.height(shared + 1), node: shared + 1 });
          fork = shared;
        } else {
          above.unshift({ height: store.height(first), node: first });
          fork = store.parent(first);
        }
      }
      const forkHeight = store.height(fork);
      stretches = [...stretches.filter(({ height }) => height <= forkHeight), ...above];
      tip = node;
      tipHeight = store.height(node);
    },
    snapshot: () => ({ tip, stretches }),
    restore(snapshot) {
      ({ tip, stretches } = snapshot);
      tipHeight = store.height(tip);
    },
  };
}
