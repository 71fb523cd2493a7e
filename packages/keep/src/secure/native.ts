import { createRequire } from 'node:module';
import { CodedError, equalBytes, fromHex } from '@keepwatch/base';
import { leanCalls, type SodiumBinding } from './lean-sodium.ts';

/**
 * The functions of libsodium that this room uses, in the order in which sodium-native takes their arguments. Outputs
 * come first and are written in place; a failed verification throws, except where a boolean is returned.
 */
export interface Sodium {
  sodium_malloc(size: number): Buffer;
  sodium_memzero(bytes: Uint8Array): void;
  sodium_mprotect_noaccess(slab: Buffer): void;
  sodium_mprotect_readonly(slab: Buffer): void;
  sodium_mprotect_readwrite(slab: Buffer): void;
  randombytes_buf(out: Uint8Array): void;
  crypto_generichash(out: Uint8Array, input: Uint8Array, key?: Uint8Array): void;
  crypto_hash_sha256(out: Uint8Array, input: Uint8Array): void;
  crypto_hash_sha512(out: Uint8Array, input: Uint8Array): void;
  crypto_hash_sha512_init(state: Uint8Array): void;
  crypto_hash_sha512_update(state: Uint8Array, input: Uint8Array): void;
  crypto_hash_sha512_final(state: Uint8Array, out: Uint8Array): void;
  crypto_aead_xchacha20poly1305_ietf_encrypt(
    ciphertext: Uint8Array,
    message: Uint8Array,
    associatedData: Uint8Array | null,
    secretNonce: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  crypto_aead_xchacha20poly1305_ietf_decrypt(
    message: Uint8Array,
    secretNonce: null,
    ciphertext: Uint8Array,
    associatedData: Uint8Array | null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  crypto_pwhash_async(
    out: Uint8Array,
    password: Uint8Array,
    salt: Uint8Array,
    opsLimit: number,
    memLimitBytes: number,
    algorithm: number,
  ): Promise<void>;
  extension_pbkdf2_sha512(
    out: Uint8Array,
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    outLength: number,
  ): void;
  crypto_scalarmult_base(publicKey: Uint8Array, secret: Uint8Array): void;
  crypto_scalarmult(shared: Uint8Array, secret: Uint8Array, publicKey: Uint8Array): void;
  crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
  crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
  readonly crypto_hash_sha512_STATEBYTES: number;
  readonly crypto_pwhash_ALG_ARGON2ID13: number;
}

/** The functions of libsecp256k1 that this room uses. They throw where the key is out of range. */
export interface Secp256k1 {
  contextRandomize(seed: Uint8Array): void;
  privateKeyVerify(key: Uint8Array): boolean;
  privateKeyTweakAdd(key: Uint8Array, tweak: Uint8Array): Uint8Array;
  publicKeyCreate(key: Uint8Array, compressed: boolean, out: Uint8Array): Uint8Array;
  ecdsaSign(
    digest: Uint8Array,
    key: Uint8Array,
    options: Record<string, never>,
    out: Uint8Array,
  ): { signature: Uint8Array; recid: number };
}

export interface Native {
  readonly sodium: Sodium;
  readonly secp256k1: Secp256k1;
}

const ABC = new Uint8Array([0x61, 0x62, 0x63]);

/** SHA-512("abc"), FIPS 180-4 (the NIST example values). */
const SHA512_ABC =
  'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f';

/** The generator of secp256k1 (SEC 2 §2.4.1): the public key of the private key 1. */
const GENERATOR = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';

/**
 * Loads both add-ons and puts one published value to each. `secp256k1/bindings.js` and never the package's entry: that
 * one falls back to a JavaScript implementation without a word.
 *
 * @throws CodedError `native_addon_missing` (not built for this machine, or not loadable under the flags in force) or
 *   `native_addon_broken` (it loads and computes something else).
 */
export function loadNative(require: (id: string) => unknown = createRequire(import.meta.url)): Native {
  const native = {
    sodium: load(require, 'sodium-native') as Sodium,
    secp256k1: load(require, 'secp256k1/bindings.js') as Secp256k1,
  };
  native.sodium = { ...native.sodium, ...leanCalls(load(require, 'sodium-native/binding.js') as SodiumBinding) };
  const digest = new Uint8Array(64);
  native.sodium.crypto_hash_sha512(digest, ABC);
  requireEqual('sodium-native', digest, SHA512_ABC);

  const one = new Uint8Array(32);
  one[31] = 1;
  requireEqual('secp256k1', native.secp256k1.publicKeyCreate(one, true, new Uint8Array(33)), GENERATOR);
  return native;
}

function load(require: (id: string) => unknown, id: string): unknown {
  try {
    return require(id);
  } catch (cause) {
    throw new CodedError('native_addon_missing', `the native add-on ${id} could not be loaded`, {
      cause,
      remedy:
        'Run `npm ci` on this very machine (operating system and processor). Where no ready-made add-on exists, install ' +
        'a C++ compiler and Python and run `npm rebuild`. The process needs --allow-addons while it loads them.',
    });
  }
}

function requireEqual(name: string, actual: Uint8Array, expectedHex: string): void {
  if (equalBytes(actual, fromHex(expectedHex)!)) return;
  throw new CodedError('native_addon_broken', `the native add-on ${name} fails its self-test`, {
    remedy:
      'Do not use this installation. Remove node_modules, run `npm ci`, and compare the lock file with the release.',
  });
}

const native = loadNative();

export const sodium: Sodium = native.sodium;
export const secp256k1: Secp256k1 = native.secp256k1;
