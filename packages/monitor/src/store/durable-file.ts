import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes a file that only its owner reads, whole or not at all: it is on the disk when this returns, and so is its name.
 * `exclusive`: error EEXIST where it exists.
 */
export function writeDurably(path: string, bytes: Uint8Array | string, { exclusive = false } = {}): void {
  if (exclusive) {
    const file = openSync(path, 'wx', 0o600);
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } else {
    const draft = `${path}.new`;
    rmSync(draft, { force: true });
    writeDurably(draft, bytes, { exclusive: true });
    renameSync(draft, path);
  }
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
