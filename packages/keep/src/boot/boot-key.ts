import { existsSync } from 'node:fs';
import { utf8 } from '@keepwatch/base';
import type { BootSigner } from '@keepwatch/wire';
import {
  ED25519_SEED_BYTES,
  ed25519PublicKey,
  ed25519Sign,
  ed25519SigningKey,
  openBytes,
  openSecret,
  readSecretFile,
  sealBytes,
  sealSecret,
  writeSecretFile,
  type SecureMemory,
  type Slot,
} from '../secure/index.ts';
import type { BootCipher } from './boot-table.ts';

/**
 * The boot key: what this installation has before anybody unseals it. It signs challenges and TLS statements and seals
 * the boot table; it opens no wallet. It lies in a file that only the keep's user reads (or comes as a systemd
 * credential), and it is in no backup.
 */
export interface BootKey {
  readonly signer: BootSigner;
  readonly cipher: BootCipher;
  /** For the receipt key before the vault is initialised: there is no root key yet to keep it under. */
  sealSecret(place: string, secret: Slot): Uint8Array;
  openSecret(place: string, sealed: Uint8Array): Slot | undefined;
}

const KEY_ID = 0;

/** Reads the key, or makes it at the first start. Error codes: those of `readSecretFile`. */
export function loadBootKey(memory: SecureMemory, path: string): BootKey {
  const seed = existsSync(path) ? readSecretFile(memory, path, ED25519_SEED_BYTES) : create(memory, path);
  const signingKey = ed25519SigningKey(memory, seed);
  return {
    signer: { publicKey: ed25519PublicKey(signingKey), sign: (bytes) => ed25519Sign(signingKey, bytes) },
    cipher: {
      seal: (place, plaintext) => sealBytes(seed, KEY_ID, utf8(place), plaintext),
      open: (place, sealed) => openBytes(seed, KEY_ID, utf8(place), sealed),
    },
    sealSecret: (place, secret) => sealSecret(seed, KEY_ID, utf8(place), secret),
    openSecret: (place, sealed) => openSecret(memory, seed, { keyId: KEY_ID, place: utf8(place), sealed }),
  };
}

function create(memory: SecureMemory, path: string): Slot {
  const seed = memory.allocRandom(ED25519_SEED_BYTES);
  writeSecretFile(path, seed);
  return seed;
}
