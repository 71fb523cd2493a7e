import type { BlockRef } from './chain-input.ts';
import type { Coin, TxStatus, WatchState } from './state.ts';
import type { TimeLock } from './wallet.ts';

/** When a path opens for a coin, and what its owner wants to know of it. */
export type Opening = {
  readonly wallet: string;
} & (
  | {
      readonly by: 'height';
      /** The first block that may hold a spend by that path. */
      readonly opensAt: number;
      /** The heights at which it is told: so long before, and with the block before the first that may hold it. */
      readonly soon: number;
      readonly open: number;
    }
  /** Median time past, in seconds since 1970: once the tip's is there, the next block may hold such a spend. */
  | { readonly by: 'time'; readonly opensAt: number; readonly soon: number; readonly open: number }
);

/** BIP68: locks by time are in units of 512 seconds. */
const UNIT_SECONDS = 512;
const BLOCK_SECONDS = 600;
/** A miner's clock may be ahead by so much, and the median of the blocks before behind by as much (two hours). */
const CLOCK_SECONDS = 7_200;
/** Coins that wait for a time are looked at from the beginning of its bucket on. */
const BUCKET_SECONDS = 6 * 3_600;
/** BIP113: the median of the last eleven blocks. */
const MEDIAN_BLOCKS = 11;

/** The paths of a coin in a block; none for one that is unconfirmed or whose script has no time lock. */
export function openingsOf(state: WatchState, coin: Coin): readonly Opening[] {
  const { status } = state.txs.get(coin.txid) ?? {};
  if (status?.kind !== 'confirmed' || coin.script === null) return [];
  const openings = new Map<string, Opening>();
  for (const { wallet, descriptor } of state.scripts.find(coin.script)) {
    const watched = state.wallets.get(wallet)?.wallet;
    const before = watched?.limits.timelockBlocks ?? null;
    if (!watched || before === null) continue;
    for (const lock of watched.descriptors[descriptor]!.locks) {
      if ('blocks' in lock) {
        const opensAt = opensAtHeight(lock, status.block.height);
        const open = opensAt - 1;
        const opening = { wallet, by: 'height', opensAt, open, soon: Math.max(0, open - before) } as const;
        openings.set(`${wallet}:${opensAt}`, opening);
      } else {
        const opensAt = opensAtSeconds(lock, status.medianSeconds);
        const soon = Math.max(0, opensAt - before * BLOCK_SECONDS);
        openings.set(`${wallet}:t${opensAt}`, { wallet, by: 'time', opensAt, open: opensAt, soon });
      }
    }
  }
  return [...openings.values()];
}

/** The first block that may hold a spend. BIP68: the n-th after the coin's own. BIP65: a lock time of H lets it into the next. */
function opensAtHeight({ kind, blocks }: Extract<TimeLock, { readonly blocks: number }>, coinHeight: number): number {
  return kind === 'older' ? coinHeight + blocks : blocks + 1;
}

/** BIP68: counted from the median time past of the block before the coin's own. BIP113: a lock time lies before it. */
function opensAtSeconds(lock: Exclude<TimeLock, { readonly blocks: number }>, medianSeconds: number): number {
  return lock.kind === 'older-time' ? medianSeconds + lock.units * UNIT_SECONDS : lock.seconds + 1;
}

/** How long a lock goes on: so many blocks or, by the chain's time (BIP113), seconds. Where it opens is not known of a relative lock before its coin is in a block. */
export type LockLeft =
  | { readonly blocksLeft: number; readonly opensAtHeight?: number }
  | { readonly secondsLeft: number; readonly opensAtSeconds?: number };

/**
 * What is left of the first lock to open, counted from the tip. `isOver`: a block that could have held a spend by that path has
 * come. Undefined: there is no lock.
 */
export function lockLeft(
  state: WatchState,
  locks: readonly TimeLock[],
  status: TxStatus,
): { readonly left: LockLeft; readonly isOver: boolean } | undefined {
  const { tip } = state;
  const height = tip?.height ?? state.bestHeight;
  const median = tip === null ? 0 : medianWith(state, tip);
  const coin = status.kind === 'confirmed' ? status : undefined;
  const all = locks.map((lock) => {
    const isOpenEnded = !coin && (lock.kind === 'older' || lock.kind === 'older-time');
    if ('blocks' in lock) {
      const opensAt = opensAtHeight(lock, coin?.block.height ?? 0);
      const left = isOpenEnded ? lock.blocks : opensAt - 1 - height;
      const blocksLeft = Math.max(0, left);
      return {
        seconds: left * BLOCK_SECONDS,
        left: isOpenEnded ? { blocksLeft } : { blocksLeft, opensAtHeight: opensAt },
      };
    }
    const opensAt = opensAtSeconds(lock, coin?.medianSeconds ?? 0);
    const seconds = isOpenEnded ? opensAt : opensAt - median;
    const secondsLeft = Math.max(0, seconds);
    return { seconds, left: isOpenEnded ? { secondsLeft } : { secondsLeft, opensAtSeconds: opensAt } };
  });
  const first = all.sort((a, b) => a.seconds - b.seconds)[0];
  return first && { left: first.left, isOver: first.seconds < 0 };
}

