import { closeSync, existsSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import type { DiskReserve } from './context.ts';

/** Held back so that a full disk never keeps an operator from sealing or revoking. */
const RESERVE_BYTES = 4 << 20;
/** Below this many free bytes only what tightens is journaled. */
const LOW_BYTES = 8 << 20;
const CHECK_EVERY_MS = 250;

/** A file of zeros beside the journal. It is given up when what tightens finds the disk full, and made anew later. */
export function createDiskReserve(dataDir: string, monotonicMs: () => number): DiskReserve {
  const path = `${dataDir}/reserve`;
  let checkedMs = -Infinity;
  let low = false;

  function restore(): void {
    if (existsSync(path) || isLow(RESERVE_BYTES)) return;
    // Only the space matters: nobody reads it, so nothing waits for the disk.
    const file = openSync(path, 'wx', 0o600);
    try {
      writeSync(file, new Uint8Array(RESERVE_BYTES));
    } catch {
      unlinkSync(path);
    } finally {
      closeSync(file);
    }
  }

  function isLow(wanted: number): boolean {
    const { bavail, bsize } = statfsSync(dataDir);
    return bavail * bsize < LOW_BYTES + wanted;
  }

  return {
    low() {
      const now = monotonicMs();
      if (now - checkedMs > CHECK_EVERY_MS) {
        checkedMs = now;
        low = isLow(0);
        if (!low) restore();
      }
      return low;
    },
    release() {
      if (existsSync(path)) unlinkSync(path);
    },
    restore,
  };
}
