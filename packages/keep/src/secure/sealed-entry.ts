import { createPublicKey, decapsulate, encapsulate, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { err, fromBase64url, lengthPrefixed, ok, toBase64url, utf8, type Result } from '@keepwatch/base';
import type { EntryKey, SealedBox } from '@keepwatch/protocol';
import { withReadable, withScratch, withWritable } from './access.ts';
import { MAX_SLOT_BYTES } from './memory.ts';
import { sodium } from './native.ts';
import { randomBytes } from './random.ts';
import type { SecureMemory, Slot } from './memory.ts';

/**
 * Secrets that travel: passwords and imported keys on their way in, wallet backups on their way out. Each is sealed to
 * a hybrid key (X25519 and ML-KEM-768) that serves once, so that it opens in locked memory and nowhere on the way; the
 * session that carries it, its purpose and the key are authenticated with it.
 *
 *     key = BLAKE2b-256(lengthPrefixed(label, X25519 shared, ML-KEM shared, recipient X25519, recipient ML-KEM,
 *                                      ephemeral X25519, ML-KEM ciphertext))
 *     box = XChaCha20-Poly1305(key, nonce, secret, lengthPrefixed(label, purpose, session id, key id))
 *
 * What stays outside locked memory, because OpenSSL owns it: the ML-KEM private key (one KeyObject, dropped at the
 * first use), and in passing the ML-KEM shared secret (its buffer is zeroed here; copies that OpenSSL makes on its way
 * are not ours to reach). Alone it opens nothing: the X25519 half never leaves locked memory.
 */
export interface EntryKeys {
  /**
   * A new one-time key. Error `entry_key_limit`: too many are open.
   * `expiresMs`: until when it opens.
   */
  begin(
    purpose: string,
    sessionId: Uint8Array,
    nowMs: number,
  ): Result<{ key: EntryKey; expiresMs: number }, 'entry_key_limit'>;
  /**
   * The secret, in a new slot of its length. The key is gone afterwards, whatever the outcome. Errors:
   * `entry_key_unknown` (used, expired, of another session or purpose), `entry_malformed` (altered, or not sealed to it).
   */
  open(
    sealed: SealedBox,
    purpose: string,
    sessionId: Uint8Array,
    nowMs: number,
  ): Result<Slot, 'entry_key_unknown' | 'entry_malformed'>;
  /** Drops the keys of a session that ended. */
  forget(sessionId: Uint8Array): void;
}

export interface EntryKeysOptions {
  /** How long a key waits for its secret, in milliseconds. */
  readonly lifetimeMs: number;
  /** The most keys open at one time. */
  readonly limit: number;
}

const LABEL = utf8('keepwatch/sealed-entry/1');
const KEY_ID_BYTES = 16;
const KEY_BYTES = 32;
const X25519_BYTES = 32;
const MLKEM_PUBLIC_BYTES = 1184;
const MLKEM_CIPHERTEXT_BYTES = 1088;
const SHARED_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;

interface OpenKey {
  readonly key: EntryKey;
  readonly x25519Secret: Slot;
  readonly mlkemSecret: KeyObject;
  readonly publicKeys: RecipientKeys;
  readonly sessionId: string;
  readonly expiresMs: number;
}

interface RecipientKeys {
  readonly x25519: Uint8Array;
  readonly mlkem768: Uint8Array;
}

/** The keep's one-time keys, their X25519 halves in `memory`. */
export function createEntryKeys(memory: SecureMemory, { lifetimeMs, limit }: EntryKeysOptions): EntryKeys {
  const open = new Map<string, OpenKey>();

  function drop(entry: OpenKey): void {
    open.delete(entry.key.keyId);
    memory.free(entry.x25519Secret);
  }

  return {
    begin(purpose, sessionId, nowMs) {
      for (const entry of open.values()) if (entry.expiresMs <= nowMs) drop(entry);
      if (open.size >= limit) return err('entry_key_limit');
      const keyId = randomBytes(KEY_ID_BYTES);
      const x25519Secret = memory.allocRandom(X25519_BYTES);
      const mlkem = generateKeyPairSync('ml-kem-768');
      const publicKeys = { x25519: x25519Public(x25519Secret), mlkem768: rawPublicKey(mlkem.publicKey) };
      const key: EntryKey = {
        keyId: toBase64url(keyId),
        purpose,
        x25519: toBase64url(publicKeys.x25519),
        mlkem768: toBase64url(publicKeys.mlkem768),
      };
      const expiresMs = nowMs + lifetimeMs;
      open.set(key.keyId, {
        key,
        x25519Secret,
        mlkemSecret: mlkem.privateKey,
        publicKeys,
        sessionId: toBase64url(sessionId),
        expiresMs,
      });
      return ok({ key, expiresMs });
    },

    open(sealed, purpose, sessionId, nowMs) {
      const entry = open.get(sealed.keyId);
      if (entry === undefined) return err('entry_key_unknown');
      try {
        const fits =
          entry.expiresMs > nowMs && entry.key.purpose === purpose && entry.sessionId === toBase64url(sessionId);
        if (!fits) return err('entry_key_unknown');
        return openSealed(memory, entry, sealed, sessionId);
      } finally {
        drop(entry);
      }
    },

    forget(sessionId) {
      const gone = toBase64url(sessionId);
      for (const entry of open.values()) if (entry.sessionId === gone) drop(entry);
    },
  };
}

/**
 * Seals a secret to somebody's one-time key. Error `entry_malformed`: the key is none, is for another purpose, or has
 * a point of low order, with which the shared secret would be public.
 */
export function sealTo(
  memory: SecureMemory,
  recipient: EntryKey,
  purpose: string,
  sessionId: Uint8Array,
  secret: Slot,
): Result<SealedBox, 'entry_malformed'> {
  const keyId = exactly(recipient.keyId, KEY_ID_BYTES);
  const x25519 = exactly(recipient.x25519, X25519_BYTES);
  const mlkem768 = exactly(recipient.mlkem768, MLKEM_PUBLIC_BYTES);
  if (!keyId || !x25519 || !mlkem768 || recipient.purpose !== purpose) return err('entry_malformed');
  const encapsulated = encapsulateTo(mlkem768);
  if (encapsulated === undefined) return err('entry_malformed');
  const { ciphertext: kem, sharedKey } = encapsulated;
  const ephemeralSecret = memory.allocRandom(X25519_BYTES);
  const ephemeral = x25519Public(ephemeralSecret);
  const nonce = randomBytes(NONCE_BYTES);
  const bound = associatedData(purpose, sessionId, keyId);
  const box = new Uint8Array(secret.size + TAG_BYTES);
  const exchange = { recipient: { x25519, mlkem768 }, ephemeral, kem, ownSecret: ephemeralSecret, peer: x25519 };
  const sealed = withBoxKey(memory, exchange, sharedKey, (key) =>
    withReadable(secret, (plaintext) => {
      sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(box, plaintext, bound, null, nonce, key);
      return true;
    }),
  );
  memory.free(ephemeralSecret);
  if (!sealed) return err('entry_malformed');
  return ok({
    keyId: recipient.keyId,
    x25519: toBase64url(ephemeral),
    kem: toBase64url(kem),
    nonce: toBase64url(nonce),
    box: toBase64url(box),
  });
}

function openSealed(
  memory: SecureMemory,
  entry: OpenKey,
  sealed: SealedBox,
  sessionId: Uint8Array,
): Result<Slot, 'entry_malformed'> {
  const keyId = exactly(sealed.keyId, KEY_ID_BYTES);
  const ephemeral = exactly(sealed.x25519, X25519_BYTES);
  const kem = exactly(sealed.kem, MLKEM_CIPHERTEXT_BYTES);
  const nonce = exactly(sealed.nonce, NONCE_BYTES);
  const box = fromBase64url(sealed.box);
  const size = (box?.length ?? 0) - TAG_BYTES;
  if (!keyId || !ephemeral || !kem || !nonce || !box || size < 1 || size > MAX_SLOT_BYTES)
    return err('entry_malformed');
  const secret = memory.alloc(size);
  const bound = associatedData(entry.key.purpose, sessionId, keyId);
  const exchange = { recipient: entry.publicKeys, ephemeral, kem, ownSecret: entry.x25519Secret, peer: ephemeral };
  const opened = withBoxKey(memory, exchange, decapsulate(entry.mlkemSecret, kem), (key) =>
    withWritable(secret, (plaintext) => {
      try {
        sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plaintext, null, box, bound, nonce, key);
        return true;
      } catch {
        return false;
      }
    }),
  );
  if (opened) return ok(secret);
  memory.free(secret);
  return err('entry_malformed');
}

