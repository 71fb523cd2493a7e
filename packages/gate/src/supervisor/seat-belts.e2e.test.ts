import { spawnSync } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startKeepProcess, type KeepProcess, type UserIds } from './keep-process.ts';

// Each seat belt of DESIGN §2 is pulled once, in a process that the supervisor's own code started and that entered keep's
// own jail. Where a belt could seem to hold by accident, a control shows that the attempt works without it.
const inmate = fileURLToPath(new URL('../../../keep/src/jail/fixtures/inmate/main.ts', import.meta.url));
const asRoot = process.getuid?.() === 0;
const linux = process.platform === 'linux';

interface Answer {
  readonly ended: string;
  readonly message?: string;
  readonly value?: unknown;
}

interface Inmate {
  readonly keep: KeepProcess;
  readonly ready: Record<string, unknown>;
  readonly output: string[];
  try(what: string, path?: string): Promise<Answer>;
}

async function startInmate(dataDir: string, args: string[] = [], user?: UserIds): Promise<Inmate> {
  const messages: Record<string, unknown>[] = [];
  const output: string[] = [];
  const keep = startKeepProcess({
    main: inmate,
    args,
    extraNodeFlags: [],
    dataDir,
    ...(user && { user }),
    onMessage: (message) => void messages.push(message),
    onOutput: (line) => void output.push(line),
  });
  started.push(keep);
  const message = (test: (message: Record<string, unknown>) => boolean) =>
    vi.waitFor(
      () => {
        const index = messages.findIndex(test);
        if (index < 0) throw new Error(`no such message yet; output: ${output.join('\n')}`);
        return messages.splice(index, 1)[0]!;
      },
      { timeout: 20_000, interval: 10 },
    );
  const ready = await message(({ event }) => event === 'ready' || event === 'refused');
  return {
    keep,
    ready,
    output,
    async try(what, path = '') {
      keep.send({ cmd: 'try', what, path });
      return (await message((m) => m['event'] === 'tried' && m['what'] === what)) as unknown as Answer;
    },
  };
}

const started: KeepProcess[] = [];
let root: string;
let dataDir: string;
let jailed: Inmate;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'belts-'));
  dataDir = join(root, 'keep');
  mkdirSync(dataDir);
  jailed = await startInmate(dataDir, ['--strict']);
});
afterAll(async () => {
  for (const keep of started) await keep.shutDown('test over', 1000);
  rmSync(root, { recursive: true });
});

it('starts in strict mode: every belt holds, and the supervisor’s flags are the ones that the jail asks for', () => {
  expect(jailed.ready['event'], JSON.stringify(jailed.ready)).toBe('ready');
  const { report } = jailed.ready as { report: { complete: boolean; environment: string[]; sameUserAsGate: unknown } };
  expect(report).toMatchObject({ complete: true, environment: [] });
  // One user, as this test: the honest answer about the split.
  expect(report.sameUserAsGate).toBe(linux ? true : 'unknown');
});

describe('what keep needs still works', () => {
  it('the add-ons that were loaded', async () =>
    expect(await jailed.try('sign')).toMatchObject({ ended: 'done', value: true }));
  it('its own files', async () => {
    expect((await jailed.try('write', join(dataDir, 'file'))).ended).toBe('done');
    expect((await jailed.try('read', join(dataDir, 'file'))).ended).toBe('done');
    expect((await jailed.try('sqlite', join(dataDir, 'own.db'))).ended).toBe('done');
  });
  it('its clock', async () => {
    const { value } = (await jailed.try('clock')) as { value: { bootMs: number; monotonicMs: number } };
    expect(value.bootMs).toBeGreaterThanOrEqual(value.monotonicMs - 10);
  });
  it('the lock report of the kernel', async () =>
    expect((await jailed.try('read', '/proc/self/status')).ended).toBe(linux ? 'done' : 'ENOENT'));
});

