import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { concat, toBase64url, utf8 } from '@keepwatch/base';
import type { CommandParams, MethodParams, MethodResult } from '@keepwatch/protocol';
import {
  encodeHeader,
  encodeItem,
  frame,
  piecePlace,
  PIECE_BYTES,
  type BackupHeader,
  type BackupItem,
} from '../backup/format.ts';
import { createDurableFile, writeFully } from '../durable-file.ts';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { deriveUserKey, KDF_PRESETS, sealBytes, sealSecret, type Slot } from '../secure/index.ts';
import { decideAt, requireUnsealed, type CarriedOut, type Order } from './order.ts';
import type { VaultContext } from './context.ts';
import { vaultOf, withEntries } from './lifecycle.ts';
import { removeScratchFile, scratchPath } from './scratch-files.ts';
import { requirePassword } from './wallets.ts';

/**
 * Backups: everything but boot key and boot table, sealed under a key that the password opens. The file is prepared
 * beside the journal, read out piece by piece over the session, and removed with it.
 */

/** Spaces of records that belong to the vault and not to this installation. */
export const SPACES = ['root', 'data-key', 'receipt-key', 'seed', 'wallet-key'] as const;

/** Key number of a backup's own key, in its pieces. */
export const BACKUP_KEY_ID = 0;
export const BACKUP_KEY_PLACE = utf8('backup/key');
const SALT_BYTES = 16;
const READ_BYTES = 96 * 1024;
const SCRATCH = 'backup';

export async function prepareBackup(order: Order, params: CommandParams<'vault.backup'>): Promise<CarriedOut> {
  const { vault, session, by } = order;
  return withEntries(vault, session, [['vault.backup', params.password]], async (password) => {
    await requirePassword(order, password);
    const decided = await decideAt(order, () => ({
      kind: 'accepted',
      events: [{ type: 'vault.backed-up', ...by }],
      value: null,
    }));
    dropBackup(session);
    const path = scratchPath(vault.deps.dataDir, 'backup', session);
    session.scratch.set(SCRATCH, path);
    try {
      await writeBackup(vault, path, password);
      // The session ended meanwhile: nobody is left to read it, or to remove it.
      if (session.scratch.get(SCRATCH) !== path) throw coded('session_closed');
    } catch (error) {
      dropBackup(session);
      removeScratchFile(path);
      throw error;
    }
    return { ...decided, value: { bytes: statSync(path).size } };
  });
}

async function writeBackup(vault: VaultContext, path: string, password: Slot): Promise<void> {
  const { memory, entropy, clock } = vault.deps;
  const { journal, state } = requireUnsealed(vault);
  const head = journal.head();
  if (!head) throw coded('backup_missing');
  const salt = entropy(SALT_BYTES);
  const kdf = KDF_PRESETS.moderate;
  const userKey = await deriveUserKey(memory, password, salt, kdf);
  const key = memory.allocRandom(32);
  const file = createDurableFile(path);
  try {
    const header: BackupHeader = {
      format: 'keepwatch-backup/1',
      created: clock().wallMs,
      vault: vaultOf(vault),
      epoch: state.epoch,
      lastSeq: head.lastSeq,
      kdf: { ...kdf, salt: toBase64url(salt) },
      wrapped: toBase64url(sealSecret(userKey, BACKUP_KEY_ID, BACKUP_KEY_PLACE, key)),
    };
    const encoded = encodeHeader(header);
    writeFully(file, encoded);
    let i = 0;
    let held: Uint8Array[] = [];
    let size = 0;
    const flush = (last: boolean) => {
      const place = piecePlace(vault.deps.sha256(encoded), i++, last);
      writeFully(file, frame(sealBytes(key, BACKUP_KEY_ID, place, concat(...held))));
      held = [];
      size = 0;
    };
    for await (const item of itemsOf(vault, head.lastSeq)) {
      const bytes = encodeItem(item);
      held.push(bytes);
      size += bytes.length;
      if (size >= PIECE_BYTES) flush(false);
    }
    flush(true);
  } finally {
    closeSync(file);
    memory.free(key);
    memory.free(userKey);
  }
}

async function* itemsOf(vault: VaultContext, lastSeq: number): AsyncGenerator<BackupItem> {
  const { store } = vault.deps;
  for (const space of SPACES) {
    let after: string | undefined;
    for (;;) {
      const page = await store.list(space, { ...(after === undefined ? {} : { after }), limit: 1_000 });
      for (const { key, value } of page) yield { kind: 'record', space, key, value };
      if (page.length === 0) break;
      after = page.at(-1)!.key;
      await pause();
    }
  }
  let count = 0;
  for await (const batch of store.batches(1)) {
    if (batch.lastSeq > lastSeq) return;
    yield { kind: 'batch', batch };
    if (++count % 500 === 0) await pause();
  }
}

/** Lets other peers have their turn. */
const pause = () => new Promise<void>((resolve) => setImmediate(resolve));

export function readBackup(session: PeerSession, params: MethodParams<'backup.read'>): MethodResult<'backup.read'> {
  const path = session.scratch.get(SCRATCH);
  if (typeof path !== 'string') throw coded('backup_missing');
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(READ_BYTES);
    const read = readSync(file, bytes, 0, READ_BYTES, params.offset);
    return { bytes: toBase64url(bytes.subarray(0, read)), total: statSync(path).size };
  } finally {
    closeSync(file);
  }
}

/** The session ended, or another backup begins. */
export function dropBackup(session: PeerSession): void {
  const path = session.scratch.get(SCRATCH);
  if (typeof path !== 'string') return;
  session.scratch.delete(SCRATCH);
  removeScratchFile(path);
}
