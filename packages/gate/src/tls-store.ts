import { closeSync, constants, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, err, ok, type Result } from '@keepwatch/base';
import { generateTlsKey, tlsKeyFrom, type TlsKey } from './certificate.ts';

/**
 * The TLS keys on disk: one file, so that each step of a rotation is one atomic rename (see LinkControl in protocol).
 * The file is gate's own (0600); keep never sees it and peers need none of it.
 */
export interface TlsStore {
  current(): TlsKey;
  /** The key that a rotation has made and no statement confirmed yet. */
  next(): TlsKey | undefined;
  /** Signed statements, oldest first: a peer that slept through rotations follows them link by link. */
  statements(): readonly string[];
  /** Makes the next key, or names the one that waits: a repeated request changes nothing. */
  prepare(): TlsKey;
  /** Puts the waiting key in force together with the statement that lets peers follow; also one for the key in force. */
  commit(fingerprint: string, statement: string): Result<TlsKey, 'no_next_key' | 'other_next_key' | 'not_a_statement'>;
}

interface TlsFile {
  readonly version: 1;
  readonly current: string;
  readonly next?: string;
  readonly statements: readonly string[];
}

const FILE = 'tls.json';
/** A rotation a month for five years; older pins need a fresh connection string. */
const MAX_STATEMENTS = 60;
const MAX_STATEMENT_LENGTH = 16 * 1024;
/** Compact JWS (RFC 7515 §7.1). What it says is for the peers to verify, not for gate. */
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Opens the store in `dataDir`, which must exist; the first run makes a key. Throws `gate_tls_unreadable` for a file
 * that is there but damaged: a silent new key would lock every peer out and look like an attack.
 */
export function openTlsStore(dataDir: string): TlsStore {
  const path = join(dataDir, FILE);
  let file = readTlsFile(path);
  if (!file) {
    file = { version: 1, current: generateTlsKey().privateKey, statements: [] };
    writeDurably(path, JSON.stringify(file));
  }
  let current: TlsKey;
  let next: TlsKey | undefined;
  try {
    current = tlsKeyFrom(file.current);
    next = file.next === undefined ? undefined : tlsKeyFrom(file.next);
  } catch (cause) {
    throw unreadable(path, cause);
  }

  function save(changed: TlsFile): void {
    writeDurably(path, JSON.stringify(changed));
    file = changed;
  }

  function prepare(): TlsKey {
    if (next) return next;
    const made = generateTlsKey();
    save({ ...file!, next: made.privateKey });
    next = made;
    return made;
  }

  function commit(fingerprint: string, statement: string): ReturnType<TlsStore['commit']> {
    if (statement.length > MAX_STATEMENT_LENGTH || !COMPACT_JWS.test(statement)) return err('not_a_statement');
    const statements = [...file!.statements, statement].slice(-MAX_STATEMENTS);
    if (fingerprint === current.fingerprint) {
      // A key that was made anew after a loss is in force already; this is the keep's word for it.
      save({ ...file!, statements });
      return ok(current);
    }
    if (!next) return err('no_next_key');
    if (next.fingerprint !== fingerprint) return err('other_next_key');
    save({ version: 1, current: next.privateKey, statements });
    current = next;
    next = undefined;
    return ok(current);
  }

  return { current: () => current, next: () => next, statements: () => file!.statements, prepare, commit };
}

function readTlsFile(path: string): TlsFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, cause);
  }
  try {
    const value = JSON.parse(text) as Partial<TlsFile>;
    const { version, current, next, statements } = value;
    if (version !== 1 || typeof current !== 'string') throw new TypeError('not a TLS file of version 1');
    if (next !== undefined && typeof next !== 'string') throw new TypeError('next is no key');
    if (!Array.isArray(statements) || !statements.every((item) => typeof item === 'string')) {
      throw new TypeError('statements are no list of texts');
    }
    return next === undefined ? { version, current, statements } : { version, current, next, statements };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): CodedError {
  return new CodedError('gate_tls_unreadable', `The TLS key file ${path} cannot be read.`, {
    cause,
    remedy:
      'Put the file back from a backup. Without it, move it away: gate makes a new key, and every peer needs a new connection string.',
  });
}

/**
 * After this returns the new text is on the disk; a crash before leaves either the old or the new file, whole. The
 * permission model takes fsync away, so the descriptors are opened O_SYNC: each write returns when data and metadata are
 * stored. The last step stores the rename: a file's synchronous write takes the directory change before it along (the
 * journal of ext4, xfs and btrfs is in order), and writing the byte that is there already cannot tear anything.
 */
function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  writeSynchronously(temporary, constants.O_CREAT | constants.O_TRUNC, text);
  renameSync(temporary, path);
  writeSynchronously(path, 0, text.slice(0, 1));
}

function writeSynchronously(path: string, flags: number, text: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_SYNC | flags, 0o600);
  try {
    writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