interface Exchange {
  readonly recipient: RecipientKeys;
  readonly ephemeral: Uint8Array;
  readonly kem: Uint8Array;
  readonly ownSecret: Slot;
  /** The other side's X25519 point. */
  readonly peer: Uint8Array;
}

/**
 * Lends `use` the key of the box and wipes it, the shared secrets and `mlkemShared` afterwards. False, without calling
 * `use`, where the other side's point is of low order (RFC 7748 §6.1: the shared secret would be zeros).
 */
function withBoxKey(
  memory: SecureMemory,
  { recipient, ephemeral, kem, ownSecret, peer }: Exchange,
  mlkemShared: Uint8Array,
  use: (key: Uint8Array) => boolean,
): boolean {
  // What is not secret is encoded in place; the two secrets are written into their gaps.
  const zeros = new Uint8Array(SHARED_BYTES);
  const template = lengthPrefixed(LABEL, zeros, zeros, recipient.x25519, recipient.mlkem768, ephemeral, kem);
  const x25519At = 4 + LABEL.length + 4;
  const mlkemAt = x25519At + SHARED_BYTES + 4;
  try {
    return withScratch(memory, KEY_BYTES + template.length, (scratch) => {
      const key = scratch.subarray(0, KEY_BYTES);
      const input = scratch.subarray(KEY_BYTES);
      input.set(template);
      if (!x25519(input.subarray(x25519At, x25519At + SHARED_BYTES), ownSecret, peer)) return false;
      input.set(mlkemShared, mlkemAt);
      sodium.crypto_generichash(key, input);
      return use(key);
    });
  } finally {
    mlkemShared.fill(0);
  }
}

