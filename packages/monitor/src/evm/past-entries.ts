import type { Journal } from '@keepwatch/journal';
import type { EvmBlockRef, EvmPastEntry } from '@keepwatch/watch';
import { readEntry } from '../engine/state.ts';
import { journalError } from '../store/store.ts';

/** What a block of the past did to an account, and its place in the journal. */
export interface PastRow {
  readonly seq: number;
  readonly block: EvmBlockRef;
  readonly entries: readonly EvmPastEntry[];
}

/** Entries of the journal that are read at once. */
const PAGE = 512;

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
  let end = Math.min(before ?? Infinity, (journal.head()?.lastSeq ?? 0) + 1);
  while (end > 1 && count < limit) {
    const from = Math.max(1, end - PAGE);
    const read = await journal.read(from, end - from);
    if (!read.ok) throw journalError(read.error);
    for (const { seq, bytes } of read.value.toReversed()) {
      const { event } = readEntry(seq, bytes);
      if (event.kind === 'evm-wallet-dropped' && event.wallet === wallet) return found.toReversed();
      if (event.kind !== 'evm-past-block' || event.wallet !== wallet) continue;
      found.push({ seq, block: event.block, entries: event.entries });
      count += event.entries.length;
      if (count >= limit) break;
    }
    end = from;
  }
  return found.toReversed();
}
