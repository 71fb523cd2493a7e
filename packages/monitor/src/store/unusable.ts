import { CodedError } from '@keepwatch/base';

/** What a system says of a directory in which nothing can be written; a full disk has words of its own. */
const UNWRITABLE = new Set(['EROFS', 'EACCES', 'EPERM']);

/** The error as people can act on it, where it says that `dataDir` cannot be written; else as it is. */
export function unusable(dataDir: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || !UNWRITABLE.has(code)) return error;
  return new CodedError('monitor_directory_unusable', `${dataDir} cannot be written (${code}).`, {
    cause: error,
    remedy: 'Look at its permissions and at how its disk is mounted, or name another directory with --data.',
  });
}
