import type { Result } from '@keepwatch/base';
import type { Scheme } from './aead.ts';
import type { KdfParams } from './kdf.ts';
import type { KeyRecord, KeyRecordReader, KeyRecordWrite, KeySpace } from './key-records.ts';
import type { SecureMemory, Slot } from './memory.ts';
import type { RewrapChunk } from './rewrap.ts';
import type { Staged } from './staging.ts';

/**
 * The hierarchy: the user key, argon2id of the password, wraps the root key; the root key wraps everything else (the
 * journal's data keys, the receipt key, wallet keys, seeds). The user key lives only while it wraps or unwraps.
 *
 * Nothing here writes to the store: operations give the writes to commit. Where memory would run ahead of the store,
 * they are `Staged` and take effect when `adopt` says that the writes are durable.
 */
export interface KeyRing {
  readonly unlocked: () => boolean;
  /**
   * A new hierarchy with one data key, for a receipt key whose seed exists already: the vault's identity, which peers
   * pinned before there was a password, commits to it. The seed stays the caller's. The ring is unlocked at once,
   * because what is committed together with these writes is sealed and signed by it; if the commit fails, `lock()`.
   * @throws CodedError `kdf_params_refused`, `kdf_out_of_memory`
   */
  initialise(password: Slot, params: KdfParams, receiptSeed: Slot): Promise<readonly KeyRecordWrite[]>;
  /**
   * Opens the hierarchy. The staged writes, mostly none, bring root keys wrapped in an older scheme up to date. Wallet
   * keys and seeds are opened by whoever lists them (`openSecrets`). Errors: `wrong_password` (nothing more is told),
   * `vault_uninitialised`, `vault_busy` (locked or unlocked meanwhile).
   * @throws CodedError `kdf_params_refused`, `kdf_out_of_memory`, `key_record_damaged`
   */
  unlock(password: Slot, reader: KeyRecordReader): Promise<Result<Staged<undefined>, UnlockFailure>>;
  /** Wipes every key, those handed out as slots among them. */
  lock(): void;
  /** Whether this is the password, without changing anything. */
  verifyPassword(password: Slot, reader: KeyRecordReader): Promise<Result<undefined, PasswordFailure>>;
  /** Wraps the root keys alone anew, under a user key with a new salt. `params`: those of before, unless given. */
  changePassword(
    old: Slot,
    next: Slot,
    reader: KeyRecordReader,
    params?: KdfParams,
  ): Promise<Result<Staged<undefined>, PasswordFailure>>;

  /**
   * A new root key, under which everything is sealed from `adopt` on. The old one stays until `finishRotation`.
   * Error `rotation_unfinished`: two are there already.
   */
  rotateRoot(
    password: Slot,
    reader: KeyRecordReader,
  ): Promise<Result<Staged<{ rootId: number }>, PasswordFailure | 'rotation_unfinished'>>;
  /** Whether this record still waits for re-encryption (older root key or older scheme). */
  isBehind(value: Uint8Array): boolean;
  /** The record re-encrypted under the root key and scheme in force, or `undefined` where it is already. */
  rewrap(space: KeySpace, key: string, value: Uint8Array): KeyRecordWrite | undefined;
  /** How many records wait. */
  pendingRewraps(reader: KeyRecordReader): Promise<number>;
  /**
   * The next records re-encrypted, at most `limit`. Commit before asking for more, and let no other write to these
   * records come between. Done when nothing waits; what was done survives a restart, because each record says itself
   * under what it is sealed.
   */
  rewrapChunk(reader: KeyRecordReader, limit: number): Promise<RewrapChunk>;
  /** Drops the older root keys. Error `rotation_unfinished`: a record still needs one. */
  finishRotation(reader: KeyRecordReader): Promise<Result<Staged<undefined>, 'rotation_unfinished' | 'vault_busy'>>;
  /** Root keys in memory: more than one while a rotation is unfinished. */
  rootIds(): readonly number[];

  /** A new key for the journal, in force from `adopt` on. Older ones stay, for reading. */
  newDataKey(): Staged<{ keyId: number }>;
  /** The journal's cipher: data keys by id. */
  readonly journalCipher: JournalCipher;

  putSecret(space: KeySpace, key: string, secret: Slot): KeyRecordWrite;
  /** @throws CodedError `key_record_damaged` */
  openSecret(space: KeySpace, record: KeyRecord): Slot;
  /** Many of them, into packed slabs; in the order of `records`. */
  openSecrets(space: KeySpace, records: readonly KeyRecord[]): Slot[];

  receiptPublicKey(): Uint8Array;
  /** Signs with the receipt key, Ed25519. */
  signReceipt(message: Uint8Array): Uint8Array;
}

export type PasswordFailure = 'wrong_password' | 'vault_busy';
export type UnlockFailure = PasswordFailure | 'vault_uninitialised';

export interface JournalCipher {
  currentKey(): number;
  seal(keyId: number, place: Uint8Array, plaintext: Uint8Array): Uint8Array;
  open(keyId: number, place: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

export interface KeyRingDeps {
  /** For this ring alone: locking wipes all of it. */
  readonly memory: SecureMemory;
}

export interface KeyRingOptions {
  /** The scheme to write in; older ones are always read. An older vault is made by asking for its scheme. */
  readonly scheme?: Scheme;
}
