import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { HeaderChain } from '@keepwatch/bitcoin';
import { lockDirectory } from '../store/directory-lock.ts';
import { openHeaderLog } from '../store/header-log.ts';

/** Where a source puts headers: into its chain, and onto a disk where it has one. */
export interface HeaderKeeper {
  accept: HeaderChain['accept'];
  close(): void;
}

/**
 * Fills the chain with what an earlier run kept in the directory, and keeps what comes. What was kept is held to the same
 * rules again. Without a directory nothing is kept, and every start asks for all headers anew. Throws `data_dir_in_use`.
 */
export function keepHeaders(chain: HeaderChain, dataDir: string | undefined): HeaderKeeper {
  if (dataDir === undefined) return { accept: chain.accept, close: () => undefined };
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(dataDir);
  try {
    const log = openHeaderLog(join(dataDir, 'headers.dat'), chain);
    return {
      accept: log.accept,
      close() {
        log.close();
        lock.release();
      },
    };
  } catch (cause) {
    lock.release();
    throw cause;
  }
}
