import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes a file that only its owner reads, whole or not at all: it is on the disk when this returns, and so is its name.
 * Where it cannot be written (a full disk), what was there before stays, and nothing else is left.
 */
export function writeDurably(path: string, bytes: Uint8Array | string): void {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  createDurably(draft, bytes);
  renameDurably(draft, path);
}

/** A new file that only its owner reads: error EEXIST where it exists, and nothing is left where it cannot be written. */
export function createDurably(path: string, bytes: Uint8Array | string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  syncFolder(dirname(path));
}

/** Gives a file another name in its folder, over what had that name. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncFolder(dirname(to));
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
