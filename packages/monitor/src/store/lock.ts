import { argon2, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { assertNever, CodedError, fromBase64url, fromHex, toBase64url, utf8 } from '@keepwatch/base';
import { z } from 'zod';
import { openSqliteStore } from '@keepwatch/journal';
import { createDurably, renameDurably, writeDurably } from './durable-file.ts';
import { isMade, journalPath, journalPaths, lockDraftPath, lockGone, lockPath, requireWhole } from './files.ts';
import { open, seal } from './sealing.ts';

/**
 * What protects the data of a monitor at rest. All of it is encrypted under a root key that never changes; the root key
 * lies in the data directory, wrapped by the monitor key; and where that one comes from is what is chosen here:
 *
 * - `credential`: a file that systemd hands over (LoadCredential, LoadCredentialEncrypted with a TPM). A stolen disk
 *   yields nothing.
 * - `passphrase`: an operator types it at each start. A stolen disk yields nothing that argon2id does not.
 * - `file`: a file of mode 0600 beside the data. It protects from other users of the machine, and a stolen disk yields
 *   all. Whoever chooses it is told.
 */
export type LockKind = 'credential' | 'passphrase' | 'file';

export type NewLock =
  | { readonly kind: 'file' }
  | { readonly kind: 'credential'; readonly name: string; readonly directory: string | undefined }
  | { readonly kind: 'passphrase'; readonly passphrase: Uint8Array };

/** What a start can bring to open a lock. */
export interface Unlocking {
  /** `$CREDENTIALS_DIRECTORY`. */
  readonly credentials: string | undefined;
  readonly passphrase?: Uint8Array;
}

/** The second recommendation of RFC 9106 §4, with one lane. */
const ARGON2 = { memoryKib: 65_536, passes: 3, parallelism: 1 };
const KEY_FILE = 'monitor.key';
const WRAP_PLACE = utf8('keepwatch/monitor-root-key/1');

const base64url = z
  .string()
  .refine((text) => fromBase64url(text) !== undefined, 'base64url is expected')
  .transform((text) => fromBase64url(text)!);
const lockSchema = z.strictObject({
  version: z.literal(1),
  key: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('file') }),
    z.strictObject({ kind: z.literal('credential'), name: z.string().min(1) }),
    z.strictObject({
      kind: z.literal('passphrase'),
      salt: base64url,
      // Bounds, so that a planted file cannot make the start take all memory.
      memoryKib: z.int().min(8_192).max(4_194_304),
      passes: z.int().min(1).max(100),
      parallelism: z.int().min(1).max(16),
    }),
  ]),
  root: base64url,
});
type LockKey = z.infer<typeof lockSchema>['key'];

/** The lock of a monitor that is being made. */
export interface LockDraft {
  readonly rootKey: Uint8Array;
  /** From here on there is a monitor in the directory. */
  keep(): void;
  /** Takes everything back but a key file: the monitor can be made anew. */
  drop(): void;
}

/**
 * Makes the data directory of a monitor, with a fresh root key, and a lock that opens nothing yet. What is left of a making
 * that was interrupted is removed. Throws `monitor_exists`, `monitor_directory_unusable`, the codes of {@link requireWhole}
 * where there is a part of a monitor, `storage_busy` where another process makes one there, and the codes of the key.
 */
export async function draftLock(dataDir: string, lock: NewLock): Promise<LockDraft> {
  try {
    return await draftWithin(dataDir, lock);
  } catch (cause) {
    throw unmakable(dataDir, cause);
  }
}

function unmakable(dataDir: string, cause: unknown): CodedError {
  if (cause instanceof CodedError) return cause;
  const { code = 'unknown' } = cause as NodeJS.ErrnoException;
  return new CodedError('monitor_directory_unusable', `${dataDir} cannot be made or written (${code}).`, {
    cause,
    remedy: 'Look at its permissions and at the room on its disk, or name another directory with --data.',
  });
}

