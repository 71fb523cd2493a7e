import { withAccess, withReadable } from './access.ts';
import { sodium } from './native.ts';
import type { SecureMemory, Slot } from './memory.ts';

// Ed25519 (RFC 8032). A seed has 32 bytes and is what is stored; a signing key is seed ‖ public key, 64 bytes, as
// libsodium wants it, and lives as long as the process needs it.

export const ED25519_SEED_BYTES = 32;
const SIGNING_KEY_BYTES = 64;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** The signing key of a seed, in a new slot of 64 bytes. The seed stays. */
export function ed25519SigningKey(memory: SecureMemory, seed: Slot): Slot {
  const key = memory.alloc(SIGNING_KEY_BYTES);
  const publicKey = new Uint8Array(PUBLIC_KEY_BYTES);
  withAccess([seed], [key], ([seedBytes], [keyBytes]) =>
    sodium.crypto_sign_seed_keypair(publicKey, keyBytes!, seedBytes!),
  );
  return key;
}

export function ed25519PublicKey(signingKey: Slot): Uint8Array {
  return withReadable(signingKey, (key) => key.slice(SIGNING_KEY_BYTES - PUBLIC_KEY_BYTES));
}

export function ed25519Sign(signingKey: Slot, message: Uint8Array): Uint8Array {
  const signature = new Uint8Array(SIGNATURE_BYTES);
  withReadable(signingKey, (key) => sodium.crypto_sign_detached(signature, message, key));
  return signature;
}

/** Strict verification as libsodium does it: no small-order keys, no malleable signatures. */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  return sodium.crypto_sign_verify_detached(signature, message, publicKey);
}
