import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startVault, type VaultProcess } from '../world/index.ts';
import { seatHonestParty, type HonestParty } from './honest-party.ts';

// The seat belts of DESIGN §2, as the kernel sees them on the real keep of a real vault that holds keys. (Each is pulled
// from within by the inmate, beside the supervisor.) Root sees all of /proc; with users of their own it is tried what
// those users may do.

const linux = process.platform === 'linux';
const asRoot = linux && process.getuid?.() === 0;
const KEEP_USER = { uid: 64_011, gid: 64_011 };
const GATE_USER = { uid: 64_012, gid: 64_012 };

let root: string;
let vault: VaultProcess;
let party: HonestParty;

const proc = (name: string, pid = vault.pids().keep) => readFileSync(`/proc/${pid}/${name}`, 'utf8');
const status = (field: string, pid?: number) => new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(proc('status', pid))?.[1];

/** What a process holds open, by descriptor. One that it closes between two looks is passed over. */
function opened(pid: number): readonly (readonly [fd: number, what: string])[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [[Number(fd), readlinkSync(`/proc/${pid}/fd/${fd}`)] as const];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

/** Numbers of the sockets that a process holds, by descriptor. */
const socketsOf = (pid: number): Map<number, string> =>
  new Map(
    opened(pid).flatMap(([fd, what]) => {
      const inode = /^socket:\[(\d+)\]$/.exec(what)?.[1];
      return inode === undefined ? [] : [[fd, inode] as const];
    }),
  );

const filesOf = (pid: number): readonly string[] =>
  opened(pid).flatMap(([, what]) => (what.startsWith('/') && what !== '/dev/null' ? [what] : []));

/**
 * Those outside of keep's directory. Two files of the kernel are read now and then, and may be open at any look: the
 * clock's `os.uptime()`, and how much memory is locked.
 */
const foreignFiles = (pid: number): readonly string[] =>
  filesOf(pid).filter(
    (path) =>
      !path.startsWith(join(vault.dataDir, 'keep/')) && path !== '/proc/uptime' && path !== `/proc/${pid}/status`,
  );

/** Sockets of the internet families, whoever holds them. */
function internetSockets(pid: number): Set<string> {
  const inodes = new Set<string>();
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6']) {
    const path = `/proc/${pid}/net/${table}`;
    if (!existsSync(path)) continue;
    for (const line of readFileSync(path, 'utf8').split('\n').slice(1)) inodes.add(line.trim().split(/\s+/)[9] ?? '');
  }
  return inodes;
}

