import {
  equalBytes,
  err,
  fromBase64url,
  lengthPrefixed,
  ok,
  toBase64url,
  utf8,
  type Json,
  type Result,
} from '@keepwatch/base';
import type { EntryKey, SealedBox } from '@keepwatch/protocol';
import { LENGTHS, type EntryCrypto } from './crypto.ts';
import { bytesMember, exactMembers } from './strict-json.ts';

/**
 * Secrets that travel sealed besides the session, to a key that is used once: a password on its way into the vault's
 * locked memory, a wallet's mnemonic on its way to the operator who asked for it. Hybrid: X25519 and ML-KEM-768, the
 * box XChaCha20-Poly1305, bound to the session, the purpose and the key. The vault's half of the same format lives
 * where its secrets live.
 */

export type EntryError = 'entry_malformed' | 'entry_key_unknown';

const LABEL = utf8('keepwatch/sealed-entry/1');
const KEY_ID_BYTES = 16;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const codec = { fromBase64url };

interface BoxParts {
  readonly x25519Shared: Uint8Array;
  readonly mlkemShared: Uint8Array;
  readonly recipientX25519: Uint8Array;
  readonly recipientMlkem768: Uint8Array;
  readonly ephemeralX25519: Uint8Array;
  readonly kem: Uint8Array;
}

/** The key of a box. Both shared secrets are wiped. */
function boxKey(crypto: EntryCrypto, parts: BoxParts): Uint8Array {
  const input = lengthPrefixed(
    LABEL,
    parts.x25519Shared,
    parts.mlkemShared,
    parts.recipientX25519,
    parts.recipientMlkem768,
    parts.ephemeralX25519,
    parts.kem,
  );
  const key = crypto.blake2b256(input);
  for (const secret of [input, parts.x25519Shared, parts.mlkemShared]) secret.fill(0);
  return key;
}

function associatedData(purpose: string, sessionId: Uint8Array, keyId: Uint8Array): Uint8Array {
  return lengthPrefixed(LABEL, utf8(purpose), sessionId, keyId);
}

/** The secret, sealed to a one-time key. `sessionId`: id of the session that it travels in. The caller wipes `secret`. */
export function sealEntry(
  crypto: EntryCrypto,
  recipient: EntryKey,
  sessionId: Uint8Array,
  secret: Uint8Array,
): Result<SealedBox, 'entry_malformed'> {
  const keyId = bytesMember(codec, recipient.keyId, KEY_ID_BYTES);
  const recipientX25519 = bytesMember(codec, recipient.x25519, LENGTHS.x25519);
  const recipientMlkem768 = bytesMember(codec, recipient.mlkem768, LENGTHS.mlkem768EncapsulationKey);
  if (!keyId || !recipientX25519 || !recipientMlkem768) return err('entry_malformed');
  const ephemeral = crypto.x25519.generate();
  const x25519Shared = crypto.x25519.derive(ephemeral.secret, recipientX25519);
  const encapsulated = crypto.mlkem768.encapsulate(recipientMlkem768);
  if (!x25519Shared || !encapsulated) return err('entry_malformed');
  const kem = encapsulated.ciphertext;
  const key = boxKey(crypto, {
    x25519Shared,
    mlkemShared: encapsulated.shared,
    recipientX25519,
    recipientMlkem768,
    ephemeralX25519: ephemeral.publicKey,
    kem,
  });
  const nonce = crypto.randomBytes(NONCE_BYTES);
  const aad = associatedData(recipient.purpose, sessionId, keyId);
  const box = crypto.xchacha20poly1305.seal(key, nonce, aad, secret);
  key.fill(0);
  return ok({
    keyId: recipient.keyId,
    x25519: toBase64url(ephemeral.publicKey),
    kem: toBase64url(kem),
    nonce: toBase64url(nonce),
    box: toBase64url(box),
  });
}

/** A one-time key of this end. */
export interface EntryRecipient {
  readonly key: EntryKey;
  /**
   * The secret, if it was sealed to this key in this session. The key dies at the first use, whether it succeeds or
   * not: `entry_key_unknown` afterwards. The caller wipes what it gets.
   */
  open(sealed: Json, sessionId: Uint8Array): Result<Uint8Array, EntryError>;
}

export function createEntryRecipient(crypto: EntryCrypto, purpose: string): EntryRecipient {
  const keyId = crypto.randomBytes(KEY_ID_BYTES);
  const x25519 = crypto.x25519.generate();
  const mlkem768 = crypto.mlkem768.generate();
  let used = false;
  return {
    key: {
      keyId: toBase64url(keyId),
      purpose,
      x25519: toBase64url(x25519.publicKey),
      mlkem768: toBase64url(mlkem768.publicKey),
    },
    open(sealed, sessionId) {
      if (used) return err('entry_key_unknown');
      used = true;
      const parts = decodeSealed(sealed);
      if (!parts) return err('entry_malformed');
      if (!equalBytes(parts.keyId, keyId)) return err('entry_key_unknown');
      const x25519Shared = crypto.x25519.derive(x25519.secret, parts.x25519);
      if (!x25519Shared) return err('entry_malformed');
      const key = boxKey(crypto, {
        x25519Shared,
        mlkemShared: crypto.mlkem768.decapsulate(mlkem768.secret, parts.kem),
        recipientX25519: x25519.publicKey,
        recipientMlkem768: mlkem768.publicKey,
        ephemeralX25519: parts.x25519,
        kem: parts.kem,
      });
      const aad = associatedData(purpose, sessionId, keyId);
      const secret = crypto.xchacha20poly1305.open(key, parts.nonce, aad, parts.box);
      key.fill(0);
      return secret ? ok(secret) : err('entry_malformed');
    },
  };
}

function decodeSealed(sealed: Json) {
  const members = exactMembers(sealed, ['keyId', 'x25519', 'kem', 'nonce', 'box']);
  if (!members || typeof members.box !== 'string') return undefined;
  const keyId = bytesMember(codec, members.keyId, KEY_ID_BYTES);
  const x25519 = bytesMember(codec, members.x25519, LENGTHS.x25519);
  const kem = bytesMember(codec, members.kem, LENGTHS.mlkem768Ciphertext);
  const nonce = bytesMember(codec, members.nonce, NONCE_BYTES);
  const box = fromBase64url(members.box);
  return keyId && x25519 && kem && nonce && box && box.length >= TAG_BYTES
    ? { keyId, x25519, kem, nonce, box }
    : undefined;
}
