import { constants, openSync } from 'node:fs';

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
