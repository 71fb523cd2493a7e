import { concat, toHex, utf8 } from '@keepwatch/base';
import { beforeAll, describe, expect, it } from 'vitest';
import { sealedUnder } from './aead.ts';
import { ed25519PublicKey, ed25519SigningKey, ed25519Verify } from './ed25519.ts';
import { KDF_PRESETS } from './kdf.ts';
import { createKeyRing } from './key-ring.ts';
import { createSecureMemory } from './memory.ts';
import { reveal, secretOf } from './secrets.fixture.ts';
import type { Scheme } from './aead.ts';
import type { KeyRecordReader, KeyRecordWrite, KeySpace } from './key-records.ts';
import type { KeyRing } from './key-ring-types.ts';

const PARAMS = KDF_PRESETS.interactive;
const outside = createSecureMemory({ allowUnlockedMemory: true });
const password = (text = 'correct horse') => secretOf(outside, utf8(text));

/** A store in memory: what is committed is there, what is not is lost with the process. */
function createStore() {
  const records = new Map<string, Uint8Array>();
  const name = (space: string, key: string) => `${space}|${key}`;
  return {
    records,
    commit(writes: readonly KeyRecordWrite[]) {
      for (const write of writes) {
        if (write.op === 'put') records.set(name(write.space, write.key), write.value);
        else records.delete(name(write.space, write.key));
      }
    },
    reader: {
      get: (space, key) => records.get(name(space, key)),
      list: (space, { after, limit }) =>
        [...records]
          .map(([id, value]) => ({ space: id.split('|')[0]!, key: id.split('|')[1]!, value }))
          .filter((record) => record.space === space && (after === undefined || record.key > after))
          .sort((a, b) => (a.key < b.key ? -1 : 1))
          .slice(0, limit),
    } satisfies KeyRecordReader,
    get: (space: string, key: string) => records.get(name(space, key)),
    set: (space: string, key: string, value: Uint8Array) => records.set(name(space, key), value),
    copy() {
      const copied = createStore();
      for (const [id, value] of records) copied.records.set(id, value);
      return copied;
    },
  };
}
type Store = ReturnType<typeof createStore>;

function newRing(scheme?: Scheme): { ring: KeyRing; memory: ReturnType<typeof createSecureMemory> } {
  const memory = createSecureMemory({ allowUnlockedMemory: true });
  return { ring: createKeyRing({ memory }, scheme === undefined ? {} : { scheme }), memory };
}

async function unlock(store: Store, text?: string): Promise<KeyRing> {
  const { ring } = newRing();
  const unlocked = await ring.unlock(password(text), store.reader);
  if (!unlocked.ok) throw new Error(unlocked.error);
  store.commit(unlocked.value.writes);
  unlocked.value.adopt();
  return ring;
}

const WALLETS = 12;
const walletKey = (i: number) => new Uint8Array(32).fill(i + 1);
const SEED_TEXT = 'words of a mnemonic\npassphrase';

/** A vault with wallets, a seed, a journal entry and two data keys. */
async function createVault(scheme?: Scheme) {
  const store = createStore();
  const { ring, memory } = newRing(scheme);
  const receiptSeed = outside.allocRandom(32);
  store.commit(await ring.initialise(password(), PARAMS, receiptSeed));
  const receiptKey = ed25519PublicKey(ed25519SigningKey(outside, receiptSeed));
  for (let i = 0; i < WALLETS; i++) {
    store.commit([ring.putSecret('wallet-key', `wallet-${i}`, secretOf(memory, walletKey(i)))]);
  }
  store.commit([ring.putSecret('seed', 'main', secretOf(memory, utf8(SEED_TEXT)))]);
  const entry = ring.journalCipher.seal(1, utf8('journal/1'), utf8('first entry'));
  const second = ring.newDataKey();
  store.commit(second.writes);
  second.adopt();
  return { store, ring, memory, entry, receiptKey };
}

function records(store: Store, space: KeySpace) {
  return store.reader.list(space, { limit: 1000 });
}

/** That every secret is there and right. */
function expectWhole(ring: KeyRing, store: Store, vault: { entry: Uint8Array; receiptKey: Uint8Array }) {
  const wallets = records(store, 'wallet-key');
  expect(wallets).toHaveLength(WALLETS);
  ring.openSecrets('wallet-key', wallets).forEach((slot, i) => {
    expect(reveal(slot)).toEqual(walletKey(Number(wallets[i]!.key.split('-')[1])));
  });
  expect(reveal(ring.openSecret('seed', records(store, 'seed')[0]!))).toEqual(utf8(SEED_TEXT));
  expect(ring.journalCipher.open(1, utf8('journal/1'), vault.entry)).toEqual(utf8('first entry'));
  expect(ring.receiptPublicKey()).toEqual(vault.receiptKey);
}

