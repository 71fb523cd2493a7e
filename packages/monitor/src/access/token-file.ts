import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../store/durable-file.ts';

/** Where the monitor leaves the connection string with its one-time token, until the first operator has joined. */
export const tokenPath = (dataDir: string) => join(dataDir, 'bootstrap_token');

/**
 * For an operator on the monitor's own machine: whoever can read the file may order by the socket beside it, so that it
 * gives away nothing. `null`: there is no token, and no file.
 */
export function showToken(dataDir: string, connection: string | null): void {
  const path = tokenPath(dataDir);
  if (connection === null) rmSync(path, { force: true });
  else if (readShown(path) !== connection) writeDurably(path, `${connection}\n`);
}

function readShown(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return undefined;
  }
}
