import { closeSync, readFileSync } from 'node:fs';
import { err, fromBase64url, ok, toBase64url, type Result } from '@keepwatch/base';
import { createMemoryStore, type JournalStore, type RecordWrite, type StoredBatch } from '@keepwatch/journal';
import type { CommandParams, MethodParams, MethodResult } from '@keepwatch/protocol';
import { decodeHeader, decodeItems, piecePlace, readFrames, type BackupHeader } from '../backup/format.ts';
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
    await countTry(vault);
    const opened = await openBackup(vault.deps.memory, vault.deps.sha256, readFileSync(upload.path), password);
    if (!opened.ok) throw opened.error === 'wrong_password' ? passwordError(vault, opened.error) : coded(opened.error);
    const { records, batches } = opened.value;
    const ring = newRing(vault);
    try {
      const staging = createMemoryStore();
      await staging.commit(batches, records);
      const unlocked = await ring.unlock(password, staging);
      if (!unlocked.ok) throw passwordError(vault, unlocked.error);
      unlocked.value.discard();
      await verifyStaged(vault, ring, staging);
      const receiptKey = toBase64url(ring.receiptPublicKey());
      const writes: RecordWrite[] = [...records, { op: 'delete', space: 'boot', key: RECEIPT_SEED_KEY }];
      await saveBoot(vault, { initialised: true, restored: true, receiptKey }, writes, batches);
    } finally {
      ring.lock();
    }
    // From here on it is a sealed vault that remembers being restored: unsealing it begins the new epoch.
    const result = await unsealWith(vault, { password, time: params.time, sealings }, order.by);
    dropUpload(session);
    return { result, value: { identity: identityOf(vault), vault: vaultOf(vault) } };
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

interface OpenedBackup {
  readonly header: BackupHeader;
  readonly records: readonly RecordWrite[];
  readonly batches: readonly StoredBatch[];
}

async function openBackup(
  memory: SecureMemory,
  sha256: (bytes: Uint8Array) => Uint8Array,
  bytes: Uint8Array,
  password: Slot,
): Promise<Result<OpenedBackup, 'backup_malformed' | 'wrong_password'>> {
  const decoded = decodeHeader(bytes);
  if (!decoded.ok) return decoded;
  const { header, encoded, rest } = decoded.value;
  const salt = fromBase64url(header.kdf.salt);
  const wrapped = fromBase64url(header.wrapped);
  if (!salt || !wrapped || salt.length !== 16 || !kdfParamsAcceptable(header.kdf)) return err('backup_malformed');
  const userKey = await deriveUserKey(memory, password, salt, header.kdf);
  const key = openSecret(memory, userKey, { keyId: BACKUP_KEY_ID, place: BACKUP_KEY_PLACE, sealed: wrapped });
  memory.free(userKey);
  if (!key) return err('wrong_password');
  try {
    const items = openPieces(key, sha256(encoded), bytes.subarray(rest));
    return items.ok ? ok({ header, ...items.value }) : items;
  } finally {
    memory.free(key);
  }
}

function openPieces(
  key: Slot,
  headerHash: Uint8Array,
  bytes: Uint8Array,
): Result<{ records: RecordWrite[]; batches: StoredBatch[] }, 'backup_malformed'> {
  const frames = readFrames(bytes);
  if (!frames || frames.length === 0) return err('backup_malformed');
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
