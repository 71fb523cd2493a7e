import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cachedProgram, fetchPackage } from '../debian/fetch.ts';

/** How a real node is started here: the program and the arguments that stand before the node's own. */
export interface Bitcoind {
  readonly command: string;
  readonly leading: readonly string[];
  /** The first line of `-version`. */
  readonly version: string;
  readonly origin: 'path' | 'debian';
}

export type FoundBitcoind = { readonly bitcoind: Bitcoind } | { readonly missing: string };

/** A derivative of Bitcoin Core. */
const KNOTS = { name: 'bitcoin-knots', backports: true, size: '25 MB' };

const run = promisify(execFile);
let found: Promise<FoundBitcoind> | undefined;

/**
 * A real bitcoind: the one on PATH, else the one in the cache, else Debian's bitcoin-knots, fetched once into the cache.
 * `missing` says why there is none: a test that needs one is then skipped under that name.
 */
export function findBitcoind(tell: (words: string) => void = () => {}): Promise<FoundBitcoind> {
  found ??= find(tell);
  return found;
}

async function find(tell: (words: string) => void): Promise<FoundBitcoind> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const command = join(directory, 'bitcoind');
    if (directory === '' || !existsSync(command)) continue;
    const version = await versionOf(command, []);
    if (version) return { bitcoind: { command, leading: [], version, origin: 'path' } };
  }
  const cached = await inCache();
  if (cached) return { bitcoind: cached };
  const fetched = await fetchPackage(KNOTS, tell);
  if ('missing' in fetched) return { missing: `no bitcoind on PATH, and ${fetched.missing}` };
  const bitcoind = await inCache();
  return bitcoind ? { bitcoind } : { missing: `the bitcoind that was unpacked into ${fetched.root} does not start` };
}

async function inCache(): Promise<Bitcoind | undefined> {
  const program = cachedProgram(KNOTS.name, 'bitcoind');
  const version = program && (await versionOf(program.command, program.leading));
  return version === undefined ? undefined : { ...program!, version, origin: 'debian' };
}

async function versionOf(command: string, leading: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, [...leading, '-version'], { timeout: 60_000 });
    return stdout.split('\n')[0];
  } catch {
    return undefined;
  }
}
