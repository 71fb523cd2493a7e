import type { ScriptPlace } from './script-index.ts';
import type { WalletRecord, WatchState } from './state.ts';

/** Blocks from this height on are to be looked through (again) for a wallet. */
export function requestScan(state: WatchState, id: string, height: number): void {
  const record = state.wallets.get(id)!;
  const { scan } = record;
  const isWhole = scan !== null && scan.fromHeight === null;
  const fromHeight = isWhole ? null : Math.min(scan?.fromHeight ?? height, height);
  const { first = false, transactions = 0 } = scan ?? {};
  state.wallets.set(id, { ...record, scan: { scan: ++state.counter, fromHeight, first, transactions } });
  state.scansDue.set(id, true);
}

/** An index is used: it may be so far on that more of them have to be watched. */
export function noteUse(
  state: WatchState,
  { wallet: id, descriptor, branch, index }: ScriptPlace,
  height: number,
): void {
  const record = state.wallets.get(id);
  if (!record) return;
  const isFurther = record.used[descriptor]![branch]! <= index;
  const used = record.used.map((counts, d) =>
    d === descriptor ? counts.map((count, b) => (b === branch && isFurther ? index + 1 : count)) : counts,
  );
  const changed = isFurther ? { ...record, used } : record;
  const grows = wantedOf(changed).length > 0;
  if (!isFurther && !grows) return;
  const growthFrom = grows ? Math.min(record.growthFrom ?? height, height) : record.growthFrom;
  state.wallets.set(id, { ...changed, growthFrom });
  if (grows) state.scriptsDue.set(id, true);
}

/** Indices that are to be watched and are not yet. */
export interface WantedScripts {
  readonly descriptor: number;
  readonly branch: number;
  readonly from: number;
  readonly to: number;
}

export function wantedOf({
  wallet,
  derived,
  used,
}: Pick<WalletRecord, 'wallet' | 'derived' | 'used'>): readonly WantedScripts[] {
  const { gapLimit } = wallet;
  return wallet.descriptors.flatMap(({ ranged, branches }, descriptor) =>
    Array.from({ length: branches }, (_, branch) => {
      const from = derived[descriptor]![branch]!;
      const next = used[descriptor]![branch]!;
      const needed = ranged ? next + gapLimit : 1;
      // Twice as many as are needed, so that it seldom has to be done.
      const to = !ranged ? 1 : next === 0 ? gapLimit : next + 2 * gapLimit;
      return { descriptor, branch, from, to, due: from < needed };
    })
      .filter(({ due }) => due)
      .map(({ due: _, ...wanted }) => wanted),
  );
}
