import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openConnection, permitOnlyJournalStatements, truncateWal } from './sqlite-connection.ts';
import { isFull, storageCorrupt, storageError, storageFailed, storageFull } from './sqlite-errors.ts';
import {
  requireContinuity,
  type ChainEnd,
  type JournalStore,
  type ListOptions,
  type RecordWrite,
  type StoredBatch,
  type StoredRecord,
} from './store.ts';

/** A journal store in one SQLite file, whose every call is synchronous. */
export interface SqliteStore extends JournalStore {
  commit(batches: readonly StoredBatch[], writes: readonly RecordWrite[]): void;
  lastBatch(): StoredBatch | undefined;
  batchEndingAt(seq: number): StoredBatch | undefined;
  batchContaining(seq: number): StoredBatch | undefined;
  batches(fromSeq: number): Iterable<StoredBatch>;
  get(space: string, key: string): Uint8Array | undefined;
  list(space: string, options?: ListOptions): readonly StoredRecord[];
  count(space: string): number;
  /**
   * Writes the records anew and empties the write-ahead log, so that records that were overwritten or deleted are in
   * no file of the journal any more: after a change of keys. It takes time and space in proportion to the records.
   * What the file system or the disk keeps of them is beyond its reach. `storage_full`: nothing changed.
   */
  checkpoint(): void;
  close(): void;
}

const COLUMNS = 'first_seq, last_seq, epoch, time_ms, key_id, prev, root, hash, signature, sealed';
/** Batches that are in memory at once while iterating. */
const PAGE = 16;

/**
 * Opens or creates the journal at `path`, alone: a second process gets `storage_busy`. The file's mode becomes 0600.
 * No descriptor of the file may be opened and closed elsewhere in this process, or the lock is lost (POSIX fcntl).
 */
export function openSqliteStore(options: { readonly path: string }): SqliteStore {
  let db: DatabaseSync | undefined;
  try {
    db = openConnection(options.path);
    return createStore(db);
  } catch (cause) {
    db?.close();
    throw storageError(cause);
  }
}

