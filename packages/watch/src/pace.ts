import type { Network } from '@keepwatch/bitcoin';
import type { WatchSettings } from './settings.ts';
import type { WatchState } from './state.ts';

/**
 * How many blocks the chain that is told has lately, beside how many the network's schedule has: far fewer are a sign that
 * somebody feeds a chain of little work (an eclipse), that a source holds blocks back, or that much hash rate is gone.
 *
 * A block counts by the time in its header, which it has whether it was told at once or read after a start: so neither a
 * restart nor a day in which the monitor was down hides anything, and nothing is kept for it but the blocks themselves.
 * Whoever feeds the chain can set that time back or ahead by hours, but it takes blocks to have many of them.
 *
 * The arithmetic: at the schedule's rate the number of blocks in a window of `WINDOW` spacings is a Poisson variable of that
 * mean. A window comes to hold so few as `FEW` by a block that leaves it; blocks leave it as often as they come, so that this
 * happens with a chance of P(exactly FEW) for each block: 5.4e-8 of the 52,560 blocks of a year, once in 350 years. Where the
 * network's miners are 10 % slower than its schedule it is once in 17 years, at 15 % once in 4, at 20 % once a year.
 */
const WINDOW = 48;
/** A third of what is due. */
const FEW = 16;
/** What was slow is over with half of what is due, so that it does not come and go with every block. */
const ENOUGH = 24;
/** Headers are not in the order of their times: a miner's clock may be wrong by hours. So many more are looked at. */
const DISORDER = 12;

/** Bitcoin's ten minutes. Of test4 miners come and go, and regtest's blocks come when somebody asks for them. */
const SPACING_SECONDS: Readonly<Record<Network, number | null>> = {
  main: 600,
  signet: 600,
  test4: null,
  regtest: null,
};

/** Seconds from block to block by the network's schedule; null: it has none. */
export function blockSpacing({ network, blockSpacingSeconds }: WatchSettings): number | null {
  return blockSpacingSeconds === undefined ? SPACING_SECONDS[network] : blockSpacingSeconds;
}

export interface Pace {
  /** Blocks whose time lies within the last `inSeconds`, and how many of them are due. */
  readonly blocks: number;
  readonly dueBlocks: number;
  readonly inSeconds: number;
  readonly isSlow: boolean;
  readonly isEnough: boolean;
}

/** The pace of the last hours. Undefined where the network has no schedule, or too few blocks are known to tell. */
export function paceOf(state: WatchState, nowMs: number): Pace | undefined {
  const spacing = blockSpacing(state.settings);
  const { tip, lowestHeight } = state;
  if (spacing === null || tip === null) return undefined;
  const inSeconds = WINDOW * spacing;
  const sinceMs = nowMs - inSeconds * 1_000;
  let blocks = 0;
  // Older than the window: all that came within it are known.
  let before = 0;
  // Below the lowest height that was told only scans know blocks: some of them.
  const lowest = Math.max(lowestHeight, tip.height - WINDOW - DISORDER);
  for (let height = tip.height; height >= lowest && before < DISORDER; height--) {
    const block = state.blocks.get(height);
    if (!block) break;
    if (block.timeSeconds * 1_000 > sinceMs) blocks++;
    else before++;
  }
  const isEnough = blocks >= ENOUGH;
  if (before === 0 && !isEnough) return undefined;
  return { blocks, dueBlocks: WINDOW, inSeconds, isSlow: blocks <= FEW, isEnough };
}
