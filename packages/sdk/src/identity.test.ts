import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifySignature } from '@keepwatch/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wireCrypto } from './crypto-node.ts';
import { createIdentity, loadIdentity } from './identity.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'identity-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

describe.each(['EdDSA', 'ML-DSA-65'] as const)('a key file of %s', (alg) => {
  it('gives the same key back, to its owner alone', async () => {
    const path = join(dir, 'key.json');
    const made = await createIdentity(path, alg);
    const loaded = await loadIdentity(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(Buffer.from(loaded.publicKey)).toEqual(Buffer.from(made.publicKey));
    const message = new Uint8Array([1, 2, 3]);
    expect(verifySignature(wireCrypto, made, message, await loaded.sign(message))).toBe(true);
    expect(verifySignature(wireCrypto, made, new Uint8Array([1, 2]), await loaded.sign(message))).toBe(false);
  });
});

describe('a key file', () => {
  it('is never overwritten', async () => {
    const path = join(dir, 'key.json');
    await createIdentity(path);
    const before = readFileSync(path, 'utf8');
    await expect(createIdentity(path)).rejects.toEqual(code('identity_exists'));
    expect(readFileSync(path, 'utf8')).toBe(before);
    await expect(createIdentity(join(dir, 'none', 'key.json'))).rejects.toEqual(code('identity_unwritable'));
  });

  it.each([0o640, 0o604, 0o620, 0o610])('that others may use (%o) is not used', async (mode) => {
    const path = join(dir, 'key.json');
    await createIdentity(path);
    chmodSync(path, mode);
    await expect(loadIdentity(path)).rejects.toEqual(code('identity_exposed'));
  });

  it('that is missing or damaged is named as such', async () => {
    const path = join(dir, 'key.json');
    await expect(loadIdentity(path)).rejects.toEqual(code('identity_missing'));
    await createIdentity(path);
    const file = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
    const other = file['seed']!.startsWith('A') ? `B${file['seed']!.slice(1)}` : `A${file['seed']!.slice(1)}`;
    for (const damaged of [
      '',
      '[]',
      JSON.stringify({ ...file, format: 'x' }),
      JSON.stringify({ ...file, alg: 'RSA' }),
      JSON.stringify({ ...file, alg: 'ML-DSA-65' }),
      JSON.stringify({ ...file, seed: 'AAAA' }),
      JSON.stringify({ ...file, seed: other }),
      `${JSON.stringify(file)}${' '.repeat(9_000)}`,
    ]) {
      writeFileSync(path, damaged);
      await expect(loadIdentity(path), damaged.slice(0, 60)).rejects.toEqual(code('identity_malformed'));
    }
  });
});
