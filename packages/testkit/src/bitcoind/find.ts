import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cachedRoot, fetchKnots } from './fetch.ts';

/** How a real node is started here: the program and the arguments that stand before the node's own. */
export interface Bitcoind {
  readonly command: string;
  readonly leading: readonly string[];
  /** The first line of `-version`. */
  readonly version: string;
  readonly origin: 'path' | 'debian';
}

export type FoundBitcoind = { readonly bitcoind: Bitcoind } | { readonly missing: string };

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
  const cached = await inRoot(cachedRoot());
  if (cached) return { bitcoind: cached };
  const fetched = await fetchKnots(tell);
  if ('missing' in fetched) return fetched;
  const bitcoind = await inRoot(fetched.root);
  return bitcoind ? { bitcoind } : { missing: `the bitcoind that was unpacked into ${fetched.root} does not start` };
}

/** The node of an unpacked Debian root, run by that root's own loader, so that no library of this machine matters. */
async function inRoot(root: string): Promise<Bitcoind | undefined> {
  const loader = join(root, 'usr/lib64/ld-linux-x86-64.so.2');
  const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib', 'lib/x86_64-linux-gnu'].map((each) => join(root, each));
  const program = join(root, 'usr/bin/bitcoind');
  if (!existsSync(loader) || !existsSync(program)) return undefined;
  const leading = ['--library-path', libraries.join(':'), program];
  const version = await versionOf(loader, leading);
  return version === undefined ? undefined : { command: loader, leading, version, origin: 'debian' };
}

async function versionOf(command: string, leading: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, [...leading, '-version'], { timeout: 60_000 });
    return stdout.split('\n')[0];
  } catch {
    return undefined;
  }
}
