import { dueScans, type DueScan, type WatchState } from '@keepwatch/watch';

/** Where a look into the past begins: at a height, or at the block that a source finds for a time, in seconds since 1970. */
export type ScanStart = { readonly height: number } | { readonly timeSeconds: number };

/** Wallets whose past is read at once, for it begins at the same place. */
export interface Cohort {
  readonly wallets: readonly string[];
  readonly start: ScanStart;
}

/** So much is looked for at once: the past is read once for all of it, and each script needs memory and time of a source. */
const MOST_SCRIPTS = 100_000;
const MOST_WALLETS = 1_000;

/** The first wallet whose past is due, and those that begin where it does. `birthHeights`: birthdays that are heights. */
export function nextCohort(state: WatchState, birthHeights: ReadonlyMap<string, number>): Cohort | undefined {
  const [first, ...others] = dueScans(state);
  if (!first) return undefined;
  const start = startOf(first, birthHeights);
  const wallets = [first.wallet];
  let scripts = scriptsOf(state, first.wallet);
  for (const each of others) {
    if (!isSame(startOf(each, birthHeights), start)) continue;
    scripts += scriptsOf(state, each.wallet);
    if (scripts > MOST_SCRIPTS || wallets.length >= MOST_WALLETS) break;
    wallets.push(each.wallet);
  }
  return { wallets, start };
}

/**
 * What is still due of a cohort that begins at this height, and where it goes on: where the one that is furthest behind is,
 * for whoever needed more scripts is looked through again from where they were missed. Nobody is looked through from before
 * the place where it began: whoever is to be by now, for its owner asked for more, belongs to another cohort.
 */
export function remaining(
  state: WatchState,
  { wallets, start }: Cohort,
  startHeight: number,
  birthHeights: ReadonlyMap<string, number>,
): { readonly scans: readonly DueScan[]; readonly fromHeight: number } {
  const among = new Set(wallets);
  const scans = dueScans(state).filter((each) => {
    if (!among.has(each.wallet)) return false;
    return each.fromHeight === null ? isSame(startOf(each, birthHeights), start) : each.fromHeight >= startHeight;
  });
  return { scans, fromHeight: Math.min(...scans.map((each) => each.fromHeight ?? startHeight)) };
}

function startOf(
  { wallet, fromHeight, birthdaySeconds }: DueScan,
  birthHeights: ReadonlyMap<string, number>,
): ScanStart {
  const height = fromHeight ?? birthHeights.get(wallet);
  return height === undefined ? { timeSeconds: birthdaySeconds ?? 0 } : { height };
}

function isSame(a: ScanStart, b: ScanStart): boolean {
  if ('height' in a) return 'height' in b && a.height === b.height;
  return 'timeSeconds' in b && a.timeSeconds === b.timeSeconds;
}

function scriptsOf(state: WatchState, wallet: string): number {
  return state.wallets
    .get(wallet)!
    .derived.flat()
    .reduce((sum, count) => sum + count, 0);
}
