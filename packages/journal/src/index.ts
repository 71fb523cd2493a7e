/**
 * journal: an append-only, hash-chained, encrypted log of opaque entries, with snapshots and a small table of records
 * that changes atomically with it. `createJournal` is what its users hold; `JournalStore` is the port under it, with
 * an SQLite file as the embedded adapter. What entries mean, which keys encrypt them and whose key signs the heads is
 * its user's business; receipts and heads are checked by `wire`, without a journal.
 */
export type { EntryCipher } from './batch-codec.ts';
export type { JournalFault, JournalFaultCode } from './fault.ts';
export { createJournal, type Appended, type Journal, type JournalDeps, type JournalOptions } from './journal.ts';
export { createMemoryStore } from './memory-store.ts';
export type { Snapshot } from './snapshots.ts';
export { openSqliteStore, type SqliteStore } from './sqlite-store.ts';
export type { JournalStore, ListOptions, RecordWrite, StoredBatch, StoredRecord } from './store.ts';
export type { JournalEntry, Verified, VerifyOptions } from './verify.ts';