describe('native code', () => {
  it('a planted add-on does not load after the drop, wherever it lies', async () => {
    const require = createRequire(inmate);
    // Keep's own add-on, found from keep: gate has none.
    const name = 'sodium-native';
    const prebuilds = join(dirname(require.resolve(`${name}/package.json`)), 'prebuilds');
    const platform = join(prebuilds, `${process.platform}-${process.arch}`);
    const addon = join(
      platform,
      readdirSync(platform).find((name) => name.endsWith('.node'))!,
    );
    const planted = join(dataDir, 'planted.node');
    copyFileSync(addon, planted);
    expect((await jailed.try('dlopen', planted)).ended).toBe('ERR_ACCESS_DENIED');
    expect((await jailed.try('addon', planted)).ended).toBe('ERR_ACCESS_DENIED');
    expect((await jailed.try('dlopen', addon)).ended).toBe('ERR_ACCESS_DENIED');
    // Control: the very file loads where nobody forbids it.
    const free = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(planted)})`]);
    expect(free.status).toBe(0);
  });
  it('FFI is gone', async () => expect((await jailed.try('ffi')).ended).toBe('ERR_ACCESS_DENIED'));
});

describe('code from strings and from prototypes', () => {
  it.each(['eval', 'function'])('%s', async (what) => expect((await jailed.try(what)).ended).toBe('EvalError'));
  it('__proto__', async () => expect((await jailed.try('proto')).ended).toBe('ERR_PROTO_ACCESS'));
  it('__proto__ assigned', async () => expect((await jailed.try('setProto')).ended).toBe('ERR_PROTO_ACCESS'));
  it('a replaced built-in', async () => expect((await jailed.try('intrinsics')).ended).toBe('TypeError'));
});

describe('other processes', () => {
  it.each(['spawn', 'fork', 'worker', 'inspector'])('%s', async (what) =>
    expect((await jailed.try(what)).ended).toBe('ERR_ACCESS_DENIED'),
  );
});

describe('the network', () => {
  it.each(['connect', 'listen', 'udp', 'lookup'])('%s', async (what) =>
    expect((await jailed.try(what)).ended).toBe('ERR_ACCESS_DENIED'),
  );
  it('fetch', async () => expect((await jailed.try('fetch')).ended).not.toBe('done'));
  it('a Unix socket that listens', async () => {
    const path = join(dataDir, 'listening.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    expect((await jailed.try('unix', path)).ended).toBe('ERR_ACCESS_DENIED');
    server.close();
  });
});

describe('files outside', () => {
  it.each(['/etc/passwd', '/proc/self/environ', '/proc/self/mem'])('does not read %s', async (path) =>
    expect((await jailed.try('read', path)).ended).toBe('ERR_ACCESS_DENIED'),
  );
  it('does not write beside its directory, nor into its own code', async () => {
    for (const path of [join(root, 'beside'), join(dirname(inmate), 'x'), `${dataDir}-suffix`]) {
      expect((await jailed.try('write', path)).ended).toBe('ERR_ACCESS_DENIED');
      expect(existsSync(path)).toBe(false);
    }
  });
  it('node:sqlite is not held by the permission model: what holds is that keep takes no path and no SQL from input', async () => {
    // Documented, not wished for: should a later Node close this, the test says so and DESIGN §2 can be relaxed.
    const path = join(root, 'outside.db');
    expect((await jailed.try('sqlite', path)).ended).toBe('done');
    expect(existsSync(path)).toBe(true);
  });
  it('SQLite loads no extension', async () =>
    expect((await jailed.try('sqliteExtension')).ended).toBe('ERR_LOAD_SQLITE_EXTENSION'));
});

describe('from outside', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('NODE_OPTIONS of whoever starts the supervisor does not reach keep', async () => {
    const [evil, trace] = [join(root, 'evil.cjs'), join(root, 'evil-ran')];
    writeFileSync(evil, `require('node:fs').writeFileSync(${JSON.stringify(trace)}, '')`);
    vi.stubEnv('NODE_OPTIONS', `--require ${evil}`);
    const other = await startInmate(dataDir, ['--strict']);
    expect(other.ready['event']).toBe('ready');
    expect(existsSync(trace)).toBe(false);
    // Control: it does reach a process that inherits the environment.
    spawnSync(process.execPath, ['-e', '0']);
    expect(existsSync(trace)).toBe(true);
  });

  it('SIGUSR1 opens no inspector', async () => {
    process.kill(jailed.keep.pid!, 'SIGUSR1');
    expect((await jailed.try('sign')).ended).toBe('done');
    expect(jailed.output.join('\n')).not.toContain('Debugger');
    // Control: that is what the signal does to a Node without the flag.
    const usr1 = "process.kill(process.pid, 'SIGUSR1'); setTimeout(() => {}, 500)";
    const bare = spawnSync(process.execPath, ['--inspect-port=0', '-e', usr1]);
    expect(bare.stderr.toString()).toContain('Debugger listening');
  });

  it.skipIf(!linux)('leaves no core file even when it is killed by a signal that dumps', async () => {
    const victim = await startInmate(dataDir, ['--strict']);
    process.kill(victim.keep.pid!, 'SIGABRT');
    expect((await victim.keep.ended).signal).toBe('SIGABRT');
    expect(readdirSync(dataDir).filter((name) => name.startsWith('core'))).toEqual([]);
  });

  const reader = `
    const fs = require('node:fs');
    const pid = process.argv[1], secret = 'improbably-found-secret'.repeat(4);
    try {
      const mem = fs.openSync('/proc/' + pid + '/mem', 'r');
      const maps = fs.readFileSync('/proc/' + pid + '/maps', 'utf8');
      for (const line of maps.split('\\n')) {
        const match = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line);
        if (!match) continue;
        const from = BigInt('0x' + match[1]), size = Number(BigInt('0x' + match[2]) - from);
        if (size > 256 * 1024 * 1024) continue;
        const buffer = Buffer.alloc(size);
        try { fs.readSync(mem, buffer, 0, size, from); } catch { continue; }
        if (buffer.includes(secret)) { console.log('found'); process.exit(0); }
      }
      console.log('read, not found');
    } catch (error) { console.log(error.code); }`;

  function readMemory(pid: number, user: UserIds | undefined): string {
    const run = spawnSync(process.execPath, ['-e', reader, String(pid)], { ...user, env: {}, cwd: '/' });
    return run.stdout.toString().trim();
  }

  it.skipIf(!linux)('no process of the same user reads its memory; one of another user neither', async () => {
    // As root everything may be read, so keep and reader become an unprivileged user, as in a real installation.
    const user = asRoot ? { uid: 64_001, gid: 64_001 } : undefined;
    const other = { uid: 64_002, gid: 64_002 };
    const home = mkdtempSync(join(tmpdir(), 'belts-user-'));
    if (user) chownSync(home, user.uid, user.gid);
    try {
      const free = await startInmate(home, ['--free'], user);
      expect(readMemory(free.keep.pid!, user)).toBe('found');
      if (asRoot) expect(readMemory(free.keep.pid!, other)).toMatch(/^E(ACCES|PERM)$/);
      const held = await startInmate(home, ['--strict'], user);
      expect(held.ready['event'], JSON.stringify(held.ready)).toBe('ready');
      expect(readMemory(held.keep.pid!, user)).toMatch(/^E(ACCES|PERM)$/);
      if (asRoot) expect(readMemory(held.keep.pid!, other)).toMatch(/^E(ACCES|PERM)$/);
    } finally {
      for (const keep of started.splice(1)) await keep.shutDown('test over', 1000);
      rmSync(home, { recursive: true });
    }
  });
});