/** The median time past with this block as the tip (BIP113), of as many blocks below it as are known. */
export function medianWith(state: WatchState, block: BlockRef): number {
  const times = [block.timeSeconds];
  for (let back = 1; back < MEDIAN_BLOCKS; back++) {
    const below = state.blocks.get(block.height - back);
    if (below) times.push(below.timeSeconds);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1]!;
}

/** From which time on locks of a coin count whose block this is; the earliest that it may be where blocks are not known. */
export function medianBefore(state: WatchState, block: BlockRef): number {
  const times: number[] = [];
  for (let back = 1; back <= MEDIAN_BLOCKS; back++) {
    const below = state.blocks.get(block.height - back);
    if (below) times.push(below.timeSeconds);
  }
  if (times.length < MEDIAN_BLOCKS) return Math.max(0, block.timeSeconds - CLOCK_SECONDS);
  return times.sort((a, b) => a - b)[MEDIAN_BLOCKS >> 1]!;
}

/** Has a coin looked at when one of its paths is about to open, at the next block at the earliest. */
export function scheduleCoin(state: WatchState, key: string, afterSeconds = -1): void {
  const coin = state.coins.get(key);
  if (!coin) return;
  const next = (state.tip?.height ?? state.bestHeight) + 1;
  const add = (timers: WatchState['timers'], at: number) => {
    const waiting = timers.get(at) ?? [];
    if (!waiting.includes(key)) timers.set(at, [...waiting, key]);
  };
  for (const { by, soon, open } of openingsOf(state, coin)) {
    for (const at of [soon, open]) {
      if (by === 'time') {
        if (at > afterSeconds) add(state.timeTimers, Math.floor(at / BUCKET_SECONDS));
      } else if (afterSeconds < 0) add(state.timers, Math.max(next, at));
    }
  }
}

/** Nobody waits for its paths any more. */
export function unscheduleCoin(state: WatchState, key: string): void {
  const coin = state.coins.get(key);
  const remove = (timers: WatchState['timers'], at: number) => {
    const waiting = timers.get(at) ?? [];
    const others = waiting.filter((each) => each !== key);
    if (others.length === 0) timers.delete(at);
    else if (others.length < waiting.length) timers.set(at, others);
  };
  for (const { by, soon, open } of coin ? openingsOf(state, coin) : []) {
    for (const at of [soon, open]) {
      if (by === 'time') remove(state.timeTimers, Math.floor(at / BUCKET_SECONDS));
      else remove(state.timers, at);
    }
  }
}

/** Coins to look at once this block is connected. */
export function waitingFor(state: WatchState, block: BlockRef): readonly string[] {
  const keys = new Set(state.timers.get(block.height));
  for (const bucket of bucketsUpTo(state, medianWith(state, block))) {
    for (const key of state.timeTimers.get(bucket)!) keys.add(key);
  }
  return [...keys];
}

/** The block is connected: who waited for it does so no longer, unless for a time that is still to come. */
export function passTimers(state: WatchState, block: BlockRef): void {
  state.timers.delete(block.height);
  const median = medianWith(state, block);
  const due = bucketsUpTo(state, median);
  const keys = new Set(due.flatMap((bucket) => [...state.timeTimers.get(bucket)!]));
  for (const bucket of due) state.timeTimers.delete(bucket);
  for (const key of keys) scheduleCoin(state, key, median);
}

function bucketsUpTo({ timeTimers }: WatchState, seconds: number): readonly number[] {
  return [...timeTimers.keys()].filter((bucket) => bucket * BUCKET_SECONDS <= seconds);
}

/** Whether a transaction in a block spends the coin. */
export function isSpent(state: WatchState, coin: Coin): boolean {
  return coin.settled !== null || coin.spenders.some((txid) => state.txs.get(txid)?.status.kind === 'confirmed');
}
