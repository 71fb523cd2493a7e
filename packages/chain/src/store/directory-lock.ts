import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '@keepwatch/base';

/**
 * Keeps a directory for one process at a time. SQLite holds the lock of the file (fcntl), so it ends with the process,
 * however that ends, and nothing stale is left. Throws `data_dir_in_use`.
 */
export function lockDirectory(dir: string): { release(): void } {
  const path = join(dir, 'lock');
  // SQLite would make it readable for all. One that exists is not opened here: closing it would end the lock of this process.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw new CodedError('data_dir_in_use', `Another process of Keepwatch uses ${dir}.`, {
      cause,
      remedy: 'Wait until it has ended, end it, or name another directory.',
    });
  }
  return { release: () => database.close() };
}