/** Throws `monitor_exists`, and the codes of {@link requireWhole} where there is a part of a monitor. */
export function requireUnmade(dataDir: string): void {
  requireWhole(dataDir);
  if (!isMade(dataDir)) return;
  throw new CodedError('monitor_exists', `There is a monitor in ${dataDir} already.`, {
    remedy: 'Use it, or name another directory with --data.',
  });
}

async function draftWithin(dataDir: string, lock: NewLock): Promise<LockDraft> {
  // In one step where it is one: a search for the first folder that can be made does not end in /proc.
  if (!existsSync(dataDir)) mkdirSync(dataDir, { recursive: !existsSync(dirname(dataDir)), mode: 0o700 });
  requireUnmade(dataDir);
  const key = keyOf(lock);
  const monitorKey = await newKey(dataDir, lock, key);
  const rootKey = new Uint8Array(randomBytes(32));
  const root = seal(monitorKey, WRAP_PLACE, rootKey);
  const written = key.kind === 'passphrase' ? { ...key, salt: toBase64url(key.salt) } : key;
  const text = JSON.stringify({ version: 1, key: written, root: toBase64url(root) }, null, 2);
  const draft = lockDraftPath(dataDir);
  if (existsSync(draft)) clearDraft(dataDir);
  createDurably(draft, `${text}\n`);
  return {
    rootKey,
    keep() {
      try {
        renameDurably(draft, lockPath(dataDir));
      } catch (cause) {
        if (!existsSync(draft)) rmSync(lockPath(dataDir), { force: true });
        throw unmakable(dataDir, cause);
      }
    },
    drop: () => removeDraft(dataDir),
  };
}

/** What was begun by a making that did not come to its end: its journal opens by a key that is nowhere. */
function clearDraft(dataDir: string): void {
  if (existsSync(journalPath(dataDir)) && entriesIn(dataDir) > 1) throw lockGone(dataDir);
  removeDraft(dataDir);
}

/**
 * Of a journal that was not even begun none. Throws `storage_busy` where the making is not interrupted, but under way, and
 * `storage_format_unknown`.
 */
function entriesIn(dataDir: string): number {
  try {
    const journal = openSqliteStore({ path: journalPath(dataDir) });
    try {
      return journal.lastBatch()?.lastSeq ?? 0;
    } finally {
      journal.close();
    }
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (code === 'storage_busy' || code === 'storage_format_unknown') throw error;
    return 0;
  }
}

/** The draft last: by it alone is it known what the journal is. */
function removeDraft(dataDir: string): void {
  for (const path of [...journalPaths(dataDir), lockDraftPath(dataDir)]) rmSync(path, { force: true });
}

function keyOf(lock: NewLock): LockKey {
  switch (lock.kind) {
    case 'file':
      return { kind: 'file' };
    case 'credential':
      return { kind: 'credential', name: lock.name };
    case 'passphrase':
      return { kind: 'passphrase', salt: new Uint8Array(randomBytes(16)), ...ARGON2 };
    default:
      return assertNever(lock);
  }
}

async function newKey(dataDir: string, lock: NewLock, key: LockKey): Promise<Uint8Array> {
  if (lock.kind === 'file' && !existsSync(join(dataDir, KEY_FILE))) {
    writeDurably(join(dataDir, KEY_FILE), `${toBase64url(randomBytes(32))}\n`);
  }
  return monitorKeyOf(dataDir, key, {
    credentials: lock.kind === 'credential' ? lock.directory : undefined,
    ...(lock.kind === 'passphrase' ? { passphrase: lock.passphrase } : {}),
  });
}

/** How the monitor in this directory is locked. Throws `monitor_not_made`, and the codes of {@link requireWhole}. */
export const lockKind = (dataDir: string): LockKind => readLock(dataDir).key.kind;

