import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { utf8 } from '@keepwatch/base';

/**
 * Authenticated encryption under a key of 32 bytes: AES-256-GCM (NIST SP 800-38D) with a key of its own for each message,
 * which HMAC-SHA256 makes of the key and 16 random bytes. So random nonces never run out, however much is sealed.
 *
 *     16 bytes that make the message's key | 12 bytes of nonce | ciphertext | 16 bytes of tag
 */
const LABEL = utf8('keepwatch/monitor-seal/1');
const SALT = 16;
const NONCE = 12;
const TAG = 16;

/** `place` is authenticated with the plaintext: a ciphertext opens only where it was put. */
export function seal(key: Uint8Array, place: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const head = randomBytes(SALT + NONCE);
  const cipher = createCipheriv('aes-256-gcm', messageKey(key, head), head.subarray(SALT));
  cipher.setAAD(place);
  return Uint8Array.from(Buffer.concat([head, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** `undefined`: altered, moved, or sealed under another key. */
export function open(key: Uint8Array, place: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < SALT + NONCE + TAG) return undefined;
  const end = sealed.length - TAG;
  const decipher = createDecipheriv('aes-256-gcm', messageKey(key, sealed), sealed.subarray(SALT, SALT + NONCE), {
    authTagLength: TAG,
  });
  decipher.setAAD(place);
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(SALT + NONCE, end));
  try {
    decipher.final();
    return new Uint8Array(plaintext);
  } catch {
    return undefined;
  }
}

function messageKey(key: Uint8Array, head: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(LABEL).update(head.subarray(0, SALT)).digest();
}
