import { argon2Sync, createECDH, createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BIP39_ENGLISH } from '../../../keep/src/secure/bip39-english.ts';
import { withReadable, withWritable } from '../../../keep/src/secure/access.ts';
import { openSecret, sealedUnder } from '../../../keep/src/secure/aead.ts';
import { createSecureMemory, type Slot } from '../../../keep/src/secure/index.ts';
import { placeOf, recordsOf, WRAPPED_SPACES, type KeyRecordReader } from '../../../keep/src/secure/key-records.ts';
import { openRoots, readWrappedRoots } from '../../../keep/src/secure/root-wraps.ts';
import type { Secret } from './needles.ts';

/** The secrets of a vault, made or recovered by the test itself, so that it knows what must not be found. */

export interface KnownSecrets {
  readonly password: string;
  readonly mnemonic: string;
  /** Path of the imported mnemonic's wallet. */
  readonly path: string;
  readonly importedKey: Uint8Array;
  /** All of them, and what follows from them. */
  readonly list: readonly Secret[];
}

const PATH = "m/44'/60'/0'/0/0";
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

export function makeSecrets(): KnownSecrets {
  const password = `${randomBytes(18).toString('base64url')} ${randomBytes(18).toString('base64url')}`;
  const importedKey = new Uint8Array(randomBytes(32));
  const entropy = randomBytes(16);
  const mnemonic = mnemonicOf(entropy);
  const seed = pbkdf2Sync(mnemonic, 'mnemonic', 2048, 64, 'sha512');
  return {
    password,
    mnemonic,
    path: PATH,
    importedKey,
    list: [
      { name: 'password', bytes: Buffer.from(password) },
      { name: 'mnemonic', bytes: Buffer.from(mnemonic) },
      { name: 'entropy of the mnemonic', bytes: entropy },
      { name: 'BIP-39 seed', bytes: seed },
      ...keysAlong(seed, PATH),
      { name: 'imported key', bytes: importedKey },
    ],
  };
}

/** BIP-39, "Generating the mnemonic", for 128 bits. */
function mnemonicOf(entropy: Uint8Array): string {
  const words = BIP39_ENGLISH.trim().split(/\s+/);
  const checksum = createHash('sha256').update(entropy).digest()[0]! >> 4;
  let bits = (BigInt(`0x${Buffer.from(entropy).toString('hex')}`) << 4n) | BigInt(checksum);
  const chosen: string[] = [];
  for (let i = 0; i < 12; i++, bits >>= 11n) chosen.unshift(words[Number(bits & 0x7ffn)]!);
  return chosen.join(' ');
}

/** The private key of every node from the master key down (BIP-32), by another way than the keep's. */
function keysAlong(seed: Uint8Array, path: string): Secret[] {
  const split = (digest: Buffer) => [digest.subarray(0, 32), digest.subarray(32)] as const;
  let [key, chainCode] = split(createHmac('sha512', 'Bitcoin seed').update(seed).digest());
  const secrets: Secret[] = [{ name: 'master key', bytes: key }];
  for (const step of path.split('/').slice(1)) {
    const hardened = step.endsWith("'");
    const index = Buffer.alloc(4);
    index.writeUInt32BE(Number.parseInt(step, 10) + (hardened ? 0x8000_0000 : 0));
    const data = hardened ? Buffer.concat([Buffer.alloc(1), key]) : publicKeyOf(key);
    const [left, right] = split(createHmac('sha512', chainCode).update(data).update(index).digest());
    const child = (toBigInt(left) + toBigInt(key)) % ORDER;
    key = Buffer.from(child.toString(16).padStart(64, '0'), 'hex');
    chainCode = right;
    secrets.push({ name: `key below the master, at ${step}`, bytes: key });
  }
  secrets.push({ name: 'leaf key', bytes: secrets.pop()!.bytes });
  return secrets;
}

const toBigInt = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

function publicKeyOf(key: Uint8Array): Buffer {
  const ecdh = createECDH('secp256k1');
  ecdh.setPrivateKey(key);
  return Buffer.from(ecdh.getPublicKey('hex', 'compressed'), 'hex');
}

/**
 * Opens a vault's data directory with its password, as a thief of both would: the user key, the root keys and whatever
 * they wrap. The keep may be running: a copy of its files is read.
 */
export async function recoverSecrets(keepDir: string, password: string): Promise<readonly Secret[]> {
  const dir = mkdtempSync(join(tmpdir(), 'keepwatch-recover-'));
  try {
    for (const name of ['vault.db', 'vault.db-wal']) {
      if (existsSync(join(keepDir, name))) copyFileSync(join(keepDir, name), join(dir, name));
    }
    const db = new DatabaseSync(join(dir, 'vault.db'));
    const secrets = await openAll(readerOf(db), password);
    db.close();
    return [...secrets, { name: 'boot key', bytes: new Uint8Array(readFileSync(join(keepDir, 'boot.key'))) }];
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function openAll(reader: KeyRecordReader, password: string): Promise<Secret[]> {
  const memory = createSecureMemory({ allowUnlockedMemory: true });
  const copy = (slot: Slot) => withReadable(slot, (bytes) => Uint8Array.from(bytes));
  const wrapped = (await readWrappedRoots(reader))!;
  const userKey = argon2id(password, wrapped.kdf);
  const userSlot = memory.alloc(userKey.length);
  withWritable(userSlot, (bytes) => bytes.set(userKey));
  const roots = openRoots(memory, userSlot, wrapped);
  if (!roots) throw new Error('the password does not open the data directory');
  const secrets: Secret[] = [{ name: 'user key', bytes: userKey }];
  for (const [id, root] of roots) secrets.push({ name: `root key ${id}`, bytes: copy(root) });
  for (const space of WRAPPED_SPACES) {
    for await (const { key, value } of recordsOf(reader, space)) {
      const { keyId } = sealedUnder(value)!;
      const slot = openSecret(memory, roots.get(keyId)!, { keyId, place: placeOf(space, key), sealed: value })!;
      secrets.push({ name: `${space} ${key}`, bytes: copy(slot) });
    }
  }
  return secrets;
}

/** The password's hash by OpenSSL, not by the library that the keep uses. */
function argon2id(password: string, kdf: { opsLimit: number; memLimitBytes: number; salt: Uint8Array }): Uint8Array {
  return new Uint8Array(
    argon2Sync('argon2id', {
      message: password,
      nonce: kdf.salt,
      parallelism: 1,
      tagLength: 32,
      memory: kdf.memLimitBytes / 1024,
      passes: kdf.opsLimit,
    }),
  );
}

function readerOf(db: DatabaseSync): KeyRecordReader {
  const one = db.prepare('SELECT value FROM record WHERE space = ? AND key = ?');
  const many = db.prepare('SELECT key, value FROM record WHERE space = ? AND key > ? ORDER BY key LIMIT ?');
  return {
    get: (space, key) => one.get(space, key)?.['value'] as Uint8Array | undefined,
    list: (space, { after = '', limit = 1_000 }) =>
      many.all(space, after, limit) as unknown as { key: string; value: Uint8Array }[],
  };
}
