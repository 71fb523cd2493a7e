import { type Coin, type WatchState } from './state.ts';

/** When a path opens for a coin, and what its owner wants to know of it. */
export interface Opening {
  readonly wallet: string;
  /** The first block that may hold a spend by that path. */
  readonly opensAtHeight: number;
  /** The heights at which it is told: so long before, and with the block before the first that may hold it. */
  readonly soonHeight: number;
  readonly openHeight: number;
}

/** The paths of a coin in a block; none for one that is unconfirmed or whose script has no time lock. */
export function openingsOf(state: WatchState, coin: Coin): readonly Opening[] {
  const { status } = state.txs.get(coin.txid) ?? {};
  if (status?.kind !== 'confirmed' || coin.script === null) return [];
  const openings = new Map<string, Opening>();
  for (const { wallet, descriptor } of state.scripts.find(coin.script)) {
    const watched = state.wallets.get(wallet)?.wallet;
    const before = watched?.limits.timelockBlocks ?? null;
    if (!watched || before === null) continue;
    for (const { kind, blocks } of watched.descriptors[descriptor]!.locks) {
      // BIP68: in the n-th block after the coin's own. BIP65: a lock time of H lets it into the block after H.
      const opensAtHeight = kind === 'older' ? status.block.height + blocks : blocks + 1;
      const openHeight = opensAtHeight - 1;
      const soonHeight = Math.max(0, openHeight - before);
      openings.set(`${wallet}:${opensAtHeight}`, { wallet, opensAtHeight, soonHeight, openHeight });
    }
  }
  return [...openings.values()];
}

/** Has a coin looked at when one of its paths is about to open, at the next block at the earliest. */
export function scheduleCoin(state: WatchState, key: string): void {
  const coin = state.coins.get(key);
  if (!coin) return;
  const next = (state.tip?.height ?? state.bestHeight) + 1;
  const heights = new Set<number>();
  for (const { soonHeight, openHeight } of openingsOf(state, coin)) {
    heights.add(Math.max(next, soonHeight)).add(Math.max(next, openHeight));
  }
  for (const height of heights) {
    const waiting = state.timers.get(height) ?? [];
    if (!waiting.includes(key)) state.timers.set(height, [...waiting, key]);
  }
}

/** Whether a transaction in a block spends the coin. */
export function isSpent(state: WatchState, coin: Coin): boolean {
  return coin.spenders.some((txid) => state.txs.get(txid)?.status.kind === 'confirmed');
}
