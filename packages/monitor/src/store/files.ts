import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@keepwatch/base';

export const lockPath = (dataDir: string) => join(dataDir, 'lock.json');
/** The lock of a monitor that is being made: it gets its name when the journal is begun. */
export const lockDraftPath = (dataDir: string) => join(dataDir, 'lock.json.new');
export const journalPath = (dataDir: string) => join(dataDir, 'journal.sqlite');
/** With what SQLite keeps beside it. */
export const journalPaths = (dataDir: string) => ['', '-wal', '-shm'].map((end) => `${journalPath(dataDir)}${end}`);

/** Whether there is a monitor in this directory, whole or not. */
export const isMade = (dataDir: string): boolean => existsSync(lockPath(dataDir));

/**
 * A monitor is its lock and its journal, and each is worth nothing without the other. One of them alone, as after a part of
 * a copy was put back, throws: a new one in its place would watch nothing, and say that all is well. Error codes
 * `monitor_journal_missing`, `monitor_lock_damaged`.
 */
export function requireWhole(dataDir: string): void {
  const hasJournal = existsSync(journalPath(dataDir));
  if (isMade(dataDir)) {
    if (!hasJournal) throw journalMissing(dataDir);
    return;
  }
  if (!hasJournal || existsSync(lockDraftPath(dataDir))) return;
  throw lockGone(dataDir);
}

export function lockGone(dataDir: string): CodedError {
  return new CodedError('monitor_lock_damaged', `There is the journal of a monitor in ${dataDir}, and no lock.json.`, {
    remedy: 'Put a copy of lock.json back: without it the journal cannot be read. Or begin anew in another directory.',
  });
}

/** The lock is there, and of the journal not even the beginning. */
export function journalMissing(dataDir: string): CodedError {
  return new CodedError('monitor_journal_missing', `The journal of the monitor in ${dataDir} is gone or empty.`, {
    remedy:
      'Put journal.sqlite back from a copy, or begin anew in another directory with `keepwatch monitor init --data`: what was watched and found stands in the journal alone.',
  });
}
