import type { Sodium } from './native.ts';

/** The add-on itself, beneath the functions that sodium-native puts over it. Results are libsodium's. */
export interface SodiumBinding {
  sodium_memzero(bytes: Uint8Array): void;
  crypto_generichash(
    ...[out, outAt, outLength, input, inputAt, inputLength, key, keyAt, keyLength]: [...Span, ...Span, ...Span]
  ): number;
  randombytes_buf(...out: Span): void;
  crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): number;
  crypto_aead_xchacha20poly1305_ietf_encrypt: AeadCall;
  crypto_aead_xchacha20poly1305_ietf_decrypt: AeadCall;
}

type Span = [bytes: ArrayBufferLike, at: number, length: number];
type AeadCall = (
  ...[out, input, associatedData, nonce, key]: [Uint8Array, Uint8Array, Uint8Array | undefined, Uint8Array, Uint8Array]
) => number;

const TAG = 16;
const NONCE = 24;
const KEY = 32;
const HASH_MIN = 16;
const HASH_MAX = 64;
const SIGNATURE = 64;
const SIGNING_KEY = 64;
const NOTHING = new Uint8Array(0);

/**
 * The calls that a start makes for each of its keys, and signing for each batch, with the checks of sodium-native's own
 * functions. Those check by `node:assert`, which spreads its arguments: under `--frozen-intrinsics` their checks take
 * longer than what they guard.
 */
export function leanCalls(binding: SodiumBinding): Pick<Sodium, keyof SodiumBinding> {
  return {
    sodium_memzero(bytes) {
      requireBytes(bytes);
      binding.sodium_memzero(bytes);
    },

    randombytes_buf(out) {
      requireBytes(out);
      binding.randombytes_buf(out.buffer, out.byteOffset, out.byteLength);
    },

    crypto_sign_detached(signature, message, secretKey) {
      requireBytes(signature, SIGNATURE, SIGNATURE);
      requireBytes(message);
      requireBytes(secretKey, SIGNING_KEY, SIGNING_KEY);
      if (binding.crypto_sign_detached(signature, message, secretKey) !== 0) throw new Error('libsodium did not sign');
    },

    crypto_generichash(out, input, key = NOTHING) {
      requireBytes(out, HASH_MIN, HASH_MAX);
      requireBytes(input);
      if (key !== NOTHING) requireBytes(key, HASH_MIN, HASH_MAX);
      const status = binding.crypto_generichash(
        out.buffer,
        out.byteOffset,
        out.byteLength,
        input.buffer,
        input.byteOffset,
        input.byteLength,
        key.buffer,
        key.byteOffset,
        key.byteLength,
      );
      if (status !== 0) throw new Error('libsodium did not hash');
    },

    crypto_aead_xchacha20poly1305_ietf_encrypt(box, message, associatedData, _secretNonce, nonce, key) {
      requireAead(box, message, associatedData, nonce, key);
      const done = binding.crypto_aead_xchacha20poly1305_ietf_encrypt(
        box,
        message,
        associatedData ?? undefined,
        nonce,
        key,
      );
      if (done < 0) throw new Error('libsodium did not encrypt');
      return done;
    },

    crypto_aead_xchacha20poly1305_ietf_decrypt(message, _secretNonce, box, associatedData, nonce, key) {
      requireAead(box, message, associatedData, nonce, key);
      const done = binding.crypto_aead_xchacha20poly1305_ietf_decrypt(
        message,
        box,
        associatedData ?? undefined,
        nonce,
        key,
      );
      if (done < 0) throw new Error('this does not decrypt');
      return done;
    },
  };
}

function requireAead(
  box: Uint8Array,
  message: Uint8Array,
  associatedData: Uint8Array | null,
  nonce: Uint8Array,
  key: Uint8Array,
): void {
  requireBytes(message);
  requireBytes(box, message.byteLength + TAG, message.byteLength + TAG);
  if (associatedData !== null) requireBytes(associatedData);
  requireBytes(nonce, NONCE, NONCE);
  requireBytes(key, KEY, KEY);
}

function requireBytes(bytes: Uint8Array, atLeast = 0, atMost = 0xffff_ffff): void {
  if (!ArrayBuffer.isView(bytes)) throw new TypeError('libsodium takes bytes');
  if (bytes.byteLength < atLeast || bytes.byteLength > atMost) {
    throw new RangeError(`${bytes.byteLength} bytes where libsodium takes ${atLeast} to ${atMost}`);
  }
}
