/** How far a block's time may be ahead of the clock (Bitcoin Core, MAX_FUTURE_BLOCK_TIME), in seconds. */
const MARGIN_SECONDS = 7_200;

/**
 * The lowest height from `low` to `high` at which the median time past is not more than two hours before the time; `high`
 * where there is none. The median never falls from one block to the next, so half of what is left is ruled out each time.
 */
export async function heightAtTime(
  timeSeconds: number,
  low: number,
  high: number,
  medianTimePast: (height: number) => number | Promise<number>,
): Promise<number> {
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await medianTimePast(middle)) >= timeSeconds - MARGIN_SECONDS) high = middle;
    else low = middle + 1;
  }
  return low;
}
