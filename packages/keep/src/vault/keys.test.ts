import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError, concat, fromBase64url, toBase64url } from '@keepwatch/base';
import { encodeHeader, encodeItem, frame, piecePlace } from '../backup/format.ts';
import { verifyJournal } from '../methods/journal.ts';
import { deriveUserKey, KDF_PRESETS, sealBytes, sealedUnder, sealSecret } from '../secure/index.ts';
import { BACKUP_KEY_ID, BACKUP_KEY_PLACE, dropBackup, readBackup } from './backup.ts';
import type { KeepStore } from './context.ts';
import { openEntry } from './lifecycle.ts';
import { dropUpload, writeBackupPiece } from './restore.ts';
import type { makeVault } from './test-vault.fixture.ts';
import { createVaults, makePeer, memoryStore, PASSWORD, signParams, type TestVault } from './test-vault.fixture.ts';
import { admit, statusOf } from './vault.ts';

const { newVault, removeAll } = createVaults();
afterEach(removeAll);

const code = (expected: string) => expect.objectContaining({ code: expected });
const SPACES = ['root', 'data-key', 'receipt-key', 'seed', 'wallet-key'];

function records(store: KeepStore, space: string) {
  return [...(store.list(space) as readonly { key: string; value: Uint8Array }[])];
}

/** Scheme and root key of every secret in the store. */
function sealings(store: KeepStore) {
  return SPACES.slice(1).flatMap((space) => records(store, space).map(({ value }) => sealedUnder(value)));
}

async function signer(options: Parameters<typeof makeVault>[0] = {}) {
  const v = await newVault(options);
  await v.init();
  const client = await v.client();
  const { wallet } = await v.wallet();
  await v.command('wallet.create', { kind: 'mnemonic', name: 'words', words: 12 });
  await v.grant(client, wallet);
  return { v, client, wallet };
}

describe('passwords and root keys', () => {
  it('changes the password by wrapping the root key anew, and nothing else', async () => {
    const { v } = await signer();
    const before = SPACES.slice(1).map((space) => records(v.store, space));
    const old = v.seal('vault.password.old', PASSWORD);
    await v.command('vault.password', { old, next: v.seal('vault.password.next', 'another one') });
    expect(SPACES.slice(1).map((space) => records(v.store, space))).toEqual(before);
    await v.command('vault.seal', {});
    await expect(v.unseal(PASSWORD)).rejects.toEqual(code('wrong_password'));
    await v.unseal('another one');
    expect((await verifyJournal(v.vault)).foldMatches).toBe(true);
  });

  it('refuses a new password for a wrong old one', async () => {
    const { v } = await signer();
    const old = v.seal('vault.password.old', 'wrong');
    const next = v.seal('vault.password.next', 'another one');
    await expect(v.command('vault.password', { old, next })).rejects.toEqual(code('wrong_password'));
    await v.command('vault.seal', {});
    await v.unseal(PASSWORD);
  });

  it('rotates the root key under the same password, and the journal’s chain does not notice', async () => {
    const { v, client, wallet } = await signer();
    const params = signParams(wallet, v.clock, {});
    const first = await v.signing.transaction(client.session, params);
    await v.command('vault.rotate-root', { password: v.seal('vault.rotate-root', PASSWORD) });
    expect(new Set(sealings(v.store).map((under) => under?.keyId))).toEqual(new Set([2]));
    expect(await v.signing.transaction(client.session, params)).toEqual(first);
    await v.command('vault.seal', {});
    await v.unseal();
    expect(await v.signing.transaction(client.session, params)).toEqual(first);
    expect((await verifyJournal(v.vault)).foldMatches).toBe(true);
  });

  it('finishes a rotation that a full disk interrupted, before it begins another', async () => {
    const inner = memoryStore();
    let full = false;
    const store: KeepStore = {
      ...inner,
      commit(batches, writes) {
        if (full && writes.some(({ space }) => space === 'wallet-key')) throw new CodedError('storage_full', 'full');
        return inner.commit(batches, writes);
      },
    };
    const { v, client, wallet } = await signer({ store });
    const rotate = () => v.command('vault.rotate-root', { password: v.seal('vault.rotate-root', PASSWORD) });
    full = true;
    await expect(rotate()).rejects.toEqual(code('storage_full'));
    await expect(rotate()).rejects.toEqual(code('storage_full'));
    full = false;
    v.clock.pass(3_600_000);
    await rotate();
    expect(new Set(sealings(store).map((under) => under?.keyId))).toEqual(new Set([3]));
    await expect(v.sign(client, wallet)).resolves.toBeDefined();
  });

  it('brings an older scheme up to date at the unseal, also after being killed between two chunks', async () => {
    const inner = memoryStore();
    let commits = Infinity;
    const store: KeepStore = {
      ...inner,
      commit(batches, writes) {
        if (batches.length === 0 && writes.some(({ space }) => space === 'wallet-key') && --commits < 0) {
          throw new Error('killed');
        }
        return inner.commit(batches, writes);
      },
    };
    const v = await newVault({ store, scheme: 1 });
    await v.init();
    for (let i = 0; i < 10; i++) await v.command('wallet.create', { kind: 'random', name: `many ${i}`, count: 100 });
    expect(new Set(sealings(store).map((under) => under?.scheme))).toEqual(new Set([1]));
    commits = 1;
    const killed = await v.reopen({ store, scheme: 2 });
    await expect(killed.unseal()).rejects.toThrow('killed');
    expect(new Set(sealings(store).map((under) => under?.scheme))).toEqual(new Set([1, 2]));
    commits = Infinity;
    const again = await v.reopen({ store, scheme: 2 });
    again.clock.pass(3_600_000);
    await again.unseal();
    expect(new Set(sealings(store).map((under) => under?.scheme))).toEqual(new Set([2]));
    const client = await again.client();
    const [wallet] = again.vault.unsealed!.state.wallets.keys();
    await again.grant(client, wallet!);
    await expect(again.sign(client, wallet!)).resolves.toBeDefined();
  });
});

