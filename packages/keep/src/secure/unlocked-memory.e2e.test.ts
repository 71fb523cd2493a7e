import { fork } from 'node:child_process';
import { argon2Sync } from 'node:crypto';
import { accessSync, closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromHex, utf8 } from '@keepwatch/base';
import { HDKey } from '@scure/bip32';
import { entropyToMnemonic, mnemonicToSeedSync } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { describe, expect, it } from 'vitest';
import { openSecret } from './aead.ts';
import { decodeKdfRecord } from './key-records.ts';
import { createSecureMemory } from './memory.ts';
import { reveal, secretOf } from './secrets.fixture.ts';

/** The bytes that the searched process makes for itself. */
const knownBytes = (size: number, which: number) =>
  Uint8Array.from({ length: size }, (_, i) => i * 73 + which * 29 + 11 + ((i * i) % 251));

/** Starts the process, and gives what it stored when all is done. */
async function startHolder() {
  const child = fork(fileURLToPath(new URL('./secret-life.fixture.ts', import.meta.url)), {
    execArgv: ['--no-warnings'],
    env: {},
  });
  const stored = await new Promise<[string, string][]>((resolve, reject) => {
    child.once('message', (message) => resolve(message as [string, string][]));
    child.once('exit', (code) => reject(new Error(`the process ended early: ${code}`)));
  });
  return { child, stored: new Map(stored.map(([id, hex]) => [id, fromHex(hex)!])) };
}

/** Everything secret that the process has had, computed apart from it. */
function secretsOf(stored: ReadonlyMap<string, Uint8Array>): Record<string, Uint8Array> {
  const password = knownBytes(24, 1);
  const { generation, salt, opsLimit, memLimitBytes } = decodeKdfRecord(stored.get('root/kdf')!);
  const userKey = argon2Sync('argon2id', {
    message: password,
    nonce: salt,
    parallelism: 1,
    tagLength: 32,
    memory: memLimitBytes / 1024,
    passes: opsLimit,
  });
  const memory = createSecureMemory({ allowUnlockedMemory: true });
  const root = (id: number) => {
    const wrapped = { keyId: generation, place: utf8(`root/${id}`), sealed: stored.get(`root/${id}`)! };
    return reveal(openSecret(memory, secretOf(memory, userKey), wrapped)!);
  };
  const mnemonic = entropyToMnemonic(knownBytes(32, 4), wordlist);
  const seed = mnemonicToSeedSync(mnemonic);
  const tree = HDKey.fromMasterSeed(seed);
  const onTheWay = ['m', "m/44'", "m/44'/60'", "m/44'/60'/0'", "m/44'/60'/0'/0", "m/44'/60'/0'/0/0"].flatMap((path) => {
    const { privateKey, chainCode } = tree.derive(path);
    return [
      [`key ${path}`, privateKey!],
      [`chain code ${path}`, chainCode!],
    ] as const;
  });
  return {
    password,
    userKey,
    'root key 1': root(1),
    'root key 2': root(2),
    'receipt seed': knownBytes(32, 2),
    'wallet key': knownBytes(32, 3),
    entropy: knownBytes(32, 4),
    words: utf8(mnemonic.slice(20, 60)),
    'seed, first half': seed.subarray(0, 32),
    'seed, second half': seed.subarray(32),
    ...Object.fromEntries(onTheWay),
  };
}

/** Which secrets lie in which kind of memory. Locked means: locked and kept out of core dumps (proc(5), VmFlags lo dd). */
function search(pid: number, secrets: Record<string, Uint8Array>) {
  const found = { locked: new Set<string>(), open: new Set<string>() };
  const file = openSync(`/proc/${pid}/mem`, 'r');
  for (const region of readFileSync(`/proc/${pid}/smaps`, 'latin1').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const [, start, end, write, inode] = /^([0-9a-f]+)-([0-9a-f]+) .(.)\S+ \S+ \S+ (\d+)/.exec(region)!;
    // What is a file's and cannot be written is the program itself.
    if (inode !== '0' && write !== 'w') continue;
    if (/^Rss: +0 kB$/m.test(region) && /^Swap: +0 kB$/m.test(region)) continue;
    const flags = /^VmFlags: (.*)$/m.exec(region)?.[1]?.split(' ') ?? [];
    const kind = flags.includes('lo') && flags.includes('dd') ? 'locked' : 'open';
    const from = Number.parseInt(start!, 16);
    const bytes = readRegion(file, from, Number.parseInt(end!, 16) - from);
    for (const [name, secret] of Object.entries(secrets)) if (bytes.includes(secret)) found[kind].add(name);
  }
  closeSync(file);
  return { locked: [...found.locked].sort(), open: [...found.open].sort() };
}

function readRegion(file: number, start: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let at = 0;
  try {
    while (at < size) {
      const read = readSync(file, bytes, at, Math.min(1 << 20, size - at), start + at);
      if (read === 0) break;
      at += read;
    }
  } catch {
    // Some pages of the kernel's own cannot be read; nothing of the process lies there.
  }
  return bytes.subarray(0, at);
}

function canSearch(): boolean {
  try {
    accessSync('/proc/self/mem', constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!canSearch())('a search through the whole memory of a process that used its secrets', () => {
  it('finds them in locked memory alone', async () => {
    const { child, stored } = await startHolder();
    try {
      const { locked, open } = search(child.pid!, secretsOf(stored));
      expect(open).toEqual([]);
      // What is held at the end; that the search finds it shows that the search works.
      expect(locked).toEqual([
        'entropy',
        "key m/44'/60'/0'/0/0",
        'password',
        'receipt seed',
        'root key 1',
        'root key 2',
        'seed, first half',
        'seed, second half',
        'wallet key',
        'words',
      ]);
    } finally {
      child.removeAllListeners('exit');
      child.send('end');
    }
  });
});
