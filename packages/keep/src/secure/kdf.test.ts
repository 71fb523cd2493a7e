import { argon2Sync } from 'node:crypto';
import { toHex, utf8 } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import { deriveKey, deriveUserKey, KDF_PRESETS, kdfParamsAcceptable } from './kdf.ts';
import { createSecureMemory } from './memory.ts';
import { revealHex, secretOf } from './secrets.fixture.ts';

const memory = createSecureMemory({ allowUnlockedMemory: true });
const MIB = 1024 * 1024;

describe('deriveUserKey', () => {
  // libsodium has one lane and takes neither secret nor associated data, so the vector of the RFC proves the oracle, and
  // the oracle proves us.
  it('is argon2id: the oracle gives the vector of RFC 9106 §5.3, and we give what the oracle gives', async () => {
    const vector = argon2Sync('argon2id', {
      message: new Uint8Array(32).fill(1),
      nonce: new Uint8Array(16).fill(2),
      secret: new Uint8Array(8).fill(3),
      associatedData: new Uint8Array(12).fill(4),
      parallelism: 4,
      tagLength: 32,
      memory: 32,
      passes: 3,
    });
    expect(toHex(vector)).toBe('0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659');

    const salt = utf8('sixteen of bytes');
    const password = secretOf(memory, utf8('correct horse battery staple'));
    const params = { opsLimit: 3, memLimitBytes: 65 * MIB };
    const key = await deriveUserKey(memory, password, salt, params);
    const expected = argon2Sync('argon2id', {
      message: utf8('correct horse battery staple'),
      nonce: salt,
      parallelism: 1,
      tagLength: 32,
      memory: 65 * 1024,
      passes: 3,
    });
    expect(revealHex(key)).toBe(toHex(expected));
    expect(memory.stats().openSlabs).toBe(0);
  });

  it.each([
    ['one pass', 1, 64 * MIB],
    ['little memory', 2, 63 * MIB],
    ['passes without end', 2 ** 31, 64 * MIB],
    ['more memory than any machine has', 2, 2 ** 50],
    ['a fraction', 2.5, 64 * MIB],
    ['no number', Number.NaN, Number.NaN],
    ['part of a KiB', 2, 64 * MIB + 1],
    ['negative', -2, -64 * MIB],
  ])('refuses %s before it works at all', async (_, opsLimit, memLimitBytes) => {
    const password = secretOf(memory, utf8('x'));
    const before = memory.stats().liveSlots;
    await expect(
      deriveUserKey(memory, password, new Uint8Array(16), { opsLimit, memLimitBytes }),
    ).rejects.toMatchObject({
      code: 'kdf_params_refused',
    });
    expect(memory.stats().liveSlots).toBe(before);
  });

  it('refuses a salt of another length', async () => {
    const password = secretOf(memory, utf8('x'));
    const derived = deriveUserKey(memory, password, new Uint8Array(15), KDF_PRESETS.interactive);
    await expect(derived).rejects.toMatchObject({ code: 'kdf_params_refused' });
  });

  it('accepts its own presets', () => {
    for (const params of Object.values(KDF_PRESETS)) expect(kdfParamsAcceptable(params)).toBe(true);
  });
});

describe('deriveKey', () => {
  it('is keyed BLAKE2b-256 of the label', () => {
    const key = secretOf(memory, new Uint8Array(32).fill(1));
    const derived = revealHex(deriveKey(memory, key, 'boot-table'));
    // Python: hashlib.blake2b(b"boot-table", key=bytes([1]*32), digest_size=32)
    expect(derived).toBe('1e032f28b8eed5a8ed3260d30929edc6a9a8c798d3a1137143bf9f6d879a9056');
    expect(revealHex(deriveKey(memory, key, 'boot-table2'))).not.toBe(derived);
  });
});
