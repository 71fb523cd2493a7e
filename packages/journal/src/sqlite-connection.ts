import { chmodSync, closeSync, lstatSync, openSync } from 'node:fs';
import { constants, DatabaseSync } from 'node:sqlite';
import { CodedError } from '@keepwatch/base';
import { storageCorrupt, storageFailed } from './sqlite-errors.ts';

// 'KWJL', so that `file` and people can tell what it is (https://www.sqlite.org/pragma.html#pragma_application_id).
const APPLICATION_ID = 0x4b574a4c;
const FORMAT = 1;

const TABLES = {
  batch: `CREATE TABLE batch (
  last_seq INTEGER PRIMARY KEY,
  first_seq INTEGER NOT NULL CHECK (first_seq BETWEEN 1 AND last_seq),
  epoch INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  prev BLOB NOT NULL CHECK (length(prev) = 32),
  root BLOB NOT NULL CHECK (length(root) = 32),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  signature BLOB NOT NULL CHECK (length(signature) = 64),
  sealed BLOB NOT NULL
) STRICT`,
  record: `CREATE TABLE record (
  space TEXT NOT NULL CHECK (space <> ''),
  key TEXT NOT NULL CHECK (key <> ''),
  value BLOB NOT NULL,
  PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID`,
};

/**
 * Opens the journal's database so that it can do what the store does and nothing else. Node's permission model does
 * not see SQLite's file access, so the doors are closed here: no ATTACH and with it no VACUUM [INTO], no extensions,
 * no triggers, no schema but ours, and after `permitOnlyJournalStatements` no statement but reading and appending.
 */
export function openConnection(path: string): DatabaseSync {
  prepareFile(path);
  const db = new DatabaseSync(path, {
    timeout: 0,
    allowExtension: false,
    defensive: true,
    enableDoubleQuotedStringLiterals: false,
    limits: { attach: 0, triggerDepth: 0 },
  });
  try {
    // Of a new file. A batch of tens of KiB, as under load, costs a third of what it does in pages of the usual 4 KiB,
    // and a small one no more. Checkpoints come after as many bytes as by default.
    db.exec('PRAGMA page_size = 8192; PRAGMA wal_autocheckpoint = 500');
    // The exclusive lock is taken by the first access and held until the end. With it the WAL needs no shared memory.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
    if (mode !== 'wal') throw storageFailed(new Error(`journal_mode is ${String(mode)}`));
    db.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA fullfsync = ON;
      PRAGMA checkpoint_fullfsync = ON;
      PRAGMA secure_delete = ON;
      PRAGMA trusted_schema = OFF;
      PRAGMA cell_size_check = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -32768; -- KiB: with the default, large transactions write each page many times
    `);
    ensureSchema(db);
    // What an earlier process could not make durable may stand in the WAL and yet be lost with the power. Moving it
    // into the database file now settles what this process builds upon.
    truncateWal(db);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

/** Moves the WAL into the database and empties it: what was overwritten or deleted is then in neither. */
export function truncateWal(db: DatabaseSync): void {
  const result = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  if (result?.['busy'] !== 0) throw storageFailed(new Error('the write-ahead log could not be emptied'));
}

/**
 * From here on the connection compiles only what the store needs: reading both tables, adding batches, changing
 * records. Batches cannot be updated or deleted by any statement.
 */
export function permitOnlyJournalStatements(db: DatabaseSync): void {
  const { SQLITE_OK, SQLITE_DENY, SQLITE_SELECT, SQLITE_READ, SQLITE_INSERT } = constants;
  const { SQLITE_UPDATE, SQLITE_DELETE, SQLITE_TRANSACTION, SQLITE_FUNCTION, SQLITE_PRAGMA } = constants;
  db.setAuthorizer((action, first, second) => {
    switch (action) {
      case SQLITE_SELECT:
      case SQLITE_TRANSACTION:
        return SQLITE_OK;
      case SQLITE_READ:
      case SQLITE_INSERT:
        return first === 'batch' || first === 'record' ? SQLITE_OK : SQLITE_DENY;
      case SQLITE_UPDATE:
      case SQLITE_DELETE:
        return first === 'record' ? SQLITE_OK : SQLITE_DENY;
      case SQLITE_FUNCTION:
        // `length` is in the tables' CHECK constraints.
        return second === 'count' || second === 'length' ? SQLITE_OK : SQLITE_DENY;
      case SQLITE_PRAGMA:
        return first === 'wal_checkpoint' ? SQLITE_OK : SQLITE_DENY;
      default:
        return SQLITE_DENY;
    }
  });
}

/** An empty file that only its owner reads, made before SQLite opens it; the WAL takes its mode from it. */
function prepareFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw storageFailed(cause);
    // Not by opening it: closing any descriptor of the file would drop this process's locks on it (POSIX fcntl).
    if (!lstatSync(path).isFile()) throw storageCorrupt('The journal is not a regular file.');
    chmodSync(path, 0o600);
  }
}

function ensureSchema(db: DatabaseSync): void {
  const objects = db.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all();
  const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
  const owner = db.prepare('PRAGMA application_id').get()?.['application_id'];
  if (objects.length === 0 && version === 0 && owner === 0) {
    db.exec(`BEGIN;
      PRAGMA application_id = ${APPLICATION_ID};
      PRAGMA user_version = ${FORMAT};
      ${TABLES.batch};
      ${TABLES.record};
      COMMIT`);
    return;
  }
  if (owner === APPLICATION_ID && typeof version === 'number' && version > FORMAT) {
    throw new CodedError('storage_format_unknown', 'A newer Keepwatch wrote this journal.', {
      remedy: 'Start the version that wrote it, or a later one.',
      details: { found: version, known: FORMAT },
    });
  }
  // A planted table, view or trigger would be a way to make our statements do something else.
  const expected = Object.entries(TABLES);
  const ours =
    objects.length === expected.length &&
    expected.every(([name, sql], i) => {
      return objects[i]!['name'] === name && objects[i]!['sql'] === sql;
    });
  if (owner !== APPLICATION_ID || version !== FORMAT || !ours) {
    throw storageCorrupt('The file is no journal of Keepwatch, or its schema was altered.');
  }
  // Batches carry their own proof. Records do not, so their pages are looked at.
  const check = db.prepare("PRAGMA quick_check('record')").get()?.['quick_check'];
  if (check !== 'ok') throw storageCorrupt('The journal file is damaged.', new Error(String(check)));
}