const isCode = (code: string) => expect.objectContaining({ code });

describe('a vault', () => {
  let vault: Awaited<ReturnType<typeof createVault>>;
  beforeAll(async () => {
    vault = await createVault();
  });

  it('opens with its password, and has everything', async () => {
    const ring = await unlock(vault.store);
    expectWhole(ring, vault.store, vault);
    expect(ring.journalCipher.currentKey()).toBe(2);
    expect(ring.rootIds()).toEqual([1]);
    expect(await ring.pendingRewraps(vault.store.reader)).toBe(0);
  });

  it('does not open with another password, tells nothing more, and leaves nothing in memory', async () => {
    const { ring, memory } = newRing();
    for (const wrong of ['correct hors', 'correct horse ', 'Correct horse']) {
      expect(await ring.unlock(password(wrong), vault.store.reader)).toEqual({ ok: false, error: 'wrong_password' });
    }
    expect(ring.unlocked()).toBe(false);
    expect(memory.stats()).toMatchObject({ liveSlots: 0, openSlabs: 0 });
  });

  it('that was never initialised says so', async () => {
    const unlocked = await newRing().ring.unlock(password(), createStore().reader);
    expect(unlocked).toEqual({ ok: false, error: 'vault_uninitialised' });
  });

  it('gives nothing out while it is locked, and wipes every key when it is', async () => {
    const { ring, memory } = newRing();
    const sealed = () => expect.objectContaining({ code: 'vault_sealed' });
    expect(() => ring.receiptPublicKey()).toThrow(sealed());
    await ring.unlock(password(), vault.store.reader);
    const [slot] = ring.openSecrets('wallet-key', records(vault.store, 'wallet-key'));
    ring.lock();
    expect(memory.stats()).toMatchObject({ liveSlots: 0, openSlabs: 0 });
    expect(() => reveal(slot!)).toThrow(isCode('slot_freed'));
    expect(() => ring.signReceipt(utf8('head'))).toThrow(sealed());
    expect(() => ring.journalCipher.open(1, utf8('journal/1'), vault.entry)).toThrow(sealed());
    expect(() => ring.newDataKey()).toThrow(sealed());
    expect((await ring.unlock(password(), vault.store.reader)).ok).toBe(true);
  });

  it('signs receipts with the key that it announces', () => {
    const signature = vault.ring.signReceipt(utf8('head'));
    expect(ed25519Verify(vault.ring.receiptPublicKey(), utf8('head'), signature)).toBe(true);
  });

  it('knows its password', async () => {
    const { memory, ring, store } = vault;
    const live = memory.stats().liveSlots;
    expect(await ring.verifyPassword(password(), store.reader)).toEqual({ ok: true, value: undefined });
    expect(await ring.verifyPassword(password('x'), store.reader)).toEqual({ ok: false, error: 'wrong_password' });
    expect(memory.stats().liveSlots).toBe(live);
  });

  it('stays locked when it is locked while it opens', async () => {
    const { ring, memory } = newRing();
    const opening = ring.unlock(password(), vault.store.reader);
    await new Promise((resolve) => setTimeout(resolve, 5));
    ring.lock();
    expect(await opening).toEqual({ ok: false, error: 'vault_busy' });
    expect(ring.unlocked()).toBe(false);
    expect(memory.stats()).toMatchObject({ liveSlots: 0, openSlabs: 0 });
  });

  it('is neither initialised nor unlocked twice', async () => {
    await expect(vault.ring.initialise(password(), PARAMS, password())).rejects.toMatchObject({
      code: 'vault_unsealed',
    });
    await expect(vault.ring.unlock(password(), vault.store.reader)).rejects.toMatchObject({ code: 'vault_unsealed' });
    const { ring } = newRing();
    const results = await Promise.all([1, 2].map(() => ring.unlock(password(), vault.store.reader)));
    expect(results.map((result) => (result.ok ? 'ok' : result.error)).sort()).toEqual(['ok', 'vault_busy']);
  });
});

