import { CodedError, mapEach } from '@keepwatch/base';
import { withAccess, withReadable } from './access.ts';
import { secp256k1, sodium } from './native.ts';
import type { SecureMemory, Slot } from './memory.ts';

export const PRIVATE_KEY_BYTES = 32;

/** What has passed evaluation: the key and the digest of the very bytes that were evaluated (32 bytes). */
export interface ApprovedDigest {
  readonly key: Slot;
  readonly digest: Uint8Array;
}

export interface RecoverableSignature {
  /** r ‖ s, 64 bytes big-endian, s in the lower half (EIP-2). */
  readonly rs: Uint8Array;
  /** Parity of R's y coordinate: the recovery id. */
  readonly yParity: 0 | 1;
}

/** Blinds the library's arithmetic against side channels. Once at start; repeating it is harmless. */
export function randomizeSigner(memory: SecureMemory): void {
  const seed = memory.allocRandom(32);
  withReadable(seed, (bytes) => secp256k1.contextRandomize(bytes));
  memory.free(seed);
}

/**
 * Signs digests that were approved, deterministically (RFC 6979), straight from locked memory: each slab is opened once
 * for the whole batch. It checks nothing but the key; who calls it holds an approval that binds digest, decoded intent
 * and policy, and has recomputed the digest (DESIGN §5.2). No method of the vault takes a digest from outside.
 */
export function signApprovedDigests(batch: readonly ApprovedDigest[]): RecoverableSignature[] {
  return withAccess(
    mapEach(batch, ({ key }) => key),
    [],
    (keys) => mapEach(batch, ({ digest }, i) => sign(digest, keys[i]!)),
  );
}

/** The compressed public key of 33 bytes, or with `uncompressed` the 65 bytes that addresses are hashed from. */
export function secp256k1PublicKey(key: Slot, form: 'compressed' | 'uncompressed'): Uint8Array {
  const compressed = form === 'compressed';
  const out = new Uint8Array(compressed ? 33 : 65);
  return withReadable(key, (bytes) => secp256k1.publicKeyCreate(bytes, compressed, out));
}

/** Whether the slot holds a private key: 32 bytes, within 1 … n − 1. */
export function isPrivateKey(slot: Slot): boolean {
  return slot.size === PRIVATE_KEY_BYTES && withReadable(slot, (bytes) => secp256k1.privateKeyVerify(bytes));
}

/** A new private key. */
export function generatePrivateKey(memory: SecureMemory): Slot {
  const key = memory.allocRandom(PRIVATE_KEY_BYTES);
  while (!isPrivateKey(key)) withAccess([], [key], (_, [bytes]) => sodium.randombytes_buf(bytes!));
  return key;
}

function sign(digest: Uint8Array, key: Uint8Array): RecoverableSignature {
  const { signature, recid } = secp256k1.ecdsaSign(digest, key, {}, new Uint8Array(64));
  if (recid === 0 || recid === 1) return { rs: signature, yParity: recid };
  // r above the group order: found by nobody, and no Ethereum transaction can carry it.
  throw new CodedError('signature_not_encodable', 'the signature has a recovery id that Ethereum does not know');
}
