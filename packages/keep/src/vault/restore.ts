import { closeSync, readFileSync } from 'node:fs';
import { CodedError, err, fromBase64url, ok, toBase64url, type Result } from '@keepwatch/base';
import { createMemoryStore, type JournalStore, type RecordWrite, type StoredBatch } from '@keepwatch/journal';
import type { CommandParams, MethodParams, MethodResult } from '@keepwatch/protocol';
import { decodeHeader, decodeItems, piecePlace, readFrames } from '../backup/format.ts';
import { appendDurableFile, createDurableFile, writeFully } from '../durable-file.ts';
import { coded, type PeerSession } from '../peers/sessions.ts';
import {
  deriveUserKey,
  ed25519Verify,
  kdfParamsAcceptable,
  openBytes,
  openSecret,
  type SecureMemory,
  type Slot,
} from '../secure/index.ts';
import { BACKUP_KEY_ID, BACKUP_KEY_PLACE, SPACES } from './backup.ts';
import { saveBoot } from './boot-state.ts';
import type { CarriedOut, Order } from './order.ts';
import type { VaultContext } from './context.ts';
import {
  countTry,
  identityOf,
  newRing,
  passwordError,
  RECEIPT_SEED_KEY,
  unsealWith,
  vaultOf,
  withEntries,
} from './lifecycle.ts';
import { removeScratchFile, scratchPath } from './scratch-files.ts';
import { openJournal } from './unsealed.ts';

/**
 * Restoring a backup makes this installation the vault's next epoch. All of it is opened and verified in memory before
 * one transaction brings it to the disk; signing stays frozen until an operator resumes.
 */

const MAX_BACKUP_BYTES = 2 ** 30;
const SCRATCH = 'restore';

interface Upload {
  readonly path: string;
  received: number;
}

export function writeBackupPiece(
  vault: VaultContext,
  session: PeerSession,
  params: MethodParams<'backup.write'>,
): MethodResult<'backup.write'> {
  if (vault.boot.initialised) throw coded('vault_initialised');
  if (params.total > MAX_BACKUP_BYTES) throw coded('backup_too_large');
  const bytes = fromBase64url(params.bytes);
  if (!bytes) throw coded('backup_malformed');
  if (params.offset === 0) dropUpload(session);
  const path = scratchPath(vault.deps.dataDir, 'restore', session);
  const upload = (session.scratch.get(SCRATCH) as Upload | undefined) ?? { path, received: 0 };
  if (params.offset !== upload.received || upload.received + bytes.length > params.total) {
    throw coded('backup_out_of_order', { received: upload.received });
  }
  session.scratch.set(SCRATCH, upload);
  const file = upload.received === 0 ? createDurableFile(upload.path) : appendDurableFile(upload.path);
  try {
    writeFully(file, bytes);
  } finally {
    closeSync(file);
  }
  upload.received += bytes.length;
  return { received: upload.received };
}

export function dropUpload(session: PeerSession): void {
  const upload = session.scratch.get(SCRATCH) as Upload | undefined;
  if (!upload) return;
  session.scratch.delete(SCRATCH);
  removeScratchFile(upload.path);
}

export async function restoreVault(order: Order, params: CommandParams<'vault.restore'>): Promise<CarriedOut> {
  const { vault, session } = order;
  const { sealings } = vault;
  const upload = session.scratch.get(SCRATCH) as Upload | undefined;
  if (!upload) throw coded('backup_missing');
  return withEntries(vault, session, [['vault.restore', params.password]], async (password) => {
    // A file that no password would open is no try of one.
    const sealed = readSealed(readFileSync(upload.path));
    if (!sealed.ok) throw coded(sealed.error);
    const before = await countTry(vault);
    const key = await openBackupKey(vault.deps.memory, sealed.value, password);
    if (!key) throw notOpened(vault);
    try {
      await takeIn(vault, key, sealed.value, password);
    } catch (error) {
      // The password opened it, and what fails is the file, or the disk: that was no guess. Only this try is given back,
      // so that who has a file of his own, under a password that he knows, gains no guess at another one by it.
      const isGuess = error instanceof CodedError && error.code === 'wrong_password';
      if (!isGuess) await saveBoot(vault, { failedUnseals: before });
      throw error;
    } finally {
      vault.deps.memory.free(key);
    }
    // From here on it is a sealed vault that remembers being restored: unsealing it begins the new epoch.
    const result = await unsealWith(vault, { password, time: params.time, sealings }, order.by);
    dropUpload(session);
    return { result, value: { identity: identityOf(vault), vault: vaultOf(vault) } };
  });
}