function associatedData(purpose: string, sessionId: Uint8Array, keyId: Uint8Array): Uint8Array {
  return lengthPrefixed(LABEL, utf8(purpose), sessionId, keyId);
}

function x25519Public(secret: Slot): Uint8Array {
  const publicKey = new Uint8Array(X25519_BYTES);
  withReadable(secret, (bytes) => sodium.crypto_scalarmult_base(publicKey, bytes));
  return publicKey;
}

function x25519(shared: Uint8Array, secret: Slot, publicKey: Uint8Array): boolean {
  return withReadable(secret, (bytes) => {
    try {
      sodium.crypto_scalarmult(shared, bytes, publicKey);
      return true;
    } catch {
      return false;
    }
  });
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return key.export({ format: 'raw-public' });
}

/** Undefined where OpenSSL does not take the bytes for a key (FIPS 203 §7.2, the modulus check). */
function encapsulateTo(publicKey: Uint8Array): { sharedKey: Uint8Array; ciphertext: Uint8Array } | undefined {
  try {
    return encapsulate(createPublicKey({ key: publicKey, format: 'raw-public', asymmetricKeyType: 'ml-kem-768' }));
  } catch {
    return undefined;
  }
}

function exactly(text: string, length: number): Uint8Array | undefined {
  const bytes = fromBase64url(text);
  return bytes?.length === length ? bytes : undefined;
}
