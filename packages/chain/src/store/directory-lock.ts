import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '@keepwatch/base';

/**
 * Keeps a directory for one process at a time. SQLite holds the lock of the file (fcntl), so it ends with the process,
 * however that ends, and nothing stale is left. Throws `data_dir_in_use`.
 */
export function lockDirectory(dir: string): { release(): void } {
  const database = new DatabaseSync(join(dir, 'lock'));
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
