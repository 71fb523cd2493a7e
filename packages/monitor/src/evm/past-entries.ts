import type { Journal } from '@keepwatch/journal';
import type { EvmBlockRef, EvmPastEntry } from '@keepwatch/watch';
import { readEntry } from '../engine/state.ts';
import { pagesBackwards } from '../store/backwards.ts';

/** What a block of the past did to an account, and its place in the journal. */
export interface PastRow {
  readonly seq: number;
  readonly block: EvmBlockRef;
  readonly entries: readonly EvmPastEntry[];
}

/**
 * The last blocks of the past of a wallet, in order, with at least `limit` happenings where there are so many. The journal
 * holds them, and nothing else: it is read backwards, and no further than the wallet of this id goes.
 */
export async function newestOfPast(
  journal: Journal,
  wallet: string,
  limit: number,
  before?: number,
): Promise<readonly PastRow[]> {
  const found: PastRow[] = [];
  let count = 0;
  for await (const page of pagesBackwards(journal, before)) {
    for (const { seq, bytes } of page.toReversed()) {
      const { event } = readEntry(seq, bytes);
      if (event.kind === 'evm-wallet-dropped' && event.wallet === wallet) return found.toReversed();
      if (event.kind !== 'evm-past-block' || event.wallet !== wallet) continue;
      found.push({ seq, block: event.block, entries: event.entries });
      count += event.entries.length;
      if (count >= limit) return found.toReversed();
    }
  }
  return found.toReversed();
}
