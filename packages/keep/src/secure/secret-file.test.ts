import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSecureMemory } from './memory.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';
import { reveal } from './secrets.fixture.ts';

const memory = createSecureMemory({ allowUnlockedMemory: true });
const secret = memory.allocRandom(32);
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepwatch-secret-file-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('secret files', () => {
  it('hold the secret for their owner alone, and give it back', () => {
    const path = join(directory, 'boot.key');
    writeSecretFile(path, secret);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(new Uint8Array(readFileSync(path))).toEqual(reveal(secret));
    expect(reveal(readSecretFile(memory, path, 32))).toEqual(reveal(secret));
  });

  it('are never overwritten', () => {
    const path = join(directory, 'boot.key');
    const before = readFileSync(path);
    expect(() => writeSecretFile(path, memory.allocRandom(32))).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(readFileSync(path)).toEqual(before);
  });

  it.each([0o640, 0o604, 0o620, 0o601])('are refused when others have access: mode %o', (mode) => {
    const path = join(directory, `mode-${mode}`);
    writeFileSync(path, new Uint8Array(32));
    chmodSync(path, mode);
    const live = memory.stats().liveSlots;
    expect(() => readSecretFile(memory, path, 32)).toThrow(expect.objectContaining({ code: 'secret_file_exposed' }));
    expect(memory.stats().liveSlots).toBe(live);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'of another owner may be readable by an ACL, as systemd does it (root only)',
    () => {
      const path = join(directory, 'credential');
      writeFileSync(path, new Uint8Array(32));
      chownSync(path, 65534, 65534);
      chmodSync(path, 0o440);
      expect(readSecretFile(memory, path, 32).size).toBe(32);
      chmodSync(path, 0o444);
      expect(() => readSecretFile(memory, path, 32)).toThrow(expect.objectContaining({ code: 'secret_file_exposed' }));
    },
  );

  it.each([31, 33])('are refused with %s bytes instead of 32', (size) => {
    const path = join(directory, `size-${size}`);
    writeFileSync(path, new Uint8Array(size), { mode: 0o600 });
    const live = memory.stats().liveSlots;
    expect(() => readSecretFile(memory, path, 32)).toThrow(expect.objectContaining({ code: 'secret_file_size' }));
    expect(memory.stats().liveSlots).toBe(live);
  });

  it('that are missing say so', () => {
    const path = join(directory, 'missing');
    expect(existsSync(path)).toBe(false);
    expect(() => readSecretFile(memory, path, 32)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