/** The backup becomes this installation's records, if all of it holds. */
async function takeIn(vault: VaultContext, key: Slot, sealed: SealedBackup, password: Slot): Promise<void> {
  const opened = openPieces(key, vault.deps.sha256(sealed.encoded), sealed.pieces);
  if (!opened.ok) throw coded(opened.error);
  const { records, batches } = opened.value;
  const ring = newRing(vault);
  try {
    const staging = createMemoryStore();
    await staging.commit(batches, records);
    const unlocked = await ring.unlock(password, staging);
    // The keys in it are under another password than the file: somebody made it of two.
    if (!unlocked.ok) throw unlocked.error === 'wrong_password' ? notOpened(vault) : coded('backup_malformed');
    unlocked.value.discard();
    await verifyStaged(vault, ring, staging);
    const receiptKey = toBase64url(ring.receiptPublicKey());
    const writes: RecordWrite[] = [...records, { op: 'delete', space: 'boot', key: RECEIPT_SEED_KEY }];
    await saveBoot(vault, { initialised: true, restored: true, receiptKey }, writes, batches);
  } finally {
    ring.lock();
  }
}

/** Nobody can tell a wrong password from a header that was damaged where it says how the password gives the key. */
function notOpened(vault: VaultContext): CodedError {
  const { details } = passwordError(vault, 'wrong_password');
  return new CodedError('wrong_password', 'The password does not open this backup.', {
    remedy: 'Give the one of the time of the backup. If it is that one, the file is damaged: use another copy.',
    ...(details ? { details } : {}),
  });
}

/** A backup with a broken chain is refused before anything of it is kept. */
async function verifyStaged(
  vault: VaultContext,
  ring: ReturnType<typeof newRing>,
  staging: JournalStore,
): Promise<void> {
  const journal = await openJournal(
    { ...vault, deps: { ...vault.deps, store: { ...staging, checkpoint() {} } } },
    ring,
  );
  const verified = await journal.verify({ receiptPublicKey: ring.receiptPublicKey(), ed25519Verify });
  if (!verified.ok) throw coded('backup_malformed', { fault: verified.error.code, seq: verified.error.seq });
}

/** What stands in the file, none of it opened. */
interface SealedBackup {
  readonly kdf: { readonly opsLimit: number; readonly memLimitBytes: number };
  readonly salt: Uint8Array;
  readonly wrapped: Uint8Array;
  /** The header as it stands there: the pieces are bound to it. */
  readonly encoded: Uint8Array;
  readonly pieces: readonly Uint8Array[];
}

function readSealed(bytes: Uint8Array): Result<SealedBackup, 'backup_malformed'> {
  const decoded = decodeHeader(bytes);
  if (!decoded.ok) return decoded;
  const { header, encoded, rest } = decoded.value;
  const salt = fromBase64url(header.kdf.salt);
  const wrapped = fromBase64url(header.wrapped);
  if (!salt || !wrapped || salt.length !== 16 || !kdfParamsAcceptable(header.kdf)) return err('backup_malformed');
  const pieces = readFrames(bytes.subarray(rest));
  if (!pieces || pieces.length === 0) return err('backup_malformed');
  return ok({ kdf: header.kdf, salt, wrapped, encoded, pieces });
}

/** Undefined where the password does not open it. The caller frees it. */
async function openBackupKey(memory: SecureMemory, sealed: SealedBackup, password: Slot): Promise<Slot | undefined> {
  const userKey = await deriveUserKey(memory, password, sealed.salt, sealed.kdf);
  const key = openSecret(memory, userKey, { keyId: BACKUP_KEY_ID, place: BACKUP_KEY_PLACE, sealed: sealed.wrapped });
  memory.free(userKey);
  return key;
}

function openPieces(
  key: Slot,
  headerHash: Uint8Array,
  frames: readonly Uint8Array[],
): Result<{ records: RecordWrite[]; batches: StoredBatch[] }, 'backup_malformed'> {
  const records: RecordWrite[] = [];
  const batches: StoredBatch[] = [];
  for (const [i, sealed] of frames.entries()) {
    const place = piecePlace(headerHash, i, i === frames.length - 1);
    const piece = openBytes(key, BACKUP_KEY_ID, place, sealed);
    const items = piece ? decodeItems(piece) : err('backup_malformed' as const);
    if (!items.ok) return items;
    for (const item of items.value) {
      if (item.kind === 'batch') batches.push(item.batch);
      // A backup brings the vault's keys along and nothing of an installation.
      else if (!(SPACES as readonly string[]).includes(item.space)) return err('backup_malformed');
      else records.push({ op: 'put', space: item.space, key: item.key, value: item.value });
    }
  }
  return ok({ records, batches });
}
