import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cachedProgram, fetchPackage, type DebianProgram } from '@keepwatch/devnet';

/** How a real Tor is started here, and the tool that makes keys for directory authorities. */
export interface Tor {
  readonly tor: DebianProgram;
  readonly gencert: DebianProgram;
  /** The first line of `--version`. */
  readonly version: string;
}

export type FoundTor = { readonly tor: Tor } | { readonly missing: string };

const PACKAGE = { name: 'tor', backports: false, size: '15 MB' };

const run = promisify(execFile);
let found: Promise<FoundTor> | undefined;

/**
 * A real Tor: the one on PATH, else Debian's, fetched once into the cache. `missing` says why there is none: a test that
 * needs one is then skipped under that name.
 */
export function findTor(tell: (words: string) => void = () => {}): Promise<FoundTor> {
  found ??= find(tell);
  return found;
}

async function find(tell: (words: string) => void): Promise<FoundTor> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const [tor, gencert] = ['tor', 'tor-gencert'].map((name) => join(directory, name)) as [string, string];
    if (directory === '' || !existsSync(tor) || !existsSync(gencert)) continue;
    const started = await startable({ command: tor, leading: [] }, { command: gencert, leading: [] });
    if (started) return { tor: started };
  }
  const cached = await startable(cachedProgram(PACKAGE.name, 'tor'), cachedProgram(PACKAGE.name, 'tor-gencert'));
  if (cached) return { tor: cached };
  const fetched = await fetchPackage(PACKAGE, tell);
  if ('missing' in fetched) return { missing: `no tor on PATH, and ${fetched.missing}` };
  const tor = await startable(cachedProgram(PACKAGE.name, 'tor'), cachedProgram(PACKAGE.name, 'tor-gencert'));
  return tor ? { tor } : { missing: `the tor that was unpacked into ${fetched.root} does not start` };
}

async function startable(tor?: DebianProgram, gencert?: DebianProgram): Promise<Tor | undefined> {
  if (!tor || !gencert) return undefined;
  try {
    const { stdout } = await run(tor.command, [...tor.leading, '--version'], { timeout: 60_000 });
    return { tor, gencert, version: stdout.split('\n')[0]! };
  } catch {
    return undefined;
  }
}
