import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { CodedError, concat, fromBase64url, toBase64url, u32be, utf8, type Sha256 } from '@keepwatch/base';
import {
  createJournal,
  openSqliteStore,
  type EntryCipher,
  type Journal,
  type JournalFault,
  type RecordWrite,
  type SqliteStore,
} from '@keepwatch/journal';
import { keepIdentity, vaultId, type BootSigner, type Ed25519Verify } from '@keepwatch/wire';
import { journalMissing, journalPath } from './files.ts';
import { open, seal } from './sealing.ts';
import { unusable } from './unusable.ts';

/** The journal of a monitor, open: everything in it is encrypted under keys that the root key wraps. */
export interface MonitorStore {
  readonly journal: Journal;
  /** Identity of the monitor: whose heads these are. */
  readonly id: string;
  /** By which peers know it, base64url: what they order is for this monitor and no other. */
  readonly identity: string;
  readonly receiptPublicKey: Uint8Array;
  /** Signs a message to a person by the same key: what is signed begins so that it is never taken for a head. */
  readonly signMessage: (bytes: Uint8Array) => Uint8Array;
  /** Proves to peers that this is the monitor that they know. */
  readonly boot: BootSigner;
  close(): void;
}

export const sha256: Sha256 = (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer'));

export const ed25519Verify: Ed25519Verify = (publicKey, message, signature) => {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: toBase64url(publicKey) }, format: 'jwk' });
  return verify(null, message, key, signature);
};

const KEY_SPACE = 'monitor/key';
const RECEIPT = 'receipt';
const BOOT = 'boot';
const dataKeyName = (id: number) => `data/${id}`;
const placeOf = (name: string) => utf8(`keepwatch/monitor-key/1/${name}`);

/**
 * Opens the journal in the data directory. Throws `storage_busy` where a monitor runs already,
 * `monitor_journal_missing` where there is none, `monitor_directory_unusable` where nothing can be written, other
 * `storage_…` codes for the file, `monitor_key_wrong` for keys that do not open, and the codes of a damaged journal.
 */
export async function openStore(dataDir: string, rootKey: Uint8Array): Promise<MonitorStore> {
  // SQLite would make an empty one.
  if (!existsSync(journalPath(dataDir))) throw journalMissing(dataDir);
  return storeIn(dataDir, rootKey, (sqlite) => {
    if (sqlite.count(KEY_SPACE) > 0) return;
    if (!sqlite.lastBatch()) throw journalMissing(dataDir);
    throw new CodedError('storage_corrupt', 'The keys of the journal are gone, and its entries are not.');
  });
}

/** Begins a journal, with keys of its own. Throws what {@link openStore} does, and `monitor_exists` where there is one. */
export async function beginStore(dataDir: string, rootKey: Uint8Array): Promise<MonitorStore> {
  return storeIn(dataDir, rootKey, (sqlite) => {
    if (sqlite.count(KEY_SPACE) > 0 || sqlite.lastBatch()) {
      throw new CodedError('monitor_exists', `There is the journal of a monitor in ${dataDir} already.`);
    }
    makeKeys(sqlite, rootKey);
  });
}

async function storeIn(
  dataDir: string,
  rootKey: Uint8Array,
  prepare: (sqlite: SqliteStore) => void,
): Promise<MonitorStore> {
  const sqlite = openIn(dataDir);
  try {
    prepare(sqlite);
    const keys = openKeys(sqlite, rootKey);
    const id = toBase64url(vaultId(sha256, keys.receiptPublicKey));
    const opened = await createJournal(
      { store: sqlite, sha256, signHead: keys.signHead, cipher: keys.cipher },
      { vault: id },
    );
    if (!opened.ok) throw journalError(opened.error);
    const { receiptPublicKey, boot, signHead: signMessage } = keys;
    const identity = toBase64url(keepIdentity(sha256, boot.publicKey, receiptPublicKey));
    const about = { id, identity, receiptPublicKey, boot, signMessage };
    return { journal: opened.value, ...about, close: () => sqlite.close() };
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

function openIn(dataDir: string): SqliteStore {
  try {
    return openSqliteStore({ path: journalPath(dataDir) });
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

/** A fault of the journal as an error: it names the entry and what is wrong with it. */
export function journalError(fault: JournalFault): CodedError {
  return new CodedError(fault.code, fault.message, { details: { seq: fault.seq } });
}

interface Keys {
  readonly boot: BootSigner;
  readonly receiptPublicKey: Uint8Array;
  readonly signHead: (bytes: Uint8Array) => Uint8Array;
  readonly cipher: EntryCipher;
}

function openKeys(sqlite: SqliteStore, rootKey: Uint8Array): Keys {
  const opened = new Map(
    sqlite.list(KEY_SPACE).map(({ key, value }): [string, Uint8Array] => {
      const plain = open(rootKey, placeOf(key), value);
      if (plain) return [key, plain];
      throw new CodedError('monitor_key_wrong', 'The keys in the journal were not made by this monitor.', {
        remedy: 'The files of two monitors were mixed: put the lock and the journal of one of them together again.',
      });
    }),
  );
  const secret = opened.get(RECEIPT);
  const first = opened.get(dataKeyName(1));
  if (!secret || !first) throw new CodedError('storage_corrupt', 'Keys of the journal are missing.');
  const receipt = createPrivateKey({ key: Buffer.from(secret), format: 'der', type: 'pkcs8' });
  const publicKey = publicKeyOf(receipt);
  const bootKey = opened.get(BOOT) ?? makeBootKey(sqlite, rootKey);
  const boot = createPrivateKey({ key: Buffer.from(bootKey), format: 'der', type: 'pkcs8' });
  const keyOf = (id: number) => opened.get(dataKeyName(id));
  const place = (id: number, at: Uint8Array) => concat(u32be(id), at);
  return {
    boot: { publicKey: publicKeyOf(boot), sign: (bytes) => new Uint8Array(sign(null, bytes, boot)) },
    receiptPublicKey: publicKey,
    signHead: (bytes) => new Uint8Array(sign(null, bytes, receipt)),
    cipher: {
      currentKey: () => 1,
      seal: (id, at, plaintext) => seal(keyOf(id)!, place(id, at), plaintext),
      open(id, at, sealed) {
        const key = keyOf(id);
        return key && open(key, place(id, at), sealed);
      },
    },
  };
}

const publicKeyOf = (key: KeyObject) => fromBase64url(createPublicKey(key).export({ format: 'jwk' }).x!)!;

/** Of a journal that was begun before monitors were reached over a network. */
function makeBootKey(sqlite: SqliteStore, rootKey: Uint8Array): Uint8Array {
  const made = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
  sqlite.commit([], [{ op: 'put', space: KEY_SPACE, key: BOOT, value: seal(rootKey, placeOf(BOOT), made) }]);
  return made;
}

function makeKeys(sqlite: SqliteStore, rootKey: Uint8Array): void {
  const receipt = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
  const put = (key: string, plain: Uint8Array): RecordWrite => {
    return { op: 'put', space: KEY_SPACE, key, value: seal(rootKey, placeOf(key), plain) };
  };
  sqlite.commit([], [put(RECEIPT, receipt), put(dataKeyName(1), randomBytes(32))]);
}