describe.skipIf(!asRoot)('a keep and a gate with users of their own (needs root on Linux)', () => {
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'keepwatch-belts-'));
    const evil = join(root, 'evil.cjs');
    writeFileSync(evil, `require('node:fs').writeFileSync(${JSON.stringify(root)} + '/ran-' + process.pid, '')`);
    vi.stubEnv('NODE_OPTIONS', `--require ${evil}`);
    vi.stubEnv('KEEPWATCH_CANARY', 'must not travel');
    vault = await startVault({ keepUser: KEEP_USER, gateUser: GATE_USER });
    vi.unstubAllEnvs();
    party = await seatHonestParty(vault);
    await party.sign();
  });
  // Whatever was tried, the same keep goes on signing.
  afterEach(async () => {
    await party.sign();
    expect(vault.keepStarts()).toBe(1);
  });
  afterAll(async () => {
    await party.close();
    await vault.stop();
    rmSync(root, { recursive: true });
  });

  it('run as two users, each in a directory of its own', () => {
    const { keep, gate } = vault.pids();
    const ids = (user: { uid: number }) => Array(4).fill(String(user.uid)).join('\t');
    expect(status('Uid', keep)).toBe(ids(KEEP_USER));
    expect(status('Gid', keep)).toBe(ids(KEEP_USER));
    expect(status('Uid', gate)).toBe(ids(GATE_USER));
    for (const [name, user] of [
      ['keep', KEEP_USER],
      ['gate', GATE_USER],
    ] as const) {
      const { mode, uid } = statSync(join(vault.dataDir, name));
      expect([name, mode & 0o777, uid]).toEqual([name, 0o700, user.uid]);
    }
    const peek = (user: object, dir: string) => spawnSync('ls', [join(vault.dataDir, dir)], user).status;
    expect(peek(KEEP_USER, 'keep')).toBe(0);
    expect(peek(GATE_USER, 'keep')).not.toBe(0);
    expect(peek(KEEP_USER, 'gate')).not.toBe(0);
  });

  it('have no capabilities, gain no privileges, and leave no core', () => {
    expect(status('CapEff')).toMatch(/^0+$/);
    expect(status('CapPrm')).toMatch(/^0+$/);
    expect(status('NoNewPrivs')).toBe('1');
    expect(proc('limits')).toMatch(/^Max core file size\s+0\s+0\s/m);
  });

  it('have an empty environment, and NODE_OPTIONS ran nothing in either', () => {
    const { keep, gate, supervisor } = vault.pids();
    expect(proc('environ', keep)).toBe('');
    // Node names the channel to its parent there.
    expect(proc('environ', gate)).not.toMatch(/NODE_OPTIONS|CANARY/);
    expect(readdirSync(root).filter((name) => name === `ran-${keep}` || name === `ran-${gate}`)).toEqual([]);
    // Control: it ran where the environment was handed on.
    expect(existsSync(join(root, `ran-${supervisor}`))).toBe(true);
  });

  it('keep keys in pages that are locked', () => {
    expect(Number(/(\d+) kB/.exec(status('VmLck')!)![1])).toBeGreaterThan(0);
  });

  it('keep has no socket but those it was born with, and none of a network', () => {
    const { keep, gate } = vault.pids();
    const sockets = socketsOf(keep);
    expect([...sockets.keys()].filter((fd) => fd > 4)).toEqual([]);
    expect(sockets.has(3)).toBe(true);
    const internet = internetSockets(keep);
    expect([...sockets.values()].filter((inode) => internet.has(inode))).toEqual([]);
    // Control: the table does show gate's listener.
    expect([...socketsOf(gate).values()].some((inode) => internetSockets(gate).has(inode))).toBe(true);
  });

  it('keep has no file open outside its directory and its code', () => {
    const { keep } = vault.pids();
    expect(filesOf(keep).length).toBeGreaterThan(0);
    expect(foreignFiles(keep)).toEqual([]);
  });

  it('would be seen with a file open that is not its own', async () => {
    const foreign = join(root, 'foreign');
    writeFileSync(foreign, '');
    const own = filesOf(vault.pids().keep).find((path) => path.startsWith(vault.dataDir))!;
    const files = [foreign, '/proc/uptime', '/proc/version', own];
    const stdio = files.map((path) => openSync(path, 'r'));
    // It says when it is up: until then its libraries are open as well.
    const holder = spawn('/bin/sh', ['-c', 'echo up >&4; read _ <&4'], { stdio: [...stdio, 'pipe'] });
    try {
      await once(holder.stdio[4] as Readable, 'data');
      // The shell keeps its first one by another number.
      expect([...filesOf(holder.pid!)].sort()).toEqual([...files].sort());
      expect([...foreignFiles(holder.pid!)].sort()).toEqual([foreign, '/proc/version'].sort());
    } finally {
      holder.kill('SIGKILL');
      stdio.forEach(closeSync);
    }
  });

  it('keep has no child processes', () => {
    const { keep } = vault.pids();
    const children = readdirSync(`/proc/${keep}/task`).flatMap((task) =>
      readFileSync(`/proc/${keep}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    );
    expect(children).toEqual([]);
  });

  // Tries to become the debugger of a process, and to read its memory: first on a child of its own, as a control.
  const INTRUDER = `
    const { DynamicLibrary } = process.getBuiltinModule('node:ffi');
    const { spawn } = require('node:child_process');
    const fs = require('node:fs');
    const SEIZE = 0x4206;
    const ptrace = new DynamicLibrary(null).getFunction('ptrace', { arguments: ['i64', 'i64', 'u64', 'u64'], return: 'i64' });
    const read = (pid) => {
      try {
        const [from] = fs.readFileSync('/proc/' + pid + '/maps', 'utf8').split('-');
        return fs.readSync(fs.openSync('/proc/' + pid + '/mem', 'r'), Buffer.alloc(16), 0, 16, parseInt(from, 16));
      } catch (error) {
        return error.code;
      }
    };
    const seize = (pid) => Number(ptrace(BigInt(SEIZE), BigInt(pid), 0n, 0n));
    const own = spawn('/bin/sleep', ['20'], { stdio: 'ignore' });
    own.once('spawn', () => {
      const attempt = (pid) => ({ mem: read(pid), ptrace: seize(pid) });
      const result = { own: attempt(own.pid), keep: attempt(Number(process.argv[1])) };
      own.kill('SIGKILL');
      console.log(JSON.stringify(result));
      process.exit(0);
    });`;

  it.each([
    ['its own user', KEEP_USER],
    ['gate’s user', GATE_USER],
  ])('is neither read nor debugged by %s', (_, user) => {
    const flags = ['--no-warnings', '--experimental-ffi', '-e', INTRUDER, String(vault.pids().keep)];
    const run = spawnSync(process.execPath, flags, { ...user, env: {}, cwd: '/' });
    const { own, keep } = JSON.parse(run.stdout.toString() || '{}') as Record<'own' | 'keep', object>;
    expect(own, run.stderr.toString()).toEqual({ mem: 16, ptrace: 0 });
    expect(keep).toEqual({ mem: expect.stringMatching(/^E(ACCES|PERM)$/) as string, ptrace: -1 });
  });

  it('opens no inspector on SIGUSR1', async () => {
    const { keep } = vault.pids();
    const before = socketsOf(keep).size;
    process.kill(keep, 'SIGUSR1');
    await party.sign();
    expect(socketsOf(keep).size).toBe(before);
    expect(vault.output().join('\n')).not.toContain('Debugger');
  });

  it('says so itself: doctor finds every belt good, and the split between two users', async () => {
    const { findings } = await party.owner.operator.query('doctor.report', {});
    const belts = findings.filter(({ check }) => check.startsWith('belt: '));
    expect(belts.length).toBeGreaterThan(15);
    expect(belts.filter(({ state }) => state !== 'good')).toEqual([]);
    expect(findings.find(({ check }) => check === 'users')).toMatchObject({ state: 'good' });
  });
});