function createStore(db: DatabaseSync): SqliteStore {
  permitOnlyJournalStatements(db);
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commitTransaction = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  const insertBatch = db.prepare(`INSERT INTO batch (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const putRecord = db.prepare(
    'INSERT INTO record (space, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  const deleteRecord = db.prepare('DELETE FROM record WHERE space = ? AND key = ?');
  const selectLast = db.prepare(`SELECT ${COLUMNS} FROM batch ORDER BY last_seq DESC LIMIT 1`);
  const selectEnding = db.prepare(`SELECT ${COLUMNS} FROM batch WHERE last_seq = ?`);
  const selectFrom = db.prepare(`SELECT ${COLUMNS} FROM batch WHERE last_seq >= ? ORDER BY last_seq LIMIT ?`);
  const selectRecord = db.prepare('SELECT value FROM record WHERE space = ? AND key = ?');
  const selectRecords = db.prepare('SELECT key, value FROM record WHERE space = ? AND key > ? ORDER BY key LIMIT ?');
  const selectAllRecords = db.prepare('SELECT space, key, value FROM record ORDER BY space, key');
  const deleteAllRecords = db.prepare('DELETE FROM record');
  const countRecords = db.prepare('SELECT count(*) AS count FROM record WHERE space = ?');

  let broken: unknown;
  let end: ChainEnd | undefined = lastBatch();

  function lastBatch(): StoredBatch | undefined {
    return guarded(() => toBatch(selectLast.get()));
  }

  /** Once a failure has left the outcome unknown, nothing that this connection says can be relied upon. */
  function requireWhole(): void {
    if (broken !== undefined) throw storageFailed(broken);
  }

  function guarded<T>(work: () => T): T {
    requireWhole();
    try {
      return work();
    } catch (cause) {
      throw storageError(cause);
    }
  }

  /** One transaction, whole or not at all. */
  function transact(work: () => void): void {
    attempt(() => {
      begin.run();
      work();
      commitTransaction.run();
    });
  }

  /** Runs a transaction. Where it fails, nothing of it remains, or what remains is unknown and the store is broken. */
  function attempt(transaction: () => void): void {
    try {
      transaction();
    } catch (cause) {
      const undone = undo();
      if (undone && isFull(cause)) throw storageFull(cause);
      // Not SQLite's: a value that cannot be bound. The caller's bug, but nothing is left uncertain by it.
      if (undone && storageError(cause) === cause) throw cause;
      broken = cause;
      throw isFull(cause) ? storageFailed(cause) : storageError(cause);
    }
  }

  function write(batches: readonly StoredBatch[], writes: readonly RecordWrite[]): void {
    for (const b of batches) {
      const { firstSeq, lastSeq, epoch, timeMs, keyId, prev, root, hash, signature, sealed } = b;
      insertBatch.run(firstSeq, lastSeq, epoch, timeMs, keyId, prev, root, hash, signature, sealed);
    }
    for (const w of writes) {
      if (w.op === 'put') putRecord.run(w.space, w.key, w.value);
      else deleteRecord.run(w.space, w.key);
    }
  }

  /**
   * With secure_delete SQLite zeroes deleted cells and freed pages, but not the copies that stay in the gap of a page
   * when its cells are moved to another. Freeing all pages of the table leaves none.
   */
  function rewriteRecords(): void {
    const records = selectAllRecords.all();
    deleteAllRecords.run();
    for (const { space, key, value } of records) putRecord.run(space!, key!, value!);
  }

  /** Undoes what is left of a failed transaction. True: it is certain that nothing of it remains. */
  function undo(): boolean {
    try {
      if (db.isTransaction) rollback.run();
      return toBatch(selectLast.get())?.lastSeq === end?.lastSeq;
    } catch {
      return false;
    }
  }

  return {
    commit(batches, writes) {
      requireWhole();
      requireContinuity(end, batches);
      // A statement by itself is a transaction of its own, at less than half the work of one in BEGIN and COMMIT.
      const single = batches.length === 1 && writes.length === 0;
      if (single) attempt(() => write(batches, writes));
      else transact(() => write(batches, writes));
      end = batches.at(-1) ?? end;
    },
    lastBatch,
    batchEndingAt: (seq) => guarded(() => toBatch(selectEnding.get(seq))),
    batchContaining(seq) {
      const batch = guarded(() => toBatch(selectFrom.get(seq, 1)));
      return batch !== undefined && batch.firstSeq <= seq ? batch : undefined;
    },
    *batches(fromSeq) {
      // Page by page, so that no statement stays open: one would hold back every checkpoint meanwhile.
      for (let next = fromSeq; ;) {
        const page = guarded(() => selectFrom.all(next, PAGE).map((row) => toBatch(row)!));
        yield* page;
        if (page.length < PAGE) return;
        next = page.at(-1)!.lastSeq + 1;
      }
    },
    get: (space, key) => guarded(() => selectRecord.get(space, key)?.['value'] as Uint8Array | undefined),
    list: (space, { after = '', limit = -1 } = {}) =>
      guarded(() => selectRecords.all(space, after, limit) as unknown as readonly StoredRecord[]),
    count: (space) => guarded(() => countRecords.get(space)?.['count'] as number),
    checkpoint() {
      requireWhole();
      transact(rewriteRecords);
      guarded(() => truncateWal(db));
    },
    close: () => db.close(),
  };
}

function toBatch(row: ReturnType<StatementSync['get']>): StoredBatch | undefined {
  if (row === undefined) return undefined;
  const number = (column: string) => {
    const value = row[column];
    if (typeof value !== 'number') throw storageCorrupt('The journal file is damaged.');
    return value;
  };
  const bytes = (column: string) => {
    const value = row[column];
    if (!(value instanceof Uint8Array)) throw storageCorrupt('The journal file is damaged.');
    return value;
  };
  return {
    epoch: number('epoch'),
    firstSeq: number('first_seq'),
    lastSeq: number('last_seq'),
    prev: bytes('prev'),
    root: bytes('root'),
    hash: bytes('hash'),
    timeMs: number('time_ms'),
    signature: bytes('signature'),
    keyId: number('key_id'),
    sealed: bytes('sealed'),
  };
}
