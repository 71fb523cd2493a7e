import { sodium } from './native.ts';

const BLOCK = 128;
const IPAD = 0x36;
const OPAD = 0x5c;
const STATE = sodium.crypto_hash_sha512_STATEBYTES;

export const HMAC_SCRATCH_BYTES = BLOCK + STATE + 64;

/**
 * HMAC-SHA512 (RFC 2104, FIPS 198-1) for secret keys and data: key pad, hash state and inner digest lie in `scratch`,
 * which must be secure memory of HMAC_SCRATCH_BYTES. Keys have at most 128 bytes.
 */
export function createHmacSha512(scratch: Uint8Array): (out: Uint8Array, key: Uint8Array, data: Uint8Array) => void {
  const pad = scratch.subarray(0, BLOCK);
  const state = scratch.subarray(BLOCK, BLOCK + STATE);
  const inner = scratch.subarray(BLOCK + STATE, HMAC_SCRATCH_BYTES);

  return (out, key, data) => {
    if (key.length > BLOCK) throw new RangeError('an HMAC key here has at most 128 bytes');
    pad.fill(0);
    pad.set(key);
    for (let i = 0; i < BLOCK; i++) pad[i]! ^= IPAD;
    hash(inner, data);
    for (let i = 0; i < BLOCK; i++) pad[i]! ^= IPAD ^ OPAD;
    hash(out, inner);
  };

  function hash(out: Uint8Array, data: Uint8Array): void {
    sodium.crypto_hash_sha512_init(state);
    sodium.crypto_hash_sha512_update(state, pad);
    sodium.crypto_hash_sha512_update(state, data);
    sodium.crypto_hash_sha512_final(state, out);
  }
}
