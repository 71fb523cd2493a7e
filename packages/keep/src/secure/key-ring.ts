import { CodedError, err, ok, utf8 } from '@keepwatch/base';
import { CURRENT_SCHEME, openBytes, openSecrets, sealBytes, sealSecret, sealedUnder } from './aead.ts';
import { ed25519PublicKey, ed25519Sign, ed25519SigningKey } from './ed25519.ts';
import { deriveUserKey, KDF_SALT_BYTES } from './kdf.ts';
import { damaged, encodeKdfRecord, KDF_KEY, numberedKey, placeOf } from './key-records.ts';
import { RECEIPT_KEY_ID, recordsOf, ROOT_SPACE } from './key-records.ts';
import { randomBytes } from './random.ts';
import { countBehind, createRewrapper } from './rewrap.ts';
import { openRoots, readWrappedRoots, upgradeRoots, wrapRoot } from './root-wraps.ts';
import { createStager } from './staging.ts';
import type { KdfParams } from './kdf.ts';
import type { KdfRecord, KeyRecord, KeyRecordReader, KeyRecordWrite, KeySpace } from './key-records.ts';
import type { KeyRing, KeyRingDeps, KeyRingOptions } from './key-ring-types.ts';
import type { Slot } from './memory.ts';
import type { Roots, WrappedRoots } from './root-wraps.ts';

/** What an unlocked ring holds. Every slot lies in the ring's own memory. */
interface Unlocked {
  readonly roots: Roots;
  rootId: number;
  readonly dataKeys: Map<number, Slot>;
  dataKeyId: number;
  /** Ed25519 signing key, 64 bytes. */
  readonly receiptKey: Slot;
}

/** A change that concerns the store alone. */
const NOTHING = { value: undefined, adopt() {}, discard() {} };

const ROOT_KEY_BYTES = 32;
const DATA_KEY_BYTES = 32;

