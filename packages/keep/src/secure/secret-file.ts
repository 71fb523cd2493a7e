import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { CodedError } from '@keepwatch/base';
import { createDurableFile } from '../durable-file.ts';
import { withReadable, withWritable } from './access.ts';
import type { SecureMemory, Slot } from './memory.ts';

// Secrets that must lie in a file because the machine starts without a person (the boot key): read and written straight
// between the kernel and locked memory, without a buffer between.

/**
 * Reads a secret of exactly `size` bytes.
 * @throws CodedError `secret_file_exposed` (group or others may read it), `secret_file_size`; errors of node:fs as they are
 */
export function readSecretFile(memory: SecureMemory, path: string, size: number): Slot {
  const file = openSync(path, 'r');
  try {
    const { mode, uid, size: actual } = fstatSync(file);
    // systemd hands credentials out as files of root with an ACL for the service's user, which stat shows as 0440.
    const forbidden = uid === process.getuid?.() ? 0o077 : 0o037;
    if ((mode & forbidden) !== 0) {
      throw new CodedError('secret_file_exposed', `other users may read ${path}`, {
        remedy: `Run \`chmod 600 ${path}\`. If others had access, make a new key.`,
      });
    }
    const slot = memory.alloc(size);
    const read = actual === size ? withWritable(slot, (bytes) => readSync(file, bytes, 0, size, 0)) : 0;
    if (read === size) return slot;
    memory.free(slot);
    throw new CodedError('secret_file_size', `${path} has ${actual} bytes, not ${size}`, {
      remedy: 'Put the right file back.',
    });
  } finally {
    closeSync(file);
  }
}

/** Writes a new file that only its owner reads, and has it durable. Never overwrites: EEXIST of node:fs. */
export function writeSecretFile(path: string, secret: Slot): void {
  const file = createDurableFile(path);
  try {
    const written = withReadable(secret, (bytes) => writeSync(file, bytes, 0, bytes.length, 0));
    if (written !== secret.size) throw new CodedError('secret_file_size', `${path} was not written completely`);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(file);
  }
}