describe('records that were tampered with', () => {
  let vault: Awaited<ReturnType<typeof createVault>>;
  beforeAll(async () => {
    vault = await createVault();
  });

  const damage = (space: string, key: string) =>
    expect.objectContaining({ code: 'key_record_damaged', details: { space, key } });

  it('are named: an altered data key, receipt key or wallet key', async () => {
    for (const [space, key] of [
      ['data-key', '2'],
      ['receipt-key', '1'],
    ] as const) {
      const store = vault.store.copy();
      const altered = store.get(space, key)!.slice();
      altered[altered.length - 1]! ^= 1;
      store.set(space, key, altered);
      const { ring, memory } = newRing();
      await expect(ring.unlock(password(), store.reader)).rejects.toEqual(damage(space, key));
      expect(ring.unlocked()).toBe(false);
      expect(memory.stats().liveSlots).toBe(0);
    }
    const wallets = records(vault.store, 'wallet-key').map((record) => ({ ...record, value: record.value.slice() }));
    wallets[3]!.value[40]! ^= 1;
    const live = vault.memory.stats().liveSlots;
    expect(() => vault.ring.openSecrets('wallet-key', wallets)).toThrow(damage('wallet-key', wallets[3]!.key));
    expect(vault.memory.stats().liveSlots).toBe(live);
  });

  it('are named when one stands in the place of another', () => {
    const [first, second] = records(vault.store, 'wallet-key');
    const swapped = { key: first!.key, value: second!.value };
    expect(() => vault.ring.openSecret('wallet-key', swapped)).toThrow(damage('wallet-key', first!.key));
    expect(() => vault.ring.openSecret('seed', first!)).toThrow(damage('seed', first!.key));
  });

  it('never make a password hash run with parameters out of bounds', async () => {
    const store = vault.store.copy();
    const kdf = store.get('root', 'kdf')!.slice();
    new DataView(kdf.buffer).setBigUint64(9, 1n << 45n);
    store.set('root', 'kdf', kdf);
    await expect(newRing().ring.unlock(password(), store.reader)).rejects.toMatchObject({ code: 'kdf_params_refused' });
  });

  it.each([
    ['no parameters', (store: Store) => store.commit([{ op: 'delete', space: 'root', key: 'kdf' }])],
    ['cut parameters', (store: Store) => store.set('root', 'kdf', store.get('root', 'kdf')!.slice(1))],
    ['no root key', (store: Store) => store.commit([{ op: 'delete', space: 'root', key: '1' }])],
    ['a root key without a number', (store: Store) => store.set('root', 'x', store.get('root', '1')!)],
    ['a second root key that does not open', (store: Store) => store.set('root', '2', store.get('root', '1')!)],
    [
      'no data key',
      (store: Store) => ['1', '2'].forEach((key) => store.commit([{ op: 'delete', space: 'data-key', key }])),
    ],
    ['no receipt key', (store: Store) => store.commit([{ op: 'delete', space: 'receipt-key', key: '1' }])],
  ])('fail to open: %s', async (_, tamper) => {
    const store = vault.store.copy();
    tamper(store);
    await expect(newRing().ring.unlock(password(), store.reader)).rejects.toMatchObject({ code: 'key_record_damaged' });
  });
});

describe('changing the password', () => {
  it('wraps the root key alone anew; the old password is over', async () => {
    const vault = await createVault();
    const before = new Map(vault.store.records);
    const changed = await vault.ring.changePassword(password(), password('next'), vault.store.reader);
    if (!changed.ok) throw new Error(changed.error);
    vault.store.commit(changed.value.writes);
    changed.value.adopt();
    const rewritten = [...vault.store.records].filter(([id, value]) => before.get(id) !== value).map(([id]) => id);
    expect(rewritten.sort()).toEqual(['root|1', 'root|kdf']);
    expect(await newRing().ring.unlock(password(), vault.store.reader)).toEqual({ ok: false, error: 'wrong_password' });
    expectWhole(await unlock(vault.store, 'next'), vault.store, vault);
  });

  it('needs the old one', async () => {
    const { ring, store, memory } = await createVault();
    const live = memory.stats().liveSlots;
    const changed = await ring.changePassword(password('x'), password('next'), store.reader);
    expect(changed).toEqual({ ok: false, error: 'wrong_password' });
    expect(memory.stats().liveSlots).toBe(live);
  });

  it('can make the hash costlier', async () => {
    const vault = await createVault();
    const params = { opsLimit: 3, memLimitBytes: PARAMS.memLimitBytes };
    const changed = await vault.ring.changePassword(password(), password(), vault.store.reader, params);
    if (changed.ok) vault.store.commit(changed.value.writes);
    expect(new DataView(vault.store.get('root', 'kdf')!.buffer).getUint32(5)).toBe(3);
    expectWhole(await unlock(vault.store), vault.store, vault);
  });

  it('and rotating the root key never run beside one another', async () => {
    const { ring, store } = await createVault();
    const rotating = ring.rotateRoot(password(), store.reader);
    const busy = { ok: false, error: 'vault_busy' };
    expect(await ring.changePassword(password(), password('next'), store.reader)).toEqual(busy);
    const rotated = await rotating;
    expect(await ring.changePassword(password(), password('next'), store.reader)).toEqual(busy);
    if (rotated.ok) rotated.value.discard();
    expect((await ring.changePassword(password(), password('next'), store.reader)).ok).toBe(true);
  });
});