/**
 * The root key: 32 bytes. Throws `monitor_not_made`, the codes of {@link requireWhole}, `monitor_locked` (a pass phrase is
 * needed), `monitor_key_missing`, `monitor_key_wrong`.
 */
export async function openLock(dataDir: string, unlocking: Unlocking): Promise<Uint8Array> {
  const { key, root } = readLock(dataDir);
  const monitorKey = await monitorKeyOf(dataDir, key, unlocking);
  const opened = open(monitorKey, WRAP_PLACE, root);
  if (opened?.length === 32) return opened;
  const which = { file: 'The key file', credential: 'The credential', passphrase: 'The pass phrase' }[key.kind];
  throw new CodedError('monitor_key_wrong', `${which} does not open this monitor.`, {
    remedy: 'Give the one that it was made with.',
  });
}

function readLock(dataDir: string): z.infer<typeof lockSchema> {
  const path = lockPath(dataDir);
  requireWhole(dataDir);
  if (!isMade(dataDir)) {
    throw new CodedError('monitor_not_made', `There is no monitor in ${dataDir} yet.`, {
      remedy: 'Make one with `keepwatch monitor init`, or name its directory with --data.',
    });
  }
  try {
    return lockSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new CodedError('monitor_lock_damaged', `${path} cannot be read.`, {
      cause,
      remedy: 'Put a copy of it back. Without it nothing of this monitor can be read.',
    });
  }
}

async function monitorKeyOf(dataDir: string, key: LockKey, unlocking: Unlocking): Promise<Uint8Array> {
  switch (key.kind) {
    case 'file': {
      const path = join(dataDir, KEY_FILE);
      if (existsSync(path) && (statSync(path).mode & 0o077) !== 0) {
        throw new CodedError('monitor_key_open', `Others can read ${path}.`, {
          remedy: `Run chmod 600 on it, and think of who may have read it.`,
        });
      }
      return keyFrom(path);
    }
    case 'credential':
      if (unlocking.credentials === undefined) {
        throw new CodedError(
          'monitor_key_missing',
          'No credentials were handed over: $CREDENTIALS_DIRECTORY is not set.',
          {
            remedy: `Start the monitor by systemd with LoadCredential=${key.name}:FILE; docs/watch.md shows a unit.`,
          },
        );
      }
      return keyFrom(join(unlocking.credentials, key.name));
    case 'passphrase':
      if (unlocking.passphrase === undefined) {
        throw new CodedError('monitor_locked', 'The monitor is locked: its pass phrase is needed.', {
          remedy: 'Run `keepwatch monitor unlock`, or give --passphrase-file FILE at the start.',
        });
      }
      return deriveKey(unlocking.passphrase, key);
    default:
      return assertNever(key);
  }
}

/** 32 bytes: as they are, or in hex or base64url as text. */
function keyFrom(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new CodedError('monitor_key_missing', `The key in ${path} cannot be read.`, {
      cause,
      remedy: 'Put it where it was. Without it nothing of this monitor can be read.',
    });
  }
  if (bytes.length === 32) return bytes;
  const text = Buffer.from(bytes).toString('latin1').trim();
  const read = /^[0-9a-f]{64}$/i.test(text) ? fromHex(text.toLowerCase()) : fromBase64url(text);
  if (read?.length === 32) return read;
  throw new CodedError('monitor_key_wrong', `${path} does not hold a key of 32 bytes.`, {
    remedy: 'Make one with `openssl rand -hex 32`, or put the one back that the monitor was made with.',
  });
}

async function deriveKey(
  passphrase: Uint8Array,
  { salt, memoryKib, passes, parallelism }: Extract<LockKey, { kind: 'passphrase' }>,
): Promise<Uint8Array> {
  const parameters = { message: passphrase, nonce: salt, parallelism, tagLength: 32, memory: memoryKib, passes };
  return new Uint8Array(await promisify(argon2)('argon2id', parameters));
}
