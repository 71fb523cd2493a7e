import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CodedError, type MaybePromise } from '@keepwatch/base';
import { parseHead, parseStrictJson, isObject, type JsonObject } from '@keepwatch/wire';
import type { SignedHeadJson } from '@keepwatch/protocol';

/**
 * What a peer remembers of the vaults it has met: the newest journal head that the vault signed, and the TLS key with
 * the counter of the statement that brought it. The head is what unmasks an old copy of a vault that was put back.
 */
export interface VaultMemory {
  /** SPKI SHA-256, base64url. */
  readonly tls: string;
  /** Of the last statement that was taken over; 0 for none. */
  readonly tlsCounter: number;
  readonly head: SignedHeadJson | null;
}

/** Where it is kept. Vaults are named by their identity, base64url. */
export interface PeerMemory {
  get(vault: string): MaybePromise<VaultMemory | undefined>;
  /** Keeps what is newer of what was there and what is given: memory never goes back. */
  set(vault: string, memory: VaultMemory): MaybePromise<void>;
}

/** Does `a` stand behind `b` in the vault's history? */
export function isNewerHead(a: SignedHeadJson, b: SignedHeadJson | null): boolean {
  return b === null || a.epoch > b.epoch || (a.epoch === b.epoch && a.lastSeq > b.lastSeq);
}

function newest(before: VaultMemory | undefined, given: VaultMemory): VaultMemory {
  if (!before) return given;
  const tls = given.tlsCounter >= before.tlsCounter ? given : before;
  const head = given.head && isNewerHead(given.head, before.head) ? given.head : before.head;
  return { tls: tls.tls, tlsCounter: tls.tlsCounter, head };
}

/** For as long as the process lives. */
export function createMemory(): PeerMemory {
  const vaults = new Map<string, VaultMemory>();
  return {
    get: (vault) => vaults.get(vault),
    set: (vault, memory) => void vaults.set(vault, newest(vaults.get(vault), memory)),
  };
}

const FORMAT = 'keepwatch-memory/1';

/**
 * In a file, which is replaced as a whole: it holds the old or the new text after a crash, never half of one. Several
 * connections of a process may share it; of two processes that write at once, one head may be forgotten again.
 * Throws a CodedError: `memory_malformed` (a damaged file is never taken for an empty one), `memory_unwritable`.
 */
export function fileMemory(path: string): PeerMemory {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    get: async (vault) => (await readVaults(path)).get(vault),
    set(vault, memory) {
      const write = turn.then(async () => {
        const vaults = await readVaults(path);
        vaults.set(vault, newest(vaults.get(vault), memory));
        await writeVaults(path, vaults);
      });
      turn = write.catch(() => {});
      return write;
    },
  };
}

async function readVaults(path: string): Promise<Map<string, VaultMemory>> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw malformed(path, cause);
  }
  const value = parseStrictJson(bytes);
  if (!isObject(value) || value['format'] !== FORMAT || !isObject(value['vaults'])) throw malformed(path);
  const vaults = new Map<string, VaultMemory>();
  for (const [vault, memory] of Object.entries(value['vaults'])) {
    if (!isObject(memory) || !isVaultMemory(memory)) throw malformed(path);
    vaults.set(vault, memory);
  }
  return vaults;
}

function isVaultMemory(value: JsonObject): value is JsonObject & VaultMemory {
  const { tls, tlsCounter, head } = value;
  return typeof tls === 'string' && typeof tlsCounter === 'number' && (head === null || parseHead(head).ok);
}

function malformed(path: string, cause?: unknown): CodedError {
  return new CodedError('memory_malformed', `What was remembered in ${path} cannot be read.`, {
    cause,
    remedy: 'Restore the file from a copy. Moving it away forgets which state of the vault was seen last.',
  });
}

async function writeVaults(path: string, vaults: ReadonlyMap<string, VaultMemory>): Promise<void> {
  const text = `${JSON.stringify({ format: FORMAT, vaults: Object.fromEntries(vaults) }, undefined, 2)}\n`;
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeSynced(temporary, text);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new CodedError('memory_unwritable', `${path} cannot be written.`, {
      cause,
      remedy: 'Check the free space and the rights of the directory.',
    });
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The new name is in the directory only when the directory is on disk. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
