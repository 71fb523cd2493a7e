import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError } from '@keepwatch/base';

/**
 * A new file that only its owner can read, and that has its name when it is whole: until then it has another one in the
 * same directory. One that is there is never written over. Every function here throws `file_unwritable`.
 */
export interface NewFile {
  write(bytes: Uint8Array | string): Promise<void>;
  /** All of it is on the disk, and has its name. */
  keep(): Promise<void>;
  /** Nothing of it stays. Never throws, and does nothing to a file that was kept. */
  drop(): Promise<void>;
}

/** Found out before anything is asked for: whether the name is free, and the directory takes a file. */
export async function openNewFile(path: string): Promise<NewFile> {
  await demandFreeName(path);
  const draft = join(dirname(path), `.keepwatch-${randomBytes(8).toString('hex')}.part`);
  const file = await orUnwritable(path, () => open(draft, 'wx', 0o600));
  const ending = removeAtEnd(draft);
  let settled = false;

  return {
    write: (bytes) => orUnwritable(path, () => file.appendFile(bytes)),
    async keep() {
      await orUnwritable(path, async () => {
        await file.sync();
        await file.close();
        // Taken exclusively, then replaced: a link would do both at once, and sticks and cards have none.
        await (await open(path, 'wx', 0o600)).close();
        await rename(draft, path).catch(async (error: unknown) => {
          await rm(path, { force: true });
          throw error;
        });
      });
      settled = true;
      ending.forget();
      await syncDirectory(dirname(path));
    },
    async drop() {
      if (settled) return;
      settled = true;
      await file.close().catch(() => undefined);
      await rm(draft, { force: true }).catch(() => undefined);
      ending.forget();
    },
  };
}

/** A new file with what `fill` writes: whole where it succeeds, and none where it fails. */
export async function writeNewFile<T>(path: string, fill: (file: NewFile) => Promise<T>): Promise<T> {
  const file = await openNewFile(path);
  try {
    const value = await fill(file);
    await file.keep();
    return value;
  } catch (error) {
    await file.drop();
    throw error;
  }
}

async function demandFreeName(path: string): Promise<void> {
  if (path === '' || path.endsWith('/')) throw unwritable(path, 'is no name of a file');
  const there = await orUnwritable(path, () => lstat(path).catch(nothingThere));
  if (there !== undefined) throw unwritable(path, EXISTS);
}

const EXISTS = 'exists already';

function nothingThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function orUnwritable<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw unwritable(path, wordsOf((cause as NodeJS.ErrnoException).code), cause);
  }
}

function wordsOf(code: string | undefined): string {
  switch (code) {
    case 'EEXIST':
      return EXISTS;
    case 'ENOENT':
      return 'cannot be written: its directory is missing';
    case 'ENOSPC':
    case 'EDQUOT':
      return `cannot be written: no space is left (${code})`;
    default:
      return `cannot be written${code === undefined ? '' : ` (${code})`}`;
  }
}

function unwritable(path: string, words: string, cause?: unknown): CodedError {
  const remedy = 'Name a new file in a directory that you may write to, with enough free space.';
  return new CodedError('file_unwritable', `${path === '' ? '“”' : path} ${words}.`, { cause, remedy });
}

/** Not every file system has it; the file is whole without it. */
async function syncDirectory(path: string): Promise<void> {
  let directory: FileHandle | undefined;
  try {
    directory = await open(path, 'r');
    await directory.sync();
  } catch {
    // It is as durable as this file system makes it.
  } finally {
    await directory?.close();
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Whoever ends the command by a signal finds nothing half written either; the signal then does what it would have done. */
function removeAtEnd(draft: string): { forget(): void } {
  const forget = () => {
    for (const signal of SIGNALS) process.removeListener(signal, end);
  };
  function end(signal: NodeJS.Signals): void {
    forget();
    rmSync(draft, { force: true });
    process.kill(process.pid, signal);
  }
  for (const signal of SIGNALS) process.on(signal, end);
  return { forget };
}
