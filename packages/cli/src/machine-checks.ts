import { execFile } from 'node:child_process';
import { readFile, stat, statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { MethodResult } from '@keepwatch/protocol';

/** What of this machine matters to a vault, looked at from outside of it. Nothing here changes anything. */

type Finding = MethodResult<'doctor.report'>['findings'][number];

const good = (check: string, words: string): Finding => ({ check, state: 'good', words, remedy: null });
const warning = (check: string, words: string, remedy: string): Finding => ({ check, state: 'warning', words, remedy });
const bad = (check: string, words: string, remedy: string): Finding => ({ check, state: 'bad', words, remedy });

const MIB = 1024 * 1024;
/** Root key, journal keys and a thousand wallets in locked memory, and 256 MiB for the password's derivation. */
const NEEDED_LOCKED = 288 * MIB;
const NEEDED_DISK = 512 * MIB;

/** `named`: whoever asks says that there is a vault in `data`. */
export async function checkMachine(data: string, named: boolean): Promise<readonly Finding[]> {
  const checks = await Promise.all([
    checkNode(),
    checkAddons(),
    checkLockedMemory(),
    checkPtrace(),
    checkSwap(),
    checkClock(),
    checkDisk(data),
    checkDataDirectory(data, named),
  ]);
  return checks.flat();
}

function checkNode(): readonly Finding[] {
  const { node } = process.versions;
  return [
    Number(node.split('.')[0]) >= 26
      ? good('node', `Node ${node}.`)
      : bad('node', `Node ${node} is too old.`, 'Start Keepwatch by its own command, which brings Node 26.'),
  ];
}

/** The add-ons that hold and use the keys. The keep refuses to start without them; here is why. */
function checkAddons(): readonly Finding[] {
  const keep = createRequire(import.meta.resolve('@keepwatch/keep/main'));
  return ['sodium-native', 'secp256k1/bindings.js'].map((name) => {
    const shown = name.split('/')[0]!;
    try {
      keep(name);
      return good('add-ons', `${shown} loads.`);
    } catch (error) {
      const remedy = 'Install Keepwatch again with `npm ci --ignore-scripts` on a platform that it supports.';
      return bad('add-ons', `${shown} does not load: ${(error as Error).message.split('\n')[0]}`, remedy);
    }
  });
}

async function checkLockedMemory(): Promise<readonly Finding[]> {
  if (await hasCapability(CAP_IPC_LOCK)) return [good('locked memory', 'Without a limit (CAP_IPC_LOCK).')];
  const limits = await read('/proc/self/limits');
  const match = /^Max locked memory\s+(\S+)/m.exec(limits ?? '');
  if (!match) return [];
  const limit = match[1] === 'unlimited' ? Infinity : Number(match[1]);
  if (limit >= NEEDED_LOCKED) return [good('locked memory', `${megabytes(limit)} may be locked.`)];
  return [
    bad(
      'locked memory',
      `Only ${megabytes(limit)} may be locked; keys beyond that could be written to swap.`,
      `Raise it to ${megabytes(NEEDED_LOCKED)}: LimitMEMLOCK= under systemd, memlock in /etc/security/limits.conf, ulimit -l.`,
    ),
  ];
}

const CAP_IPC_LOCK = 14n;

async function hasCapability(bit: bigint): Promise<boolean> {
  const match = /^CapEff:\s*([0-9a-f]+)/m.exec((await read('/proc/self/status')) ?? '');
  return match !== null && ((BigInt(`0x${match[1]}`) >> bit) & 1n) === 1n;
}

async function checkPtrace(): Promise<readonly Finding[]> {
  const scope = (await read('/proc/sys/kernel/yama/ptrace_scope'))?.trim();
  if (scope === undefined) {
    const words = 'This kernel has no Yama: processes of one user may look into each other unless they forbid it.';
    return [
      warning('ptrace', words, 'The keep forbids it for itself; a user of its own (--keep-user) is the stronger wall.'),
    ];
  }
  if (scope !== '0') return [good('ptrace', `Restricted by the kernel (yama ptrace_scope ${scope}).`)];
  return [
    warning(
      'ptrace',
      'Processes of one user may trace each other.',
      'Set kernel.yama.ptrace_scope=1 by sysctl, or run the keep as a user of its own.',
    ),
  ];
}

/** Locked memory is never swapped, but hibernation writes all of it to the disk. */
async function checkSwap(): Promise<readonly Finding[]> {
  const swaps = ((await read('/proc/swaps')) ?? '').trim().split('\n').slice(1);
  const hibernation = ((await read('/sys/power/state')) ?? '').split(/\s/).includes('disk');
  const resume = ((await read('/sys/power/resume')) ?? '0:0').trim();
  if (hibernation && swaps.length > 0 && resume !== '0:0') {
    const words = 'Hibernation is set up: it would write an unsealed vault’s memory to the disk.';
    return [
      warning(
        'hibernation',
        words,
        'Keep the vault sealed before hibernating, or switch it off (systemctl mask hibernate.target).',
      ),
    ];
  }
  return [good('hibernation', swaps.length === 0 ? 'No swap, so nothing to hibernate to.' : 'Not set up.')];
}

async function checkClock(): Promise<readonly Finding[]> {
  const source = (await read('/sys/devices/system/clocksource/clocksource0/current_clocksource'))?.trim();
  const findings: Finding[] = [];
  if (source !== undefined) findings.push(good('clock source', source));
  const synchronised = await isClockSynchronised();
  if (synchronised === true) findings.push(good('clock', 'Synchronised by NTP.'));
  if (synchronised === false) {
    const words = 'Not synchronised: limits that depend on time rely on it.';
    findings.push(warning('clock', words, 'Run an NTP service such as systemd-timesyncd or chrony.'));
  }
  return findings;
}

async function isClockSynchronised(): Promise<boolean | undefined> {
  try {
    const shown = await promisify(execFile)('timedatectl', ['show', '-p', 'NTPSynchronized', '--value'], {
      timeout: 3_000,
    });
    const answer = shown.stdout.trim();
    return answer === 'yes' ? true : answer === 'no' ? false : undefined;
  } catch {
    return undefined;
  }
}

async function checkDisk(data: string): Promise<readonly Finding[]> {
  const place = await nearestExisting(data);
  const { bavail, bsize } = await statfs(place);
  const free = bavail * bsize;
  if (free >= NEEDED_DISK) return [good('disk', `${megabytes(free)} free.`)];
  return [
    bad('disk', `Only ${megabytes(free)} free where the journal lies.`, 'Make room: without space nothing is signed.'),
  ];
}

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    if ((await modeOf(at)) !== undefined || at === dirname(at)) return at;
  }
}

async function checkDataDirectory(data: string, named: boolean): Promise<readonly Finding[]> {
  const directory = `${data}/keep`;
  const mode = await modeOf(directory);
  if (mode === undefined) {
    const words = `No vault has its data in ${data}, or it cannot be looked into.`;
    // An operator's machine needs none.
    if (!named) return [good('data directory', words)];
    const remedy =
      'Name the directory of the vault with --data, and look as its user; or run `keepwatch vault run`, which makes one.';
    return [warning('data directory', words, remedy)];
  }
  if ((mode & 0o077) === 0) return [good('data directory', 'Only its owner reads it.')];
  return [bad('data directory', `Others than its owner may look into ${directory}.`, `Run chmod 700 ${directory}.`)];
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode;
  } catch {
    return undefined;
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

const megabytes = (bytes: number) => (bytes === Infinity ? 'any amount' : `${Math.floor(bytes / MIB)} MiB`);
