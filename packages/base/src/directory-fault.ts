import { CodedError } from './coded-error.ts';

/** What a system says of a directory that is none, or in which nothing can be written. */
const UNUSABLE = ['EROFS', 'EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG'];
const FULL = ['ENOSPC', 'EDQUOT'];

/**
 * An error of the file system as people can act on it: `storage_full` and `vault_directory_unusable`. `undefined` for any other
 * error.
 */
export function directoryFault(directory: string, cause: unknown): CodedError | undefined {
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  if (typeof code !== 'string' || cause instanceof CodedError) return undefined;
  if (FULL.includes(code)) {
    return new CodedError('storage_full', `No space is left in ${directory} (${code}); nothing was written.`, {
      cause,
      remedy: 'Make room on the disk that holds the data directory, then try again.',
    });
  }
  if (!UNUSABLE.includes(code)) return undefined;
  return new CodedError('vault_directory_unusable', `${directory} cannot be made or written (${code}).`, {
    cause,
    remedy: 'Look at its permissions and at how its disk is mounted, or name another directory with --data.',
  });
}