describe('data keys', () => {
  it('are in force from their adoption on; a discarded one never is', async () => {
    const { ring, store, memory } = await createVault();
    const live = memory.stats().liveSlots;
    ring.newDataKey().discard();
    expect(memory.stats().liveSlots).toBe(live);
    expect(ring.journalCipher.currentKey()).toBe(2);
    const third = ring.newDataKey();
    expect(ring.journalCipher.currentKey()).toBe(2);
    store.commit(third.writes);
    expect(third.adopt()).toEqual({ keyId: 3 });
    const sealed = ring.journalCipher.seal(3, utf8('journal/9'), utf8('entry'));
    const again = await unlock(store);
    expect(again.journalCipher.currentKey()).toBe(3);
    expect(again.journalCipher.open(3, utf8('journal/9'), sealed)).toEqual(utf8('entry'));
    expect(again.journalCipher.open(2, utf8('journal/9'), sealed)).toBeUndefined();
    expect(again.journalCipher.open(3, utf8('journal/8'), sealed)).toBeUndefined();
    expect(again.journalCipher.open(99, utf8('journal/9'), sealed)).toBeUndefined();
    expect(() => again.journalCipher.seal(99, utf8('journal/9'), sealed)).toThrow(RangeError);
  });

  it('staged before a lock change nothing after it', async () => {
    const { ring, store } = await createVault();
    const third = ring.newDataKey();
    ring.lock();
    await ring.unlock(password(), store.reader);
    third.adopt();
    third.discard();
    expect(ring.journalCipher.currentKey()).toBe(2);
  });
});

/** Carries out what is left, committing after each step; dies by throwing before step `dieAt`. */
async function finish(ring: KeyRing, store: Store, limit: number, dieAt = Number.POSITIVE_INFINITY): Promise<number> {
  let steps = 0;
  const commit = (writes: readonly KeyRecordWrite[]) => {
    if (steps++ >= dieAt) throw new Error('killed');
    store.commit(writes);
  };
  for (;;) {
    const { writes, done } = await ring.rewrapChunk(store.reader, limit);
    expect(writes.length).toBeLessThanOrEqual(limit);
    if (writes.length > 0) commit(writes);
    if (done) break;
  }
  const finished = await ring.finishRotation(store.reader);
  if (!finished.ok) throw new Error(finished.error);
  commit(finished.value.writes);
  finished.value.adopt();
  return steps;
}

const headsOf = (store: Store) =>
  [...store.records].filter(([id]) => !id.startsWith('root|')).map(([, value]) => sealedUnder(value)!);

