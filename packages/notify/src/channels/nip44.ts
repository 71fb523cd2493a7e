import { timingSafeEqual } from 'node:crypto';
import { chacha20 } from '@noble/ciphers/chacha.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, utf8 } from '@keepwatch/base';

/** NIP-44 version 2. */

/** What two keys share: HKDF-extract over the x coordinate of their product. `publicKey`: 32 bytes, x only. */
export function conversationKey(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const shared = secp256k1.getSharedSecret(secretKey, concat(Uint8Array.of(2), publicKey)).subarray(1, 33);
  return extract(sha256, shared, utf8('nip44-v2'));
}

/** `nonce`: 32 fresh random bytes, never used again. */
export function encrypt(plain: string, key: Uint8Array, nonce: Uint8Array): string {
  const keys = expand(sha256, key, nonce, 76);
  const sealed = chacha20(keys.subarray(0, 32), keys.subarray(32, 44), padded(utf8(plain)));
  const mac = hmac(sha256, keys.subarray(44, 76), concat(nonce, sealed));
  return Buffer.from(concat(Uint8Array.of(2), nonce, sealed, mac)).toString('base64');
}

/**
 * What was encrypted; undefined for what is not whole, of another version, or not by one who has the key. `payload`: base64,
 * from anybody.
 */
export function decrypt(payload: string, key: Uint8Array): string | undefined {
  // Version, nonce, padded text and code: 1 + 32 + (2 + 32 to 65,536) + 32 bytes.
  if (payload.length < 132 || payload.length > 87_472 || !/^[A-Za-z0-9+/]+={0,2}$/.test(payload)) return undefined;
  const bytes = Uint8Array.from(Buffer.from(payload, 'base64'));
  if (bytes.length < 99 || bytes.length > 65_603 || bytes[0] !== 2) return undefined;
  const [nonce, sealed, mac] = [bytes.subarray(1, 33), bytes.subarray(33, -32), bytes.subarray(-32)];
  const keys = expand(sha256, key, nonce, 76);
  if (!timingSafeEqual(mac, hmac(sha256, keys.subarray(44, 76), concat(nonce, sealed)))) return undefined;
  const plain = chacha20(keys.subarray(0, 32), keys.subarray(32, 44), sealed);
  const length = (plain[0]! << 8) | plain[1]!;
  const text = plain.subarray(2, 2 + length);
  if (length === 0 || text.length !== length || plain.length !== 2 + paddedLength(length)) return undefined;
  return Buffer.from(text).toString('utf8');
}

/** The length in front, and zeros up to one of few lengths, so that the length tells little. */
function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 1 || bytes.length > 65_535) throw new RangeError('NIP-44 encrypts 1 to 65,535 bytes');
  const out = new Uint8Array(2 + paddedLength(bytes.length));
  out.set([bytes.length >> 8, bytes.length & 255]);
  out.set(bytes, 2);
  return out;
}

function paddedLength(length: number): number {
  if (length <= 32) return 32;
  const power = 1 << (32 - Math.clz32(length - 1));
  const chunk = power <= 256 ? 32 : power / 8;
  return chunk * (Math.floor((length - 1) / chunk) + 1);
}
