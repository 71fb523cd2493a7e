import type { Entropy, MaybePromise, Sha256 } from '@keepwatch/base';

/**
 * The ports through which both ends of a connection give their cryptography to this package. The vault fulfils them
 * from locked memory and native code, the client library from whatever its Node has. All of them are synchronous but
 * a peer's signature, which may come from a device.
 */

/** `EdDSA` is Ed25519 (RFC 8037); `ML-DSA-65` is FIPS 204. Names as in the JOSE registry. */
export type SignatureAlg = 'EdDSA' | 'ML-DSA-65';

/** Lengths in bytes of what travels. */
export const LENGTHS = {
  hash: 32,
  x25519: 32,
  mlkem768EncapsulationKey: 1184,
  mlkem768Ciphertext: 1088,
  signature: { EdDSA: 64, 'ML-DSA-65': 3309 },
  publicKey: { EdDSA: 32, 'ML-DSA-65': 1952 },
} as const;

/** A long-term public key together with the algorithm it is for. A key is never used with another algorithm. */
export interface IdentityKey {
  readonly alg: SignatureAlg;
  readonly publicKey: Uint8Array;
}

/** A peer's long-term key, wherever its secret half lives. */
export interface IdentitySigner extends IdentityKey {
  sign(bytes: Uint8Array): MaybePromise<Uint8Array>;
}

/** The vault's boot key: Ed25519, held in this process, so that answering a peer needs no waiting. */
export interface BootSigner {
  readonly publicKey: Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
}

/** An ephemeral key pair. `secret` belongs to whoever generated it and is only ever handed back to it. */
export interface EphemeralKey {
  readonly publicKey: Uint8Array;
  readonly secret: unknown;
}

/** X25519 (RFC 7748). */
export interface X25519 {
  generate(): EphemeralKey;
  /** `undefined` where the shared secret would be all zero (RFC 7748 §6.1: a point of low order). */
  derive(secret: unknown, publicKey: Uint8Array): Uint8Array | undefined;
}

/** ML-KEM-768 (FIPS 203). `publicKey` is the encapsulation key. */
export interface Mlkem768 {
  generate(): EphemeralKey;
  /** `undefined` where the key fails the modulus check of FIPS 203 §7.2. */
  encapsulate(encapsulationKey: Uint8Array): { ciphertext: Uint8Array; shared: Uint8Array } | undefined;
  /** Never fails for a ciphertext of the right length: a forged one gives another secret (implicit rejection). */
  decapsulate(secret: unknown, ciphertext: Uint8Array): Uint8Array;
}

/** AES-256-GCM under one key. The tag stands apart from the ciphertext, as it does in a JWE (RFC 7516 §3.1). */
export interface AesGcm {
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): { ciphertext: Uint8Array; tag: Uint8Array };
  /** `undefined` where the tag does not fit. */
  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array | undefined;
}

/** Text encodings that a runtime does faster than portable code (`base` has the portable ones). */
export interface WireCodec {
  /** base64url without padding. */
  toBase64url(bytes: Uint8Array): string;
  /** Canonical base64url only; anything else is `undefined`. */
  fromBase64url(text: string): Uint8Array | undefined;
  /** The same of a text in bytes; what it gives may be used again for the next. Frames are long: see {@link isCanonicalBase64url}. */
  fromBase64urlBytes(text: Uint8Array): Uint8Array | undefined;
  /** One byte a character, of all texts together. Each is ASCII. */
  fromAscii(...texts: readonly string[]): Uint8Array;
  /** One character a byte (ISO 8859-1), so that no two byte strings give the same text. */
  toAscii(bytes: Uint8Array): string;
}

export interface WireCrypto {
  readonly sha256: Sha256;
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  mldsa65Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  readonly x25519: X25519;
  readonly mlkem768: Mlkem768;
  /** HKDF-SHA-256, extract and expand (RFC 5869). `length` in bytes. */
  hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** The key is copied: the caller wipes its own. */
  readonly aesGcm: { create(key: Uint8Array): AesGcm };
  readonly codec: WireCodec;
}

/** What sealing to a one-time key needs besides. */
export interface EntryCrypto {
  readonly x25519: X25519;
  readonly mlkem768: Mlkem768;
  /** BLAKE2b, unkeyed, 32 bytes out (RFC 7693). */
  blake2b256(bytes: Uint8Array): Uint8Array;
  /** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), ciphertext followed by the tag. */
  readonly xchacha20poly1305: {
    seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
    open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, box: Uint8Array): Uint8Array | undefined;
  };
  readonly randomBytes: Entropy;
}

/** The letters at the end of a text whose spare bits are zero: four of them after 2 letters of four, two after 3. */
const WITHOUT_SPARE_BITS = { 2: 'AQgw', 3: 'AEIMQUYcgkosw048' } as const;

/**
 * Whether a text is canonical base64url, when a decoder that passes over foreign letters and padding (as Node's does) made
 * `bytes` of it. What it passed over makes them shorter than the text should give. Left to be looked at are two letters of
 * the other alphabet and the spare bits at the end. `text` is one character a byte: of others that decoder takes the low
 * eight bits.
 */
export function isCanonicalBase64url(text: string, bytes: Uint8Array): boolean {
  const rest = (text.length % 4) as 0 | 1 | 2 | 3;
  if (rest === 1 || bytes.length !== Math.floor((text.length * 3) / 4)) return false;
  if (text.includes('+') || text.includes('/')) return false;
  return rest === 0 || WITHOUT_SPARE_BITS[rest].includes(text[text.length - 1]!);
}

/** Does the signature fit? Lengths are checked here, so that an implementation never sees a foreign one. */
export function verifySignature(
  crypto: Pick<WireCrypto, 'ed25519Verify' | 'mldsa65Verify'>,
  key: IdentityKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (key.publicKey.length !== LENGTHS.publicKey[key.alg]) return false;
  if (signature.length !== LENGTHS.signature[key.alg]) return false;
  switch (key.alg) {
    case 'EdDSA':
      return crypto.ed25519Verify(key.publicKey, message, signature);
    case 'ML-DSA-65':
      return crypto.mldsa65Verify(key.publicKey, message, signature);
  }
}
