import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as z from 'zod';

/**
 * The lowest height from which filter headers were believed and turned out to be false. What was told of the blocks from
 * there on may lack something. The mark is set before the headers are replaced, and stays, over a kill, until those blocks
 * were looked at again.
 */
export interface ReplacedMark {
  readonly from: number | null;
  set(height: number): void;
  clear(): void;
}

const markSchema = z.object({ version: z.literal(1), from: z.number().int().nonnegative() });

export function openReplacedMark(file: string): ReplacedMark {
  let from: number | null = null;
  if (existsSync(file)) {
    // A mark that cannot be read says as much as one at genesis.
    from = 0;
    try {
      const read = markSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
      if (read.success) from = read.data.from;
    } catch {
      // Stays at genesis.
    }
  }
  return {
    get from() {
      return from;
    },
    set(height) {
      const next = Math.min(from ?? height, height);
      if (next === from) return;
      writeFileSync(`${file}.new`, JSON.stringify({ version: 1, from: next }), { mode: 0o600, flush: true });
      renameSync(`${file}.new`, file);
      from = next;
    },
    clear() {
      rmSync(file, { force: true });
      from = null;
    },
  };
}
