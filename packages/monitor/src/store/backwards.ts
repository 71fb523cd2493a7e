import type { Journal, JournalEntry } from '@keepwatch/journal';
import { journalError } from './store.ts';

/** Entries that are read at once. */
const PAGE = 512;

/**
 * The journal from its end, or from before an entry, back to its beginning: page by page, each in order, and no further than
 * somebody asks for. Throws what the journal refuses.
 */
export async function* pagesBackwards(
  journal: Journal,
  before = Infinity,
): AsyncGenerator<readonly JournalEntry[], void, undefined> {
  for (let end = Math.min(before, (journal.head()?.lastSeq ?? 0) + 1); end > 1;) {
    const from = Math.max(1, end - PAGE);
    const read = await journal.read(from, end - from);
    if (!read.ok) throw journalError(read.error);
    yield read.value;
    end = from;
  }
}
