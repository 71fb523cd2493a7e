import { constants, openSync, writeSync } from 'node:fs';
import { CodedError } from '@keepwatch/base';

const { O_APPEND, O_CREAT, O_EXCL, O_SYNC, O_WRONLY } = constants;

/**
 * Opens a file that only its owner reads and whose every write is on the disk when it returns. O_SYNC instead of a call
 * to fsync: Node's permission model disables what works on descriptors alone. Error EEXIST where it exists.
 */
export function createDurableFile(path: string): number {
  return openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_SYNC, 0o600);
}

/** The same file again, to write behind what is there. */
export function appendDurableFile(path: string): number {
  return openSync(path, O_WRONLY | O_APPEND | O_SYNC);
}

/**
 * Writes all of it: the kernel may take less than it is given, and does where the disk fills up. Error code
 * `storage_full`.
 */
export function writeFully(file: number, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause;
    throw new CodedError('storage_full', 'No space is left beside the journal; the file was not written.', { cause });
  }
}