describe('backup and restore', () => {
  async function backUp(v: TestVault, password = PASSWORD): Promise<Uint8Array> {
    await v.command('vault.backup', { password: v.seal('vault.backup', password) });
    const pieces: Uint8Array[] = [];
    let offset = 0;
    for (;;) {
      const { bytes, total } = readBackup(v.operator.session, { offset });
      const piece = fromBase64url(bytes)!;
      pieces.push(piece);
      offset += piece.length;
      if (offset >= total) return Buffer.concat(pieces);
    }
  }

  async function upload(v: TestVault, backup: Uint8Array) {
    for (let offset = 0; offset < backup.length; offset += 50_000) {
      const bytes = toBase64url(backup.subarray(offset, offset + 50_000));
      writeBackupPiece(v.vault, v.operator.session, { offset, total: backup.length, bytes });
    }
  }

  const restore = (v: TestVault, password = PASSWORD) =>
    v.command('vault.restore', { password: v.seal('vault.restore', password), time: v.clock.now().wallMs });

  it('restores everything in a new epoch, with signing frozen and budgets spent until an operator resumes', async () => {
    const { v, client, wallet } = await signer();
    await v.sign(client, wallet, { value: 5n });
    const backup = await backUp(v);
    const copy = await newVault({ clock: v.clock, operator: makePeer('operator') });
    await upload(copy, backup);
    await restore(copy);
    const status = statusOf(copy.vault);
    expect(status).toMatchObject({ phase: 'unsealed', epoch: 2 });
    expect(status.identity).not.toBe(statusOf(v.vault).identity);
    await expect(copy.sign(client, wallet, { nonce: 9 })).rejects.toEqual(code('signing_frozen'));
    // Whether the operator of the backup was revoked after it, nobody knows: until the resume it commands nothing.
    const by = v.operator;
    const takeOver = { peers: [by.session.peer], grants: [], nonceFloors: [] };
    await expect(copy.command('vault.resume', takeOver, { by })).rejects.toEqual(code('not_allowed'));
    const revoke = { peer: copy.operator.session.peer };
    await expect(copy.command('peer.revoke', revoke, { by })).rejects.toEqual(code('not_allowed'));
    await expect(copy.command('peer.revoke', revoke)).rejects.toEqual(code('last_operator'));
    // Nor has anybody else a session, sealed or not.
    const admitted = () => [
      admit(copy.vault, { role: 'client', wish: 'session', key: client.session.key }).admit,
      admit(copy.vault, { role: 'operator', wish: 'session', key: by.session.key }).admit,
      admit(copy.vault, { role: 'operator', wish: 'session', key: copy.operator.session.key }).admit,
    ];
    expect(admitted()).toEqual([false, false, true]);
    await copy.command('vault.seal', {});
    expect(admitted()).toEqual([false, false, true]);
    await copy.unseal();
    await copy.command('vault.resume', {
      peers: [copy.operator.session.peer, client.session.peer],
      grants: [{ grant: 'g1', remaining: [] }],
      nonceFloors: [{ wallet, chain: 'eip155:1', floor: 4 }],
    });
    expect(admitted()).toEqual([true, false, true]);
    // Spent by default: nothing of the limit is left today.
    await expect(copy.sign(client, wallet, { nonce: 9 })).rejects.toMatchObject({
      details: { reasons: [{ code: 'volume_exceeded', remaining: '0' }] },
    });
    copy.clock.pass(86_400_001);
    await expect(copy.sign(client, wallet, { nonce: 3 })).rejects.toMatchObject({
      details: { reasons: [{ code: 'nonce_below_floor' }] },
    });
    await expect(copy.sign(client, wallet, { nonce: 4 })).resolves.toBeDefined();
    // The operator of the old installation was not named, so it is revoked.
    expect(copy.vault.unsealed!.state.peers.get(v.operator.session.peer)?.revoked).not.toBeNull();
    expect((await verifyJournal(copy.vault)).foldMatches).toBe(true);
  });

  it('asks for a nonce floor of every key that may have signed in the lost tail', async () => {
    const { v, client } = await signer();
    const words = [...v.vault.unsealed!.state.wallets.values()].find(({ origin }) => origin === 'mnemonic')!;
    const backup = await backUp(v);
    const copy = await newVault({ clock: v.clock, operator: makePeer('operator') });
    await upload(copy, backup);
    await restore(copy);
    const peers = [copy.operator.session.peer, client.session.peer];
    await copy.command('vault.resume', { peers, grants: [], nonceFloors: [] });
    // The lost tail may have derived this very account; a key that was imported anew may be one that it knew.
    const derived = { kind: 'derived', name: 'second', from: words.wallet, count: 1 } as const;
    const secret = copy.seal('wallet.import', new Uint8Array(32).fill(7));
    const imported = { kind: 'key' as const, name: 'third', secret, nonceFloors: [] };
    const made = [await copy.command('wallet.create', derived), await copy.command('wallet.import', imported)];
    for (const { value } of made) {
      const { wallet } = (value as { wallets: { wallet: string }[] }).wallets[0]!;
      await copy.grant(client, wallet);
      await expect(copy.sign(client, wallet)).rejects.toMatchObject({
        details: { reasons: [{ code: 'nonce_floor_unconfirmed' }] },
      });
      await copy.command('wallet.floor', { wallet, chain: 'eip155:1', floor: 0 });
      await expect(copy.sign(client, wallet)).resolves.toBeDefined();
    }
    // A key made here and now has signed nothing.
    const fresh = await copy.wallet('fourth');
    await copy.grant(client, fresh.wallet);
    await expect(copy.sign(client, fresh.wallet)).resolves.toBeDefined();
  });

  it('comes back sealed and still frozen when it is killed right after the restore', async () => {
    const { v, client, wallet } = await signer();
    const backup = await backUp(v);
    const copy = await newVault({ clock: v.clock, operator: makePeer('operator') });
    await upload(copy, backup);
    await restore(copy);
    const again = await copy.reopen();
    expect(statusOf(again.vault).phase).toBe('sealed');
    await again.unseal();
    await expect(again.sign(client, wallet)).rejects.toEqual(code('signing_frozen'));
  });

  it('refuses a wrong password, an altered, cut or mixed backup, and keeps nothing of it', async () => {
    const { v } = await signer();
    const backup = await backUp(v);
    const copy = await newVault({ clock: v.clock, operator: makePeer('operator') });
    await upload(copy, backup);
    await expect(restore(copy, 'wrong')).rejects.toEqual(code('wrong_password'));
    const tries = [
      [backup.subarray(0, backup.length - 1), 'backup_malformed'],
      [backup.subarray(0, 10), 'backup_malformed'],
      [Buffer.concat([backup, Buffer.from([0, 0, 0, 0])]), 'backup_malformed'],
      [flip(backup, backup.length - 100), 'backup_malformed'],
      [flip(backup, Buffer.from(backup).indexOf('"created"') + 12), 'backup_malformed'],
    ] as const;
    for (const [bytes, expected] of tries) {
      copy.clock.pass(3_600_000);
      await upload(copy, bytes);
      await expect(restore(copy)).rejects.toEqual(code(expected));
    }
    expect(statusOf(copy.vault).phase).toBe('uninitialised');
    expect(copy.store.lastBatch()).toBe(undefined);
    await copy.init();
  });

  it('takes a damaged file for no wrong password where the password is right', async () => {
    const { v } = await signer();
    const backup = await backUp(v);
    const copy = await newVault({ clock: v.clock, operator: makePeer('operator') });
    const created = Buffer.from(backup).indexOf('"created"') + 12;
    const damaged = [backup.subarray(0, 10), backup.subarray(0, backup.length - 1), flip(backup, created)];
    for (const bytes of [...damaged, flip(backup, backup.length - 100), backup.subarray(0, backup.indexOf(0x0a) + 1)]) {
      await upload(copy, bytes);
      await expect(restore(copy)).rejects.toEqual(code('backup_malformed'));
    }
    expect(copy.vault.boot.failedUnseals.count).toBe(0);
    await upload(copy, backup);
    await restore(copy);
    expect(statusOf(copy.vault).phase).toBe('unsealed');
  });

  it('gives no guess for nothing to who alters a file, or has one of his own', async () => {
    const { v } = await signer();
    const altered = lastFlipped(await backUp(v));
    const own = await newVault({ clock: v.clock });
    await own.init('known to the attacker');
    const known = lastFlipped(await backUp(own, 'known to the attacker'));
    const copy = await newVault({ clock: v.clock, operator: makePeer('operator') });
    const guess = async (bytes: Uint8Array, password: string) => {
      await upload(copy, bytes);
      return restore(copy, password).then(
        () => 'restored',
        (error: CodedError) => error.code,
      );
    };
    const answers = [
      await guess(altered, 'guess 1'),
      await guess(known, 'known to the attacker'),
      await guess(altered, 'guess 2'),
      await guess(known, 'known to the attacker'),
      await guess(altered, 'guess 3'),
    ];
    expect(answers).toEqual([
      ...['wrong_password', 'backup_malformed', 'wrong_password', 'backup_malformed', 'wrong_password'],
    ]);
    // From here on each guess waits, and a file that is known does not shorten it.
    expect(copy.vault.boot.failedUnseals.count).toBe(3);
    expect(await guess(known, 'known to the attacker')).toBe('unseal_throttled');
    expect(await guess(altered, PASSWORD)).toBe('unseal_throttled');
    copy.clock.pass(1_000);
    expect(await guess(known, 'known to the attacker')).toBe('backup_malformed');
    expect(await guess(altered, 'guess 4')).toBe('wrong_password');
    expect(copy.vault.boot.failedUnseals.count).toBe(4);
    expect(await guess(known, 'known to the attacker')).toBe('unseal_throttled');
  });

  it('counts a guess at keys of another vault that somebody put into a file of his own', async () => {
    const { v } = await signer();
    const copy = await newVault({ clock: v.clock, operator: makePeer('operator') });
    // The file opens with the guess, and its keys do not: whether they do is what the answer would tell.
    await upload(copy, await composed(v, 'guess'));
    await expect(restore(copy, 'guess')).rejects.toEqual(code('wrong_password'));
    expect(copy.vault.boot.failedUnseals.count).toBe(1);
  });

  /** A backup under this password of the keys of a vault that has another one, without a journal. */
  async function composed(v: TestVault, password: string): Promise<Uint8Array> {
    const { memory, sha256 } = v.vault.deps;
    const kdf = KDF_PRESETS.interactive;
    const salt = new Uint8Array(16).fill(7);
    const typed = openEntry(v.vault, v.operator.session, 'vault.backup', v.seal('vault.backup', password));
    const userKey = await deriveUserKey(memory, typed, salt, kdf);
    const key = memory.allocRandom(32);
    const header = encodeHeader({
      ...{ format: 'keepwatch-backup/1', created: 0, vault: 'any', epoch: 1, lastSeq: 0 },
      kdf: { ...kdf, salt: toBase64url(salt) },
      wrapped: toBase64url(sealSecret(userKey, BACKUP_KEY_ID, BACKUP_KEY_PLACE, key)),
    });
    const items = SPACES.flatMap((space) =>
      records(v.store, space).map((record) => encodeItem({ kind: 'record', space, ...record })),
    );
    const place = piecePlace(sha256(header), 0, true);
    const file = concat(header, frame(sealBytes(key, BACKUP_KEY_ID, place, concat(...items))));
    for (const slot of [typed, userKey, key]) memory.free(slot);
    return file;
  }

  it('takes pieces in order alone, and none once the vault is initialised', async () => {
    const v = await newVault();
    const piece = { offset: 5, total: 10, bytes: 'AAAA' };
    expect(() => writeBackupPiece(v.vault, v.operator.session, piece)).toThrow(code('backup_out_of_order'));
    await v.init();
    expect(() => writeBackupPiece(v.vault, v.operator.session, { ...piece, offset: 0 })).toThrow(
      code('vault_initialised'),
    );
  });

  const scratch = (v: TestVault) => readdirSync(v.dataDir).filter((name) => name.endsWith('.tmp'));

  it('outlives an operator who leaves while the backup is being made, and keeps no file', async () => {
    const { v } = await signer();
    const { session } = v.operator;
    const left = v.command('vault.backup', { password: v.seal('vault.backup', PASSWORD) });
    while (session.scratch.size === 0) await new Promise((resolve) => setImmediate(resolve));
    // The file is made after the password was hashed: there is none yet.
    expect(scratch(v)).toEqual([]);
    dropBackup(session);
    await expect(left).rejects.toEqual(code('session_closed'));
    expect(scratch(v)).toEqual([]);
  });

  it('outlives an upload that could not begin', async () => {
    const v = await newVault();
    const { session } = v.operator;
    v.remove();
    const piece = { offset: 0, total: 3, bytes: 'AAAA' };
    expect(() => writeBackupPiece(v.vault, session, piece)).toThrow('ENOENT');
    dropUpload(session);
    expect(session.scratch.size).toBe(0);
  });

  it('removes at its start what a killed process left', async () => {
    const v = await newVault();
    for (const name of ['backup-AAAAAAAAAAAA.tmp', 'restore-BBBBBBBBBBBB.tmp', 'mine.tmp']) {
      writeFileSync(`${v.dataDir}/${name}`, 'x');
    }
    await v.reopen();
    expect(scratch(v)).toEqual(['mine.tmp']);
  });

  it('holds no secret in the clear', async () => {
    const { v } = await signer();
    const backup = Buffer.from(await backUp(v)).toString('latin1');
    for (const space of SPACES) {
      for (const { value } of records(v.store, space))
        expect(backup).not.toContain(Buffer.from(value).toString('latin1'));
    }
    expect(backup).not.toContain('request.permitted');
    expect(readFileSync(`${v.dataDir}/boot.key`)).toHaveLength(32);
    expect(backup).not.toContain(readFileSync(`${v.dataDir}/boot.key`).toString('latin1'));
  });
});

const lastFlipped = (bytes: Uint8Array) => flip(bytes, bytes.length - 1);

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = copy[at]! ^ 1;
  return copy;
}
