import { RETARGET_INTERVAL, TARGET_SPACING_SECONDS, type ConsensusParams } from './consensus.ts';
import { bitsFromTarget, targetFromBits } from './proof-of-work.ts';

/** A header among its ancestors, as far as the rules of time and target look at it. */
export interface Ancestry {
  readonly height: number;
  timeSeconds(height: number): number;
  bits(height: number): number;
  /** Height of the oldest ancestor that is known: 0, or that of a checkpoint. */
  readonly oldest: number;
}

const TARGET_TIMESPAN_SECONDS = RETARGET_INTERVAL * TARGET_SPACING_SECONDS;
/** BIP94: how far before its parent the first block of a period may be dated. */
const MAX_TIMEWARP_SECONDS = 600;
const MEDIAN_SPAN = 11;

/** The compact target that a child of `parent` with this time must have (pow.cpp, `GetNextWorkRequired`). */
export function nextBits(params: ConsensusParams, parent: Ancestry, timeSeconds: number): number {
  if ((parent.height + 1) % RETARGET_INTERVAL === 0) return retarget(params, parent);
  if (!params.minDifficultyBlocks) return parent.bits(parent.height);
  const easiest = params.powLimitBits;
  // regtest: every block has the easiest target, and to look for one that has not would take the whole period each time.
  if (!params.retargets) return easiest;
  if (timeSeconds > parent.timeSeconds(parent.height) + 2 * TARGET_SPACING_SECONDS) return easiest;
  // The last block of the period that did not use the exception.
  let height = parent.height;
  while (height > parent.oldest && height % RETARGET_INTERVAL !== 0 && parent.bits(height) === easiest) height--;
  return parent.bits(height);
}

function retarget(params: ConsensusParams, last: Ancestry): number {
  if (!params.retargets) return last.bits(last.height);
  const first = Math.max(last.oldest, last.height - (RETARGET_INTERVAL - 1));
  const seconds = last.timeSeconds(last.height) - last.timeSeconds(first);
  const bounded = Math.min(Math.max(seconds, TARGET_TIMESPAN_SECONDS / 4), TARGET_TIMESPAN_SECONDS * 4);
  // BIP94: the last block may have used the exception for late blocks, so the first one is what counts.
  const from = targetFromBits(params.bip94 ? last.bits(first) : last.bits(last.height))!;
  const target = (from * BigInt(bounded)) / BigInt(TARGET_TIMESPAN_SECONDS);
  return bitsFromTarget(target > params.powLimit ? params.powLimit : target);
}

/** Median of the times of the block and its ten ancestors (BIP113): a child must be later. */
export function medianTimePast(block: Ancestry): number {
  const times: number[] = [];
  for (let height = block.height; height > block.height - MEDIAN_SPAN && height >= block.oldest; height--) {
    // By hand, each to its place: this runs for every header there is, and they come nearly sorted.
    const time = block.timeSeconds(height);
    let at = times.length;
    for (; at > 0 && times[at - 1]! < time; at--) times[at] = times[at - 1]!;
    times[at] = time;
  }
  // The largest first: of an even number the later one in the middle.
  return times[(times.length - 1) >> 1]!;
}

/** BIP94: whether the first block of a period is dated too far before its parent. */
export function warpsTime(params: ConsensusParams, parent: Ancestry, timeSeconds: number): boolean {
  return (
    params.bip94 &&
    (parent.height + 1) % RETARGET_INTERVAL === 0 &&
    timeSeconds < parent.timeSeconds(parent.height) - MAX_TIMEWARP_SECONDS
  );
}

/** Whether the version is one that blocks at this height no longer have (BIP34, BIP66, BIP65). */
export function versionOutdated(params: ConsensusParams, height: number, version: number): boolean {
  return params.minVersionHeights.some((from, i) => height >= from && version < i + 2);
}
