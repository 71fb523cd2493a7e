import { CodedError, utf8 } from '@keepwatch/base';
import { withAccess } from './access.ts';
import { sodium } from './native.ts';
import { isLive } from './slab.ts';
import type { SecureMemory, Slot } from './memory.ts';

/** Cost of argon2id (RFC 9106): passes over the memory, and the memory in bytes. One lane. */
export interface KdfParams {
  readonly opsLimit: number;
  readonly memLimitBytes: number;
}

const MIB = 1024 * 1024;

/** libsodium's presets: about 0.06 s, 0.4 s and 2.4 s on one core of 2024. */
export const KDF_PRESETS = {
  interactive: { opsLimit: 2, memLimitBytes: 64 * MIB },
  moderate: { opsLimit: 3, memLimitBytes: 256 * MIB },
  sensitive: { opsLimit: 4, memLimitBytes: 1024 * MIB },
} as const satisfies Record<string, KdfParams>;

export const KDF_SALT_BYTES = 16;
const USER_KEY_BYTES = 32;
const POOL_SIZE_VARIABLE = 'UV_THREADPOOL_SIZE';
/** Threads of libuv's pool, unless that variable says otherwise. */
const DEFAULT_POOL_SIZE = 4;
/** The least that libsodium takes for argon2id, in bytes. */
const LEAST_MEMORY = 8192;

/** Weaker parameters invite guessing; stronger ones, from a hostile file, exhaust the machine. */
const FLOOR: KdfParams = KDF_PRESETS.interactive;
const CEILING: KdfParams = { opsLimit: 16, memLimitBytes: 2048 * MIB };

export function kdfParamsAcceptable({ opsLimit, memLimitBytes }: KdfParams): boolean {
  return (
    Number.isInteger(opsLimit) &&
    opsLimit >= FLOOR.opsLimit &&
    opsLimit <= CEILING.opsLimit &&
    Number.isInteger(memLimitBytes) &&
    memLimitBytes >= FLOOR.memLimitBytes &&
    memLimitBytes <= CEILING.memLimitBytes &&
    // argon2 counts in KiB; what is rounded away would be authenticated and not used.
    memLimitBytes % 1024 === 0
  );
}

/**
 * The user key, argon2id(password, salt), in a new slot of 32 bytes. Runs on a thread of the pool; the password's slot
 * stays open for reading until it ends. If the memory is wiped meanwhile, the slot that comes is dead.
 *
 * @throws CodedError `kdf_params_refused` (outside the bounds, before any work) or `kdf_out_of_memory`
 */
export async function deriveUserKey(
  memory: SecureMemory,
  password: Slot,
  salt: Uint8Array,
  params: KdfParams,
): Promise<Slot> {
  if (!kdfParamsAcceptable(params) || salt.length !== KDF_SALT_BYTES) {
    throw new CodedError('kdf_params_refused', 'the cost of the password hash is outside what this vault accepts', {
      remedy: 'If they came with a backup or a database, do not trust the file: use another copy.',
      details: { opsLimit: params.opsLimit, memLimitBytes: params.memLimitBytes },
    });
  }
  const key = memory.alloc(USER_KEY_BYTES);
  try {
    await withAccess([password], [key], ([passwordBytes], [out]) => argon2id(out!, passwordBytes!, salt, params));
  } catch (cause) {
    if (isLive(key)) memory.free(key);
    throw new CodedError('kdf_out_of_memory', 'the password hash could not get its memory', {
      cause,
      remedy: `Give the keep at least ${Math.ceil(params.memLimitBytes / MIB) + 64} MiB, then try again.`,
    });
  }
  await coverStacks();
  return key;
}

function argon2id(out: Uint8Array, password: Uint8Array, salt: Uint8Array, params: KdfParams): Promise<void> {
  const algorithm = sodium.crypto_pwhash_ALG_ARGON2ID13;
  return sodium.crypto_pwhash_async(out, password, salt, params.opsLimit, params.memLimitBytes, algorithm);
}

/**
 * libsodium leaves the hash, which is the key, on the stack of the thread that made it. The same call with public input
 * covers it, if it runs on the same thread. With one thread in the pool that is certain. A pool that somebody started
 * before this room was loaded has more of them, and nobody can choose: so there are hashes enough, and long enough, to
 * wake them all.
 */
async function coverStacks(): Promise<void> {
  await Promise.all(Array.from({ length: 2 * DEFAULT_POOL_SIZE }, () => hashZeros(4 * MIB)));
}

function hashZeros(memLimitBytes: number): Promise<void> {
  const zeros = new Uint8Array(USER_KEY_BYTES);
  const salt = new Uint8Array(KDF_SALT_BYTES);
  return argon2id(new Uint8Array(USER_KEY_BYTES), zeros, salt, { opsLimit: 1, memLimitBytes });
}

/**
 * Has libuv start its pool with one thread: it reads its size from the environment at the first use and never again.
 * The environment is left as it was.
 */
function startPoolOfOne(): void {
  const before = process.env[POOL_SIZE_VARIABLE];
  process.env[POOL_SIZE_VARIABLE] = '1';
  void hashZeros(LEAST_MEMORY);
  if (before === undefined) delete process.env[POOL_SIZE_VARIABLE];
  else process.env[POOL_SIZE_VARIABLE] = before;
}

startPoolOfOne();

/** A key of 32 bytes for one purpose, from a key of 32 bytes: BLAKE2b-256 keyed with it over the label (RFC 7693). */
export function deriveKey(memory: SecureMemory, key: Slot, label: string): Slot {
  const derived = memory.alloc(32);
  withAccess([key], [derived], ([keyBytes], [out]) => sodium.crypto_generichash(out!, utf8(label), keyBytes!));
  return derived;
}
