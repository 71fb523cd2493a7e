/**
 * The key room: every secret of the vault lives here and nowhere else. Outside, a secret is a `Slot`, a handle that
 * tells its size; the bytes lie in locked, guarded memory that is closed between uses, and the functions that open it
 * (`access.ts`, `slab.ts`) stay inside. The room encrypts, derives, signs and hashes there.
 *
 * It decides nothing: what may be signed, who may unseal and what is written when is the keep's business. It does no
 * I/O but for secret files, and the store is given to it as a port.
 *
 * What leaves locked memory, and cannot be helped: single bytes and word numbers in registers while JavaScript handles
 * a mnemonic; what the C libraries keep on their stack during a call; the ML-KEM halves of one-time keys (see
 * `sealed-entry.ts`); argon2's work memory, which is unlocked but no key, and freed after use.
 */
export { CURRENT_SCHEME, openBytes, openSecret, openSecrets, sealBytes, sealedUnder, sealSecret } from './aead.ts';
export type { Scheme, SealedSecret } from './aead.ts';
export { derivePrivateKey, HARDENED, parseDerivationPath } from './bip32.ts';
export { BIP39_SEED_BYTES, checkMnemonic, generateMnemonic, seedFromMnemonic } from './bip39.ts';
export type { MnemonicFault, WordCount } from './bip39.ts';
export { ED25519_SEED_BYTES, ed25519PublicKey, ed25519Sign, ed25519SigningKey, ed25519Verify } from './ed25519.ts';
export { deriveKey, deriveUserKey, KDF_PRESETS, KDF_SALT_BYTES, kdfParamsAcceptable } from './kdf.ts';
export type { KdfParams } from './kdf.ts';
export type { KeyRecord, KeyRecordReader, KeyRecordWrite, KeySpace } from './key-records.ts';
export { createKeyRing } from './key-ring.ts';
export type {
  JournalCipher,
  KeyRing,
  KeyRingDeps,
  KeyRingOptions,
  PasswordFailure,
  UnlockFailure,
} from './key-ring-types.ts';
export { lockedBytes } from './locked-memory.ts';
export { createSecureMemory, MAX_SLOT_BYTES } from './memory.ts';
export type { SecureMemory, SecureMemoryOptions, SecureMemoryStats, Slot } from './memory.ts';
export type { RewrapChunk } from './rewrap.ts';
export { createEntryKeys, sealTo } from './sealed-entry.ts';
export type { EntryKeys, EntryKeysOptions } from './sealed-entry.ts';
export { randomBytes } from './random.ts';
export { readSecretFile, writeSecretFile } from './secret-file.ts';
export {
  generatePrivateKey,
  isPrivateKey,
  PRIVATE_KEY_BYTES,
  randomizeSigner,
  secp256k1PublicKey,
  signApprovedDigests,
} from './secp256k1.ts';
export type { ApprovedDigest, RecoverableSignature } from './secp256k1.ts';
export { startSigningThread } from './signing-thread.ts';
export type { SigningThread } from './signing-thread.ts';
export type { Staged } from './staging.ts';
