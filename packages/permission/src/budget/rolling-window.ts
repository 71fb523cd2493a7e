/**
 * The sum of what was charged in the last `windowMs`, exactly and in bounded memory.
 *
 * A charge at time t counts at every time before t + windowMs and no longer at t + windowMs itself: the window is
 * (now − windowMs, now]. Each mark holds a time and the total of all charges up to it, so a sum is one subtraction.
 *
 * Beyond MAX_MARKS, marks that lie in the same 1/1024 of the window are merged at the time of the latest of them. Budget
 * then comes back late by less than windowMs / 1024 rounded up to a millisecond (a day's window: 85 s), and never early.
 * The grid is fixed to the epoch, so merging again never adds to that.
 */
export interface RollingWindow {
  readonly windowMs: number;
  /** Ascending. What precedes `head` has left the window. */
  times: number[];
  totals: bigint[];
  head: number;
  /** The total of what has left the window. */
  departed: bigint;
}

export type RollingWindowView = Readonly<Omit<RollingWindow, 'times' | 'totals'>> & {
  readonly times: readonly number[];
  readonly totals: readonly bigint[];
};

/** A time in milliseconds since the Unix epoch, and what was charged at it. */
export type Mark = readonly [timeMs: number, amount: bigint];

export const MAX_MARKS = 2048;
const GRID = 1024;

export function createRollingWindow(windowSeconds: number): RollingWindow {
  return { windowMs: windowSeconds * 1000, times: [], totals: [], head: 0, departed: 0n };
}

/** Adds `amount` at `nowMs`, which is not before the last charge. */
export function addCharge(window: RollingWindow, amount: bigint, nowMs: number): void {
  dropDeparted(window, nowMs);
  const { times, totals } = window;
  const total = totalOf(window) + amount;
  if (times.at(-1) === nowMs) {
    totals[totals.length - 1] = total;
    return;
  }
  times.push(nowMs);
  totals.push(total);
  if (times.length - window.head > MAX_MARKS) mergeMarks(window);
}

/** What is spent at `nowMs`. */
export function sumAt(window: RollingWindowView, nowMs: number): bigint {
  return totalOf(window) - totalBefore(window, firstWithin(window, nowMs));
}

/**
 * The earliest time, not before `nowMs`, at which no more than `amount` (not negative) is spent if nothing more is
 * charged.
 */
export function timeUntilAtMost(window: RollingWindowView, amount: bigint, nowMs: number): number {
  const { times, totals, windowMs } = window;
  const total = totalOf(window);
  let low = firstWithin(window, nowMs);
  if (total - totalBefore(window, low) <= amount) return nowMs;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (total - totals[middle]! <= amount) high = middle;
    else low = middle + 1;
  }
  return times[low]! + windowMs;
}

export function marksOf(window: RollingWindowView): Mark[] {
  const marks: Mark[] = [];
  for (let i = window.head; i < window.times.length; i++) {
    marks.push([window.times[i]!, window.totals[i]! - totalBefore(window, i)]);
  }
  return marks;
}

export function cloneRollingWindow(window: RollingWindowView): RollingWindow {
  return { ...window, times: [...window.times], totals: [...window.totals] };
}

function totalOf(window: RollingWindowView): bigint {
  return window.times.length > window.head ? window.totals[window.totals.length - 1]! : window.departed;
}

function totalBefore(window: RollingWindowView, index: number): bigint {
  return index > window.head ? window.totals[index - 1]! : window.departed;
}

/** The first mark that counts at `nowMs`. The oldest one usually does; else it is looked for by halves. */
function firstWithin(window: RollingWindowView, nowMs: number): number {
  const { times, windowMs } = window;
  let low = window.head;
  let high = times.length;
  if (low === high || times[low]! + windowMs > nowMs) return low;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! + windowMs > nowMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

function dropDeparted(window: RollingWindow, nowMs: number): void {
  const first = firstWithin(window, nowMs);
  if (first > window.head) {
    window.departed = window.totals[first - 1]!;
    window.head = first;
  }
  if (window.head >= GRID && window.head * 2 >= window.times.length) {
    window.times = window.times.slice(window.head);
    window.totals = window.totals.slice(window.head);
    window.head = 0;
  }
}

/** Leaves the last mark of each cell of the grid. Its total holds what the dropped marks before it added. */
function mergeMarks(window: RollingWindow): void {
  const cellMs = Math.ceil(window.windowMs / GRID);
  const times: number[] = [];
  const totals: bigint[] = [];
  for (let i = window.head; i < window.times.length; i++) {
    const time = window.times[i]!;
    const next = window.times[i + 1];
    if (next !== undefined && Math.floor(next / cellMs) === Math.floor(time / cellMs)) continue;
    times.push(time);
    totals.push(window.totals[i]!);
  }
  window.times = times;
  window.totals = totals;
  window.head = 0;
}
