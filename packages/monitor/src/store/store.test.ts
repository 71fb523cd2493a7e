import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@keepwatch/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dropLock, isMade, lockKind, makeLock, openLock } from './lock.ts';
import { ed25519Verify, openStore } from './store.ts';
import { unusable } from './unusable.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'keepwatch-monitor-store-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const none = { credentials: undefined };

describe('the lock of a monitor', () => {
  it('opens by a key file that only its owner reads', async () => {
    await makeLock(dir, { kind: 'file' });
    expect(lockKind(dir)).toBe('file');
    const root = await openLock(dir, none);
    expect(await openLock(dir, none)).toEqual(root);
    expect(statSync(join(dir, 'monitor.key')).mode & 0o777).toBe(0o600);
    chmodSync(join(dir, 'monitor.key'), 0o640);
    await expect(openLock(dir, none)).rejects.toMatchObject({ code: 'monitor_key_open' });
    rmSync(join(dir, 'monitor.key'));
    await expect(openLock(dir, none)).rejects.toMatchObject({ code: 'monitor_key_missing' });
    writeFileSync(join(dir, 'monitor.key'), 'aa'.repeat(32), { mode: 0o600 });
    await expect(openLock(dir, none)).rejects.toMatchObject({ code: 'monitor_key_wrong' });
  });

  it('opens by a credential, in bytes, hex or base64url, and has it nowhere in its directory', async () => {
    const credentials = mkdtempSync(join(tmpdir(), 'keepwatch-credentials-'));
    const key = Buffer.from('0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0', 'hex');
    const give = { credentials };
    try {
      writeFileSync(join(credentials, 'k'), `${key.toString('hex')}\n`);
      await makeLock(dir, { kind: 'credential', name: 'k', directory: credentials });
      const root = await openLock(dir, give);
      for (const form of [key, key.toString('base64url')]) {
        writeFileSync(join(credentials, 'k'), form);
        expect(await openLock(dir, give)).toEqual(root);
      }
      expect(readFileSync(join(dir, 'lock.json'), 'utf8')).not.toContain(key.toString('base64url'));
      await expect(openLock(dir, none)).rejects.toMatchObject({ code: 'monitor_key_missing' });
      writeFileSync(join(credentials, 'k'), 'short');
      await expect(openLock(dir, give)).rejects.toMatchObject({ code: 'monitor_key_wrong' });
    } finally {
      rmSync(credentials, { recursive: true, force: true });
    }
  });

  it('opens by a pass phrase, and by no other', { timeout: 120_000 }, async () => {
    await makeLock(dir, { kind: 'passphrase', passphrase: utf8('correct horse battery') });
    const root = await openLock(dir, { ...none, passphrase: utf8('correct horse battery') });
    expect(root).toHaveLength(32);
    await expect(openLock(dir, none)).rejects.toMatchObject({ code: 'monitor_locked' });
    await expect(openLock(dir, { ...none, passphrase: utf8('correct horse') })).rejects.toMatchObject({
      code: 'monitor_key_wrong',
    });
  });

  it('is made once, and says what is wrong with it', async () => {
    await expect(openLock(dir, none)).rejects.toMatchObject({ code: 'monitor_not_made' });
    await makeLock(dir, { kind: 'file' });
    await expect(makeLock(dir, { kind: 'file' })).rejects.toMatchObject({ code: 'monitor_exists' });
    writeFileSync(join(dir, 'lock.json'), '{"version":2}');
    await expect(openLock(dir, none)).rejects.toMatchObject({ code: 'monitor_lock_damaged' });
  });
});

describe('the directory of a monitor', () => {
  it('that cannot be made or written is said to be so', async () => {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    const code = 'monitor_directory_unusable';
    for (const wrong of [file, join(file, 'below'), '/proc/keepwatch']) {
      await expect(makeLock(wrong, { kind: 'file' })).rejects.toMatchObject({ code });
    }
  });

  it.each(['EROFS', 'EACCES', 'EPERM'])(
    'that answers %s is said to be unusable, and other faults stay what they are',
    (code) => {
      const fault = Object.assign(new Error(code), { code });
      expect(unusable(dir, fault)).toMatchObject({ code: 'monitor_directory_unusable', cause: fault });
      const other = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      expect(unusable(dir, other)).toBe(other);
    },
  );

  it('in which a monitor could not be begun takes another one', async () => {
    await makeLock(dir, { kind: 'file' });
    dropLock(dir);
    expect(isMade(dir)).toBe(false);
    await makeLock(dir, { kind: 'file' });
    expect(await openLock(dir, none)).toHaveLength(32);
  });
});

describe('the store of a monitor', () => {
  it('keeps entries over a reopening, and nothing of them in clear', async () => {
    await makeLock(dir, { kind: 'file' });
    const root = await openLock(dir, none);
    const store = await openStore(dir, root);
    await store.journal.append([utf8('an address bcrt1qsomething')], [], 5);
    await store.journal.saveSnapshot(1, [utf8('a label of mine')]);
    await expect(openStore(dir, root)).rejects.toMatchObject({ code: 'storage_busy' });
    store.close();
    const again = await openStore(dir, root);
    expect(again.id).toBe(store.id);
    expect(await again.journal.read(1, 10)).toMatchObject({ value: [{ bytes: utf8('an address bcrt1qsomething') }] });
    const { receiptPublicKey } = again;
    expect(await again.journal.verify({ receiptPublicKey, ed25519Verify })).toMatchObject({ value: { entries: 1 } });
    again.close();
    const raw = readFileSync(join(dir, 'journal.sqlite'), 'latin1');
    expect(raw).not.toContain('bcrt1qsomething');
    expect(raw).not.toContain('label of mine');
  });

  it('refuses the keys of another monitor', async () => {
    await makeLock(dir, { kind: 'file' });
    (await openStore(dir, await openLock(dir, none))).close();
    await expect(openStore(dir, new Uint8Array(32))).rejects.toMatchObject({ code: 'monitor_key_wrong' });
  });
});
