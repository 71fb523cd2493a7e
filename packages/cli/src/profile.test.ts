import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDirectories } from './directories.ts';
import { readKnownVault, writeKnownVault, type KnownVault, type Profile } from './profile.ts';

const HASH = 'A'.repeat(43);
const KNOWN: KnownVault = {
  connection: { host: '::1', port: 7401, tls: HASH, id: HASH, token: HASH },
  bootKey: HASH,
  receiptKey: null,
};

let root: string;
let profile: Profile;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'keepwatch-profile-'));
  profile = { role: 'operator', directory: join(root, 'a', 'operator') };
});
afterEach(() => rm(root, { recursive: true }));

describe('a profile', () => {
  it('comes back without the token, and only its owner can read it', async () => {
    expect(await readKnownVault(profile)).toBeUndefined();
    await writeKnownVault(profile, KNOWN);
    const { token: _, ...connection } = KNOWN.connection;
    expect(await readKnownVault(profile)).toEqual({ ...KNOWN, connection });
    const path = join(profile.directory, 'vault.json');
    expect(await readFile(path, 'utf8')).not.toContain('token');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(profile.directory)).mode & 0o777).toBe(0o700);
  });

  it('says so where its file is damaged, and is never taken for an empty one', async () => {
    await writeKnownVault(profile, KNOWN);
    const path = join(profile.directory, 'vault.json');
    const text = await readFile(path, 'utf8');
    for (const damaged of ['', text.slice(0, -4), text.replace('keepwatch-vault/1', 'x'), text.replace('7401', '0')]) {
      await writeFile(path, damaged);
      await expect(readKnownVault(profile)).rejects.toMatchObject({ code: 'profile_damaged' });
    }
  });
});

describe('directories', () => {
  it('follow XDG, but not where a variable holds a relative path', () => {
    const absolute = findDirectories({ XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: '/d' }, { profile: 'p' });
    expect(absolute).toEqual({
      data: '/d/keepwatch/vault',
      chain: '/d/keepwatch/chain',
      monitor: '/d/keepwatch/monitor',
      home: '/c/keepwatch',
      operator: '/c/keepwatch/p/operator',
      client: '/c/keepwatch/p/client',
      watcher: '/c/keepwatch/p/monitor',
    });
    expect(findDirectories({ XDG_CONFIG_HOME: 'c' }, { profile: 'p' }).operator).toMatch(/\.config\/keepwatch\/p/);
    expect(findDirectories({ XDG_CONFIG_HOME: '/c' }, { home: '/h', profile: 'p' }).client).toBe('/h/p/client');
  });
});