describe('rotating the root key', () => {
  it('re-encrypts everything under the new one and drops the old one', async () => {
    const vault = await createVault();
    const rotated = await vault.ring.rotateRoot(password(), vault.store.reader);
    if (!rotated.ok) throw new Error(rotated.error);
    vault.store.commit(rotated.value.writes);
    expect(rotated.value.adopt()).toEqual({ rootId: 2 });
    expect(vault.ring.rootIds()).toEqual([1, 2]);
    expect(await vault.ring.pendingRewraps(vault.store.reader)).toBe(WALLETS + 4);
    expect(await vault.ring.finishRotation(vault.store.reader)).toEqual({ ok: false, error: 'rotation_unfinished' });
    const again = await vault.ring.rotateRoot(password(), vault.store.reader);
    expect(again).toEqual({ ok: false, error: 'rotation_unfinished' });

    await finish(vault.ring, vault.store, 5);
    expect(vault.ring.rootIds()).toEqual([2]);
    expect(headsOf(vault.store).every(({ keyId }) => keyId === 2)).toBe(true);
    expect(vault.store.get('root', '1')).toBeUndefined();
    expectWhole(vault.ring, vault.store, vault);
    expectWhole(await unlock(vault.store), vault.store, vault);
  });

  it('is finished by the next start, wherever it was killed', async () => {
    const vault = await createVault();
    const rotated = await vault.ring.rotateRoot(password(), vault.store.reader);
    if (!rotated.ok) throw new Error(rotated.error);
    vault.store.commit(rotated.value.writes);
    const limit = 4;
    const steps = await finish(await unlock(vault.store), vault.store.copy(), limit);
    expect(steps).toBe(5);
    for (let dieAt = 0; dieAt < steps; dieAt++) {
      const store = vault.store.copy();
      await expect(finish(await unlock(store), store, limit, dieAt)).rejects.toThrow('killed');
      const resumed = await unlock(store);
      expectWhole(resumed, store, vault);
      expect(await resumed.pendingRewraps(store.reader)).toBe(WALLETS + 4 - Math.min(dieAt * limit, WALLETS + 4));
      await finish(resumed, store, limit);
      expect(store.get('root', '1')).toBeUndefined();
      expectWhole(await unlock(store), store, vault);
    }
  });

  it('that was not committed has not happened', async () => {
    const { ring, store, memory } = await createVault();
    const live = memory.stats().liveSlots;
    const rotated = await ring.rotateRoot(password(), store.reader);
    if (rotated.ok) rotated.value.discard();
    expect(memory.stats().liveSlots).toBe(live);
    expect(ring.rootIds()).toEqual([1]);
    const write = ring.putSecret('seed', 'x', password());
    expect(write.op === 'put' && sealedUnder(write.value)).toEqual({ scheme: 2, keyId: 1 });
  });

  it('needs the password', async () => {
    const { ring, store } = await createVault();
    expect(await ring.rotateRoot(password('x'), store.reader)).toEqual({ ok: false, error: 'wrong_password' });
    expect(ring.rootIds()).toEqual([1]);
  });

  it('survives a change of the password half-way: both root keys are wrapped anew', async () => {
    const vault = await createVault();
    const rotated = await vault.ring.rotateRoot(password(), vault.store.reader);
    if (!rotated.ok) throw new Error(rotated.error);
    vault.store.commit(rotated.value.writes);
    rotated.value.adopt();
    vault.store.commit((await vault.ring.rewrapChunk(vault.store.reader, 3)).writes);
    const changed = await vault.ring.changePassword(password(), password('next'), vault.store.reader);
    if (!changed.ok) throw new Error(changed.error);
    vault.store.commit(changed.value.writes);
    const ring = await unlock(vault.store, 'next');
    expect(ring.rootIds()).toEqual([1, 2]);
    expectWhole(ring, vault.store, vault);
    await finish(ring, vault.store, 100);
    expectWhole(await unlock(vault.store, 'next'), vault.store, vault);
  });
});

describe('a vault of scheme 1', () => {
  it('is brought to scheme 2 after it is unsealed, and may be killed at any step', async () => {
    const vault = await createVault(1);
    expect([...vault.store.records].filter(([id]) => !id.endsWith('kdf')).every(([, value]) => value[0] === 1)).toBe(
      true,
    );
    const limit = 6;
    const steps = await finish(await unlock(vault.store.copy()), vault.store.copy(), limit);
    expect(steps).toBe(4);
    for (let dieAt = 0; dieAt < steps; dieAt++) {
      const store = vault.store.copy();
      const ring = await unlock(store);
      expect(store.get('root', '1')![0]).toBe(2);
      expectWhole(ring, store, vault);
      await expect(finish(ring, store, limit, dieAt)).rejects.toThrow('killed');
      const resumed = await unlock(store);
      expectWhole(resumed, store, vault);
      await finish(resumed, store, limit);
      expect(headsOf(store).every(({ scheme, keyId }) => scheme === 2 && keyId === 1)).toBe(true);
      expectWhole(await unlock(store), store, vault);
    }
  });

  it('seals anew what is put into it, and rewraps single records', async () => {
    const vault = await createVault(1);
    const ring = await unlock(vault.store);
    const [record] = records(vault.store, 'wallet-key');
    expect(ring.isBehind(record!.value)).toBe(true);
    const write = ring.rewrap('wallet-key', record!.key, record!.value);
    if (write?.op !== 'put') throw new Error('no write');
    expect(sealedUnder(write.value)).toEqual({ scheme: 2, keyId: 1 });
    expect(reveal(ring.openSecret('wallet-key', write))).toEqual(walletKey(0));
    expect(ring.rewrap('wallet-key', write.key, write.value)).toBeUndefined();
  });
});

describe('what is stored', () => {
  it('holds no secret', async () => {
    const vault = await createVault();
    const [key] = vault.ring.openSecrets('wallet-key', records(vault.store, 'wallet-key'));
    const all = toHex(concat(...vault.store.records.values()));
    expect(all).not.toContain(toHex(reveal(key!)));
    expect(all).not.toContain(toHex(utf8('words of a mnemonic')));
  });
});
