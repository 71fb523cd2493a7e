import { chacha20 } from '@noble/ciphers/chacha.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, utf8 } from '@keepwatch/base';

/** NIP-44 version 2, the half that encrypts: nothing here is ever sent to us. */

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
