import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '@keepwatch/base';

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html); extended codes carry them in the low byte.
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_FULL = 13;

/**
 * Keeps a directory for one process at a time. SQLite holds the lock of the file (fcntl), so it ends with the process,
 * however that ends, and nothing stale is left. Throws `data_dir_in_use`, `storage_full`, and `data_dir_unusable` for
 * whatever else keeps it from being locked.
 */
export function lockDirectory(dir: string): { release(): void } {
  const path = join(dir, 'lock');
  let database: DatabaseSync | undefined;
  try {
    // SQLite would make it readable for all. One that exists is not opened here: closing it would end the lock of this process.
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
    const opened = new DatabaseSync(path);
    database = opened;
    opened.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    return { release: () => opened.close() };
  } catch (cause) {
    database?.close();
    throw unlocked(dir, cause);
  }
}

function unlocked(dir: string, cause: unknown): CodedError {
  const { errcode, code, message } = cause as Error & { errcode?: number; code?: string };
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  if (primary === SQLITE_BUSY || primary === SQLITE_LOCKED) {
    return new CodedError('data_dir_in_use', `Another process of Keepwatch uses ${dir}.`, {
      cause,
      remedy: 'Wait until it has ended, end it, or name another directory.',
    });
  }
  if (primary === SQLITE_FULL || code === 'ENOSPC') {
    return new CodedError('storage_full', `No space is left on the disk of ${dir}.`, {
      cause,
      remedy: 'Make room on the disk that holds the data directory, then try again.',
    });
  }
  return new CodedError('data_dir_unusable', `${dir} cannot be locked: ${message}.`, {
    cause,
    remedy: 'Look at its permissions and at its disk, or name another directory.',
  });
}
