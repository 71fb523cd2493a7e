import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/**
 * Programs of Debian, fetched through apt into a root of their own. Nothing of the system changes: apt gets lists, cache
 * and status of its own, downloads only, and each package is unpacked by dpkg -x.
 */
export interface DebianPackage {
  readonly name: string;
  /** Packages of it that are newer than the suite's own. */
  readonly backports: boolean;
  /** What has to be downloaded, for who waits. */
  readonly size: string;
}

const run = promisify(execFile);
const SUITE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const APT_MS = 240_000;

function cachedRoot(name: string): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'keepwatch', `${name}-${SUITE}`);
}

/** How a program of an unpacked root is started: by that root's own loader, so that no library of this machine matters. */
export interface DebianProgram {
  readonly command: string;
  readonly leading: readonly string[];
}

/** A program of the package, if it was fetched before. */
export function cachedProgram(packageName: string, program: string): DebianProgram | undefined {
  const root = cachedRoot(packageName);
  const loader = join(root, 'usr/lib64/ld-linux-x86-64.so.2');
  const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib', 'lib/x86_64-linux-gnu'].map((each) => join(root, each));
  const path = join(root, 'usr/bin', program);
  if (!existsSync(loader) || !existsSync(path)) return undefined;
  return { command: loader, leading: ['--library-path', libraries.join(':'), path] };
}

/** Fetches the package with all that it depends on into the cache, once. `missing`: why that is not possible. */
export async function fetchPackage(
  wanted: DebianPackage,
  tell: (words: string) => void,
): Promise<{ readonly root: string } | { readonly missing: string }> {
  const root = cachedRoot(wanted.name);
  const mirror = debianMirror();
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return { missing: 'Debian’s is fetched on linux-x64 only' };
  if (!mirror || !existsSync(KEYRING)) return { missing: 'this machine is not a Debian' };
  mkdirSync(dirname(root), { recursive: true });
  const leave = await enter(`${root}.lock`);
  const scratch = `${root}.${process.pid}`;
  try {
    if (existsSync(root)) return { root };
    tell(`fetching Debian’s ${wanted.name} from ${mirror} (${wanted.size}, once) …`);
    const unpacked = await download(wanted, mirror, scratch);
    renameSync(unpacked, root);
    return { root };
  } catch (error) {
    const text = error as { stderr?: string; message: string };
    return { missing: `apt did not bring it: ${(text.stderr || text.message).trim()}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    leave();
  }
}

/** The mirror of the distribution itself, as the machine's own sources name it (deb822 or one-line form). */
function debianMirror(): string | undefined {
  const directory = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...(existsSync(directory) ? readdirSync(directory) : [])].map((name) =>
    name.startsWith('/') ? name : join(directory, name),
  );
  for (const file of files) {
    if (!existsSync(file)) continue;
    const match = /\b(?:https?|mirror\+\w+):\/\/\S*?\/debian\/?(?=\s|$)/m.exec(
      readFileSync(file, 'utf8').replace(/^\s*#.*$/gm, ''),
    );
    if (match) return match[0];
  }
  return undefined;
}

async function download(wanted: DebianPackage, mirror: string, scratch: string): Promise<string> {
  rmSync(scratch, { recursive: true, force: true });
  for (const each of ['lists/partial', 'cache/archives/partial', 'state', 'root']) {
    mkdirSync(join(scratch, each), { recursive: true });
  }
  writeFileSync(join(scratch, 'status'), '');
  const sources = [SUITE, `${SUITE}-backports`].map((suite) => `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`);
  writeFileSync(join(scratch, 'sources.list'), sources.join(''));
  const settings: Record<string, string> = {
    'Dir::State': join(scratch, 'state'),
    'Dir::State::lists': join(scratch, 'lists'),
    'Dir::State::status': join(scratch, 'status'),
    'Dir::Cache': join(scratch, 'cache'),
    'Dir::Etc::sourcelist': join(scratch, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': process.env['USER'] ?? 'root',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
  };
  const file = join(scratch, 'apt.conf');
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  const env = { ...process.env, APT_CONFIG: file, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { env, timeout: APT_MS, maxBuffer: 1 << 24 });
  const release = wanted.backports ? `${SUITE}-backports` : SUITE;
  const install = ['install', '-q', '-y', '-t', release, '--download-only', wanted.name];
  await run('apt-get', install, { env, timeout: APT_MS, maxBuffer: 1 << 24 });
  const archives = join(scratch, 'cache/archives');
  const root = join(scratch, 'root');
  for (const name of readdirSync(archives)) {
    if (name.endsWith('.deb')) await run('dpkg', ['-x', join(archives, name), root], { timeout: APT_MS });
  }
  return root;
}

/** Two test runs at once must not fetch twice: the second waits for the first, or takes over from one that died. */
async function enter(lock: string): Promise<() => void> {
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      return () => rmSync(lock, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    await sleep(500);
    if (ownerIsGone(lock)) rmSync(lock, { recursive: true, force: true });
  }
}

function ownerIsGone(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
