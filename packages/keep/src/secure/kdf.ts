import { CodedError, utf8 } from '@keepwatch/base';
import { withAccess } from './access.ts';
import { sodium } from './native.ts';
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
export const USER_KEY_BYTES = 32;

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
 * The user key, argon2id(password, salt), in a slot of 32 bytes. Runs on a thread of the pool; the password's slot stays
 * open for reading until it ends.
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
    await withAccess([password], [key], ([passwordBytes], [out]) =>
      sodium.crypto_pwhash_async(
        out!,
        passwordBytes!,
        salt,
        params.opsLimit,
        params.memLimitBytes,
        sodium.crypto_pwhash_ALG_ARGON2ID13,
      ),
    );
  } catch (cause) {
    memory.free(key);
    throw new CodedError('kdf_out_of_memory', 'the password hash could not get its memory', {
      cause,
      remedy: `Give the keep at least ${Math.ceil(params.memLimitBytes / MIB) + 64} MiB, then try again.`,
    });
  }
  return key;
}

/** A key of 32 bytes for one purpose, from a key of 32 bytes: BLAKE2b-256 keyed with it over the label (RFC 7693). */
export function deriveKey(memory: SecureMemory, key: Slot, label: string): Slot {
  const derived = memory.alloc(32);
  withAccess([key], [derived], ([keyBytes], [out]) => sodium.crypto_generichash(out!, utf8(label), keyBytes!));
  return derived;
}