export function createKeyRing({ memory }: KeyRingDeps, options: KeyRingOptions = {}): KeyRing {
  const scheme = options.scheme ?? CURRENT_SCHEME;
  let unlocked: Unlocked | undefined;
  const stager = createStager(keys);

  function keys(): Unlocked {
    if (unlocked !== undefined) return unlocked;
    throw new CodedError('vault_sealed', 'the vault is sealed', { remedy: 'An operator unseals it.' });
  }

  function lock(): void {
    stager.reset();
    unlocked = undefined;
    memory.wipeAll();
  }

  function requireLocked(): void {
    if (unlocked !== undefined) throw new CodedError('vault_unsealed', 'the vault is unsealed already');
  }

  /**
   * Lends the user key to `use` and wipes it. Between the hash and the end of `use` nothing else runs. Undefined, without
   * calling `use`, where the ring was locked meanwhile.
   */
  async function withUserKey<T>(password: Slot, kdf: KdfRecord, use: (userKey: Slot) => T): Promise<T | undefined> {
    const begun = stager.session();
    const userKey = await deriveUserKey(memory, password, kdf.salt, kdf);
    if (stager.session() !== begun) return undefined;
    try {
      return use(userKey);
    } finally {
      // Locking wipes the user key with all the rest.
      if (stager.session() === begun) memory.free(userKey);
    }
  }

  /** Whether the user key opens the root keys; only that. */
  function opensRoots(userKey: Slot, wrapped: WrappedRoots): boolean {
    const roots = openRoots(memory, userKey, wrapped);
    for (const root of roots?.values() ?? []) memory.free(root);
    return roots !== undefined;
  }

  async function requireWrapped(reader: KeyRecordReader): Promise<WrappedRoots> {
    const wrapped = await readWrappedRoots(reader);
    if (wrapped === undefined) throw damaged(ROOT_SPACE, KDF_KEY);
    return wrapped;
  }

  function putSecret(space: KeySpace, key: string, secret: Slot): KeyRecordWrite {
    const { roots, rootId } = keys();
    const value = sealSecret(roots.get(rootId)!, rootId, utf8(placeOf(space, key)), secret, scheme);
    return { op: 'put', space, key, value };
  }

  function openAll(roots: Roots, space: KeySpace, records: readonly KeyRecord[]): Slot[] {
    const slots = new Array<Slot | undefined>(records.length).fill(undefined);
    const sealed = records.map(({ key, value }) => {
      return { keyId: sealedUnder(value)?.keyId ?? 0, place: placeOf(space, key), sealed: value };
    });
    for (const rootId of new Set(sealed.map(({ keyId }) => keyId))) {
      const root = roots.get(rootId);
      if (root === undefined) continue;
      const indexes = sealed.flatMap(({ keyId }, i) => (keyId === rootId ? [i] : []));
      const opened = openSecrets(
        memory,
        root,
        indexes.length === sealed.length ? sealed : indexes.map((i) => sealed[i]!),
      );
      for (const [at, i] of indexes.entries()) slots[i] = opened[at];
    }
    const missing = slots.findIndex((slot) => slot === undefined);
    if (missing < 0) return slots as Slot[];
    for (const slot of slots) if (slot !== undefined) memory.free(slot);
    throw damaged(space, records[missing]!.key);
  }

  function openRing(roots: Roots, dataKeys: readonly KeyRecord[], receiptKeys: readonly KeyRecord[]): Unlocked {
    if (dataKeys.length === 0) throw damaged('data-key', '1');
    if (receiptKeys.length !== 1) throw damaged('receipt-key', RECEIPT_KEY_ID);
    const dataKeyIds = dataKeys.map(({ key }) => numberedKey('data-key', key));
    const dataSlots = openAll(roots, 'data-key', dataKeys);
    const seed = openAll(roots, 'receipt-key', receiptKeys)[0]!;
    const receiptKey = ed25519SigningKey(memory, seed);
    memory.free(seed);
    return {
      roots,
      rootId: Math.max(...roots.keys()),
      dataKeys: new Map(dataKeyIds.map((id, i) => [id, dataSlots[i]!])),
      dataKeyId: Math.max(...dataKeyIds),
      receiptKey,
    };
  }

  function isBehind(value: Uint8Array): boolean {
    const under = sealedUnder(value);
    return under === undefined || under.scheme < scheme || under.keyId !== keys().rootId;
  }

  function rewrapAll(space: KeySpace, records: readonly KeyRecord[]): KeyRecordWrite[] {
    const slots = openAll(keys().roots, space, records);
    const writes = records.map(({ key }, i) => putSecret(space, key, slots[i]!));
    for (const slot of slots) memory.free(slot);
    return writes;
  }

  const rewrapper = createRewrapper(isBehind, rewrapAll);

  return {
    unlocked: () => unlocked !== undefined,
    lock,
    putSecret,
    isBehind,

    async initialise(password, params, receiptSeed) {
      requireLocked();
      const kdf = newKdf(params, 1);
      const made = await withUserKey(password, kdf, (userKey) => {
        requireLocked();
        const root = memory.allocRandom(ROOT_KEY_BYTES);
        const dataKey = memory.allocRandom(DATA_KEY_BYTES);
        unlocked = {
          roots: new Map([[1, root]]),
          rootId: 1,
          dataKeys: new Map([[1, dataKey]]),
          dataKeyId: 1,
          receiptKey: ed25519SigningKey(memory, receiptSeed),
        };
        return [
          putKdf(kdf),
          wrapRoot(userKey, kdf.generation, 1, root, scheme),
          putSecret('data-key', '1', dataKey),
          putSecret('receipt-key', RECEIPT_KEY_ID, receiptSeed),
        ];
      });
      if (made !== undefined) return made;
      throw new CodedError('vault_busy', 'the vault was locked or unlocked while it was being initialised');
    },

    async unlock(password, reader) {
      requireLocked();
      const wrapped = await readWrappedRoots(reader);
      if (wrapped === undefined) return err('vault_uninitialised');
      const dataKeys = await collect(reader, 'data-key');
      const receiptKeys = await collect(reader, 'receipt-key');
      return stager.alone(() =>
        withUserKey(password, wrapped.kdf, (userKey) => {
          if (unlocked !== undefined) return err('vault_busy');
          const roots = openRoots(memory, userKey, wrapped);
          if (roots === undefined) return err('wrong_password');
          try {
            unlocked = openRing(roots, dataKeys, receiptKeys);
            return ok({ ...NOTHING, writes: upgradeRoots(userKey, wrapped, roots, scheme) });
          } catch (error) {
            lock();
            throw error;
          }
        }),
      );
    },

    async verifyPassword(password, reader) {
      const wrapped = await requireWrapped(reader);
      const verified = await withUserKey(password, wrapped.kdf, (userKey) => opensRoots(userKey, wrapped));
      if (verified === undefined) return err('vault_busy');
      return verified ? ok(undefined) : err('wrong_password');
    },

    changePassword: (old, next, reader, params) =>
      stager.alone(async () => {
        keys();
        const wrapped = await requireWrapped(reader);
        const verified = await withUserKey(old, wrapped.kdf, (userKey) => opensRoots(userKey, wrapped));
        if (!verified) return verified === undefined ? undefined : err('wrong_password');
        const kdf = newKdf(params ?? wrapped.kdf, wrapped.kdf.generation + 1);
        return withUserKey(next, kdf, (userKey) => {
          const wraps = [...keys().roots].map(([id, root]) => wrapRoot(userKey, kdf.generation, id, root, scheme));
          return ok({ ...NOTHING, writes: [putKdf(kdf), ...wraps] });
        });
      }),

    rotateRoot: (password, reader) =>
      stager.alone(async () => {
        if (keys().roots.size > 1) return err('rotation_unfinished');
        const wrapped = await requireWrapped(reader);
        return withUserKey(password, wrapped.kdf, (userKey) => {
          if (!opensRoots(userKey, wrapped)) return err('wrong_password');
          const rootId = keys().rootId + 1;
          const root = memory.allocRandom(ROOT_KEY_BYTES);
          return ok({
            value: { rootId },
            writes: [wrapRoot(userKey, wrapped.kdf.generation, rootId, root, scheme)],
            adopt(ring: Unlocked) {
              ring.roots.set(rootId, root);
              ring.rootId = rootId;
            },
            discard: () => memory.free(root),
          });
        });
      }),

    rewrap(space, key, value) {
      return isBehind(value) ? rewrapAll(space, [{ key, value }])[0] : undefined;
    },

    pendingRewraps: (reader) => countBehind(reader, isBehind),

    rewrapChunk: (reader, limit) => rewrapper.next(reader, limit),

    finishRotation: (reader) =>
      stager.alone(async () => {
        if ((await countBehind(reader, isBehind)) > 0) return err('rotation_unfinished');
        const { roots, rootId } = keys();
        const older = [...roots.keys()].filter((id) => id !== rootId);
        return ok({
          value: undefined,
          writes: older.map((id): KeyRecordWrite => ({ op: 'delete', space: ROOT_SPACE, key: String(id) })),
          adopt(ring: Unlocked) {
            for (const id of older) {
              memory.free(ring.roots.get(id)!);
              ring.roots.delete(id);
            }
          },
          discard() {},
        });
      }),

    rootIds: () => [...keys().roots.keys()].sort((a, b) => a - b),

    newDataKey() {
      const keyId = keys().dataKeyId + 1;
      const key = memory.allocRandom(DATA_KEY_BYTES);
      return stager.stage({
        value: { keyId },
        writes: [putSecret('data-key', String(keyId), key)],
        adopt(ring) {
          ring.dataKeys.set(keyId, key);
          ring.dataKeyId = keyId;
        },
        discard: () => memory.free(key),
      });
    },

    journalCipher: {
      currentKey: () => keys().dataKeyId,
      seal(keyId, place, plaintext) {
        const key = keys().dataKeys.get(keyId);
        if (key === undefined) throw new RangeError(`there is no data key ${keyId}`);
        return sealBytes(key, keyId, place, plaintext, scheme);
      },
      open(keyId, place, sealed) {
        const key = keys().dataKeys.get(keyId);
        return key && openBytes(key, keyId, place, sealed);
      },
    },

    openSecret: (space, record) => openAll(keys().roots, space, [record])[0]!,
    openSecrets: (space, records) => openAll(keys().roots, space, records),

    receiptPublicKey: () => ed25519PublicKey(keys().receiptKey),
    signReceipt: (message) => ed25519Sign(keys().receiptKey, message),
  };
}

function newKdf({ opsLimit, memLimitBytes }: KdfParams, generation: number): KdfRecord {
  return { generation, opsLimit, memLimitBytes, salt: randomBytes(KDF_SALT_BYTES) };
}

function putKdf(kdf: KdfRecord): KeyRecordWrite {
  return { op: 'put', space: ROOT_SPACE, key: KDF_KEY, value: encodeKdfRecord(kdf) };
}

async function collect(reader: KeyRecordReader, space: KeySpace): Promise<KeyRecord[]> {
  const records: KeyRecord[] = [];
  for await (const record of recordsOf(reader, space)) records.push(record);
  return records;
}
