import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@keepwatch/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMonitor } from '../make.ts';
import { beginMonitor, openMonitor } from '../open.ts';
import { isMade } from './files.ts';
import { draftLock, lockKind, openLock } from './lock.ts';
import { beginStore, ed25519Verify, openStore } from './store.ts';
import { unusable } from './unusable.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'keepwatch-monitor-store-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const none = { credentials: undefined };
const make = (lock: Parameters<typeof makeMonitor>[1] = { kind: 'file' }) => makeMonitor(dir, lock, 'regtest');

describe('the lock of a monitor', () => {
  it('opens by a key file that only its owner reads', async () => {
    await make();
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
      await make({ kind: 'credential', name: 'k', directory: credentials });
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
    await make({ kind: 'passphrase', passphrase: utf8('correct horse battery') });
    const root = await openLock(dir, { ...none, passphrase: utf8('correct horse battery') });
    expect(root).toHaveLength(32);
    await expect(openLock(dir, none)).rejects.toMatchObject({ code: 'monitor_locked' });
    await expect(openLock(dir, { ...none, passphrase: utf8('correct horse') })).rejects.toMatchObject({
      code: 'monitor_key_wrong',
    });
  });

  it('is made once, and says what is wrong with it', async () => {
    await expect(openLock(dir, none)).rejects.toMatchObject({ code: 'monitor_not_made' });
    await make();
    await expect(make()).rejects.toMatchObject({ code: 'monitor_exists' });
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
      await expect(makeMonitor(wrong, { kind: 'file' }, 'main')).rejects.toMatchObject({ code });
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

  it('has nothing of a monitor that could not be written, and takes another one', async () => {
    const module = new URL('../make.ts', import.meta.url).href;
    const program = `
      import { makeMonitor } from ${JSON.stringify(module)};
      const made = makeMonitor(${JSON.stringify(dir)}, { kind: 'file' }, 'regtest');
      console.log(await made.then(() => 'made', (error) => error.code));`;
    // A limit on the size of files, its signal ignored: at first nothing can be written, then the lock and no journal.
    const makeWithin = (blocks: number) => {
      const shell = `trap "" XFSZ; ulimit -f ${blocks}; exec "$0" --input-type=module -e "$1"`;
      return spawnSync('sh', ['-c', shell, process.execPath, program], { encoding: 'utf8' }).stdout.trim();
    };
    expect(makeWithin(0)).toBe('monitor_directory_unusable');
    expect(readdirSync(dir)).toEqual([]);
    expect(makeWithin(4)).toBe('storage_failed');
    expect(readdirSync(dir)).toEqual(['monitor.key']);
    await make();
    expect(readdirSync(dir).sort()).toEqual(['journal.sqlite', 'lock.json', 'monitor.key']);
    expect(await openLock(dir, none)).toHaveLength(32);
  });

  it('takes another monitor where the making of one was interrupted', async () => {
    for (const begins of [false, true]) {
      const { rootKey } = await draftLock(dir, { kind: 'file' });
      if (begins) await (await beginMonitor({ dataDir: dir, rootKey, network: 'main' })).close();
      expect(isMade(dir)).toBe(false);
      await expect(openLock(dir, none)).rejects.toMatchObject({ code: 'monitor_not_made' });
    }
    const id = await make();
    const monitor = await openMonitor({ dataDir: dir, rootKey: await openLock(dir, none), network: 'regtest' });
    expect(monitor.store.id).toBe(id);
    await monitor.close();
  });

  it('has the network that it was made with from then on', async () => {
    await makeMonitor(dir, { kind: 'file' }, 'main');
    const rootKey = await openLock(dir, none);
    await expect(openMonitor({ dataDir: dir, rootKey, network: 'regtest' })).rejects.toMatchObject({
      code: 'monitor_other_network',
    });
  });

  it('takes no other monitor while one is made', async () => {
    const draft = await draftLock(dir, { kind: 'file' });
    const monitor = await beginMonitor({ dataDir: dir, rootKey: draft.rootKey, network: 'main' });
    await expect(make()).rejects.toMatchObject({ code: 'storage_busy' });
    await monitor.close();
    draft.keep();
    expect(await openLock(dir, none)).toEqual(draft.rootKey);
    (await openStore(dir, draft.rootKey)).close();
  });

  it.each(['journal.sqlite', 'lock.json'])('is refused, and left as it is, where %s is gone', async (name) => {
    const code = name === 'lock.json' ? 'monitor_lock_damaged' : 'monitor_journal_missing';
    const id = await make();
    const root = await openLock(dir, none);
    const kept = join(dir, 'kept');
    renameSync(join(dir, name), kept);
    const before = readdirSync(dir);
    expect(() => lockKind(dir)).toThrow(expect.objectContaining({ code }));
    await expect(openLock(dir, none)).rejects.toMatchObject({ code });
    await expect(make()).rejects.toMatchObject({ code });
    if (name !== 'lock.json') await expect(openStore(dir, root)).rejects.toMatchObject({ code });
    expect(readdirSync(dir)).toEqual(before);
    renameSync(kept, join(dir, name));
    const monitor = await openMonitor({ dataDir: dir, rootKey: await openLock(dir, none) });
    expect(monitor.store.id).toBe(id);
    await monitor.close();
  });

  it('is refused where the journal is empty', async () => {
    await make();
    const rootKey = await openLock(dir, none);
    writeFileSync(join(dir, 'journal.sqlite'), '');
    await expect(openMonitor({ dataDir: dir, rootKey })).rejects.toMatchObject({ code: 'monitor_journal_missing' });
  });

  it('keeps a journal with entries, whatever draft of a lock lies beside it', async () => {
    await make();
    const store = await openStore(dir, await openLock(dir, none));
    await store.journal.append([utf8('a second entry')], [], Date.now());
    store.close();
    renameSync(join(dir, 'lock.json'), join(dir, 'lock.json.new'));
    await expect(make()).rejects.toMatchObject({ code: 'monitor_lock_damaged' });
    expect(existsSync(join(dir, 'journal.sqlite'))).toBe(true);
  });
});

describe('the store of a monitor', () => {
  it('keeps entries over a reopening, and nothing of them in clear', async () => {
    const root = new Uint8Array(randomBytes(32));
    const store = await beginStore(dir, root);
    await store.journal.append([utf8('an address bcrt1qsomething')], [], 5);
    await store.journal.saveSnapshot(1, [utf8('a label of mine')]);
    await expect(openStore(dir, root)).rejects.toMatchObject({ code: 'storage_busy' });
    await expect(beginStore(dir, root)).rejects.toMatchObject({ code: 'storage_busy' });
    store.close();
    const again = await openStore(dir, root);
    expect(again.id).toBe(store.id);
    expect(await again.journal.read(1, 10)).toMatchObject({ value: [{ bytes: utf8('an address bcrt1qsomething') }] });
    const { receiptPublicKey } = again;
    expect(await again.journal.verify({ receiptPublicKey, ed25519Verify })).toMatchObject({ value: { entries: 1 } });
    again.close();
    await expect(beginStore(dir, root)).rejects.toMatchObject({ code: 'monitor_exists' });
    const raw = readFileSync(join(dir, 'journal.sqlite'), 'latin1');
    expect(raw).not.toContain('bcrt1qsomething');
    expect(raw).not.toContain('label of mine');
  });

  it('refuses the keys of another monitor', async () => {
    await make();
    await expect(openStore(dir, new Uint8Array(32))).rejects.toMatchObject({ code: 'monitor_key_wrong' });
  });
});
