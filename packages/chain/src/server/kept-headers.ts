import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createHeaderChain, HEADER_BYTES, type HeaderChain, type HeaderChainOptions } from '@keepwatch/bitcoin';
import { lockDirectory } from '../store/directory-lock.ts';
import { openRecordFile } from '../store/record-file.ts';

/**
 * A chain with what an earlier run kept in the directory; it keeps there what comes. What was kept is held to the same
 * rules again. Without a directory nothing is kept, and every start asks for all headers anew. Throws the codes
 * of {@link lockDirectory}.
 */
export function openKeptChain(
  options: HeaderChainOptions,
  dataDir: string | undefined,
): { readonly chain: HeaderChain; close(): void } {
  if (dataDir === undefined) return { chain: createHeaderChain(options), close: () => undefined };
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(dataDir);
  try {
    const archive = openRecordFile(join(dataDir, 'headers.dat'), HEADER_BYTES);
    return {
      chain: createHeaderChain({ ...options, archive }),
      close() {
        archive.close();
        lock.release();
      },
    };
  } catch (cause) {
    lock.release();
    throw cause;
  }
}
