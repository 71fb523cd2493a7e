import { open, type FileHandle } from 'node:fs/promises';
import { CodedError } from '@keepwatch/base';

/** A new file that only its owner can read. One that is there is never written over. Error code `file_unwritable`. */
export async function createNewFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new CodedError('file_unwritable', `${path} ${exists ? 'exists already' : 'cannot be written'}.`, {
      cause,
      remedy: 'Name a new file in a directory that you may write to.',
    });
  }
}
