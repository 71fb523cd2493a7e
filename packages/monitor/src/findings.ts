import type { Journal, JournalEntry } from '@keepwatch/journal';
import { compareSeverity, type Finding, type FindingKind, type Severity } from '@keepwatch/watch';
import { pagesBackwards } from './store/backwards.ts';
import { journalError } from './store/store.ts';
import { findingOf, readEntry } from './engine/state.ts';

/** A finding, and its place in the journal: the cursor behind which a reader goes on. */
export interface FindingRow {
  readonly seq: number;
  readonly finding: Finding;
}

/** What is left out does not matter. `severity`: at least. */
export interface FindingFilter {
  readonly wallet?: string | undefined;
  readonly kinds?: readonly FindingKind[] | undefined;
  readonly severity?: Severity | undefined;
  readonly sinceMs?: number | undefined;
}

export function matchesFilter({ wallet, kinds, severity, sinceMs }: FindingFilter, finding: Finding): boolean {
  return (
    (wallet === undefined || finding.wallet === wallet) &&
    (kinds === undefined || kinds.length === 0 || kinds.includes(finding.detail.kind)) &&
    (severity === undefined || compareSeverity(finding.severity, severity) >= 0) &&
    (sinceMs === undefined || finding.atMs >= sinceMs)
  );
}

/** Entries that are read at once. */
const PAGE = 512;

/** All that match, from behind `after` up to the end of the journal at the moment. */
export async function* findingsAfter(
  journal: Journal,
  after: number,
  filter: FindingFilter,
): AsyncGenerator<FindingRow, void, undefined> {
  for (let next = after + 1; ;) {
    const read = await journal.read(next, PAGE);
    if (!read.ok) throw journalError(read.error);
    if (read.value.length === 0) return;
    for (const row of rowsOf(read.value)) if (matchesFilter(filter, row.finding)) yield row;
    next = read.value.at(-1)!.seq + 1;
  }
}

/** The last `limit` that match, in order; of those before `before` where it is given. Reads no further back than it must. */
export async function newestFindings(
  journal: Journal,
  filter: FindingFilter,
  limit: number,
  before?: number,
): Promise<readonly FindingRow[]> {
  const found: FindingRow[] = [];
  for await (const page of pagesBackwards(journal, before)) {
    found.unshift(...rowsOf(page).filter(({ finding }) => matchesFilter(filter, finding)));
    // Batches are in the order of time.
    const isOlder = filter.sinceMs !== undefined && page[0] !== undefined && page[0].timeMs < filter.sinceMs;
    if (isOlder || found.length >= limit) break;
  }
  return found.slice(-limit);
}

/** One finding, by its id or its number. */
export async function findingNamedBy(journal: Journal, named: string | number): Promise<FindingRow | undefined> {
  if (typeof named === 'string') {
    for await (const row of findingsAfter(journal, 0, {})) if (row.finding.id === named) return row;
    return undefined;
  }
  const read = await journal.read(named, 1);
  if (!read.ok) throw journalError(read.error);
  return rowsOf(read.value)[0];
}

function rowsOf(entries: readonly JournalEntry[]): FindingRow[] {
  return entries.flatMap(({ seq, bytes }) => {
    const finding = findingOf(readEntry(seq, bytes));
    return finding ? [{ seq, finding }] : [];
  });
}
