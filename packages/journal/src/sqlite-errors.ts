import { CodedError } from '@keepwatch/base';

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html); extended codes carry them in the low byte.
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** What SQLite reported, in the terms of the store's port. An error that is not SQLite's comes back unchanged. */
export function storageError(cause: unknown): unknown {
  switch (primaryCode(cause)) {
    case undefined:
      return cause;
    case SQLITE_FULL:
      return storageFull(cause);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new CodedError('storage_busy', 'Another process has the journal open.', {
        cause,
        remedy: 'Stop the other process: one vault, one daemon.',
      });
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return storageCorrupt('The journal file is damaged.', cause);
    default:
      return storageFailed(cause);
  }
}

export function isFull(cause: unknown): boolean {
  return primaryCode(cause) === SQLITE_FULL;
}

export function storageFull(cause: unknown): CodedError {
  return new CodedError('storage_full', 'No space is left for the journal; nothing was written.', {
    cause,
    remedy: 'Make room on the disk that holds the data directory, then try again.',
  });
}

export function storageFailed(cause: unknown): CodedError {
  return new CodedError('storage_failed', 'The journal could not be read or written; what was under way is unknown.', {
    cause,
    remedy: 'Look at the disk and its messages, then start again: the journal tells what became durable.',
  });
}

export function storageCorrupt(words: string, cause?: unknown): CodedError {
  return new CodedError('storage_corrupt', words, {
    cause,
    remedy: 'Keep the file for inspection and restore the newest backup.',
  });
}

function primaryCode(cause: unknown): number | undefined {
  if (!(cause instanceof Error)) return undefined;
  const { errcode, code } = cause as Error & { errcode?: unknown; code?: unknown };
  if (typeof errcode === 'number') return errcode & 0xff;
  // node:sqlite, where a column holds what no row of ours can: an integer beyond 2^53.
  if (code === 'ERR_OUT_OF_RANGE') return SQLITE_CORRUPT;
  return undefined;
}
