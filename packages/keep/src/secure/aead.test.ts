import { createRequire } from 'node:module';
import { concat, fromHex, lengthPrefixed, toHex, u32be, utf8 } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openBytes, openSecret, openSecrets, sealBytes, sealedUnder, sealSecret } from './aead.ts';
import { createSecureMemory } from './memory.ts';
import { reveal, secretOf } from './secrets.fixture.ts';
import type { Scheme } from './aead.ts';
import type { Sodium } from './native.ts';

const sodium = createRequire(import.meta.url)('sodium-native') as Sodium;
const memory = createSecureMemory({ allowUnlockedMemory: true });
const KEY = new Uint8Array(32).map((_, i) => i * 7);
const key = secretOf(memory, KEY);
const otherKey = secretOf(memory, new Uint8Array(32).fill(5));
const place = utf8('wallet-key/one');
const SCHEMES: Scheme[] = [1, 2];

describe('the primitive', () => {
  it('is XChaCha20-Poly1305 of draft-irtf-cfrg-xchacha-03, appendix A.3.1', () => {
    const plaintext = utf8(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const sealed = new Uint8Array(plaintext.length + 16);
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
      sealed,
      plaintext,
      fromHex('50515253c0c1c2c3c4c5c6c7')!,
      null,
      fromHex('404142434445464748494a4b4c4d4e4f5051525354555657')!,
      fromHex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f')!,
    );
    expect(toHex(sealed)).toBe(
      'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216' +
        'cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13' +
        'b52ec0875924c1c7987947deafd8780acf49',
    );
  });
});

describe('the layout', () => {
  const context = (label: string, scheme: number) =>
    lengthPrefixed(utf8(label), Uint8Array.of(scheme), u32be(0x01020304), place);

  function decrypt(box: Uint8Array, bound: Uint8Array, nonce: Uint8Array, under: Uint8Array): string {
    const plaintext = new Uint8Array(box.length - 16);
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plaintext, null, box, bound, nonce, under);
    return toHex(plaintext);
  }

  it('of scheme 1: scheme ‖ keyId ‖ nonce ‖ box, the key used directly', () => {
    const sealed = sealBytes(key, 0x01020304, place, utf8('words'), 1);
    expect(toHex(sealed.subarray(0, 5))).toBe('0101020304');
    const bound = context('keepwatch/sealed-data/1', 1);
    expect(decrypt(sealed.subarray(29), bound, sealed.subarray(5, 29), KEY)).toBe(toHex(utf8('words')));
  });

  it('of scheme 2: sub-key and commitment from keyed BLAKE2b-512 over context and nonce', () => {
    const sealed = sealSecret(key, 0x01020304, place, otherKey);
    const nonce = sealed.subarray(5, 29);
    const bound = context('keepwatch/sealed-secret/1', 2);
    const derived = new Uint8Array(64);
    sodium.crypto_generichash(derived, concat(bound, nonce), KEY);
    expect(toHex(sealed.subarray(0, 5))).toBe('0201020304');
    expect(toHex(sealed.subarray(29, 61))).toBe(toHex(derived.subarray(32)));
    expect(decrypt(sealed.subarray(61), bound, nonce, derived.subarray(0, 32))).toBe('05'.repeat(32));
  });
});

describe.each(SCHEMES)('scheme %s', (scheme) => {
  it('opens what it sealed, of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.uint8Array({ maxLength: 80 }), (plaintext, where) => {
        const sealed = sealBytes(key, 9, where, plaintext, scheme);
        expect(openBytes(key, 9, where, sealed)).toEqual(plaintext);
        if (plaintext.length === 0) return;
        const secret = secretOf(memory, plaintext);
        const opened = openSecret(memory, key, {
          keyId: 9,
          place: where,
          sealed: sealSecret(key, 9, where, secret, scheme),
        });
        expect(reveal(opened!)).toEqual(plaintext);
        memory.free(opened!);
        memory.free(secret);
      }),
      { numRuns: 60 },
    );
  });

  it('does not open when any bit is changed, or bytes are missing or added', () => {
    const sealed = sealBytes(key, 9, place, utf8('sixteen of bytes'), scheme);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const altered = sealed.slice();
      altered[bit >> 3]! ^= 1 << (bit & 7);
      expect(openBytes(key, 9, place, altered), `bit ${bit}`).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(openBytes(key, 9, place, sealed.subarray(0, length)), `length ${length}`).toBeUndefined();
    }
    expect(openBytes(key, 9, place, concat(sealed, new Uint8Array(1)))).toBeUndefined();
  });

  it('does not open in another place, under another key or key id', () => {
    const sealed = sealSecret(key, 9, place, otherKey, scheme);
    const open = (by: Partial<{ key: typeof key; keyId: number; place: Uint8Array }>) =>
      openSecret(memory, by.key ?? key, { keyId: by.keyId ?? 9, place: by.place ?? place, sealed });
    expect(open({})).toBeDefined();
    expect(open({ place: utf8('wallet-key/two') })).toBeUndefined();
    expect(open({ place: utf8('seed/one') })).toBeUndefined();
    expect(open({ keyId: 10 })).toBeUndefined();
    expect(open({ key: otherKey })).toBeUndefined();
    const readdressed = sealed.slice();
    readdressed[4] = 10;
    expect(openSecret(memory, key, { keyId: 10, place, sealed: readdressed })).toBeUndefined();
  });

  it('never opens a secret into ordinary memory, nor data into a slot', () => {
    expect(openBytes(key, 9, place, sealSecret(key, 9, place, otherKey, scheme))).toBeUndefined();
    const sealed = sealBytes(key, 9, place, new Uint8Array(32), scheme);
    expect(openSecret(memory, key, { keyId: 9, place, sealed })).toBeUndefined();
  });

  it('uses another nonce for each message', () => {
    const nonces = Array.from({ length: 2000 }, () => toHex(sealBytes(key, 1, place, place, scheme).subarray(5, 29)));
    expect(new Set(nonces).size).toBe(2000);
  });
});

describe('schemes', () => {
  it('are told by the head, and other numbers are refused', () => {
    const sealed = sealBytes(key, 0xfffffffe, place, place, 2);
    expect(sealedUnder(sealed)).toEqual({ scheme: 2, keyId: 0xfffffffe });
    for (const scheme of [0, 3, 255]) {
      const other = sealed.slice();
      other[0] = scheme;
      expect(sealedUnder(other)).toBeUndefined();
      expect(openBytes(key, 0xfffffffe, place, other)).toBeUndefined();
    }
  });

  it('do not pass for one another: a ciphertext of scheme 2 relabelled as 1 does not open', () => {
    const sealed = sealBytes(key, 1, place, new Uint8Array(64), 2);
    sealed[0] = 1;
    expect(openBytes(key, 1, place, sealed)).toBeUndefined();
  });
});

describe('openSecrets', () => {
  it('opens many at once, gives nothing for those that fail, and leaks no slot', () => {
    const own = createSecureMemory({ allowUnlockedMemory: true });
    const secrets = Array.from({ length: 300 }, (_, i) => {
      const secret = secretOf(memory, new Uint8Array(32).fill(i));
      const sealed = sealSecret(key, 1, utf8(`wallet-key/${i}`), secret, i % 2 === 0 ? 1 : 2);
      if (i % 10 === 3) sealed[sealed.length - 1]! ^= 1;
      return { keyId: 1, place: utf8(`wallet-key/${i}`), sealed: i === 77 ? new Uint8Array(3) : sealed };
    });
    const opened = openSecrets(own, key, secrets);
    opened.forEach((slot, i) => {
      if (i % 10 === 3 || i === 77) expect(slot).toBeUndefined();
      else expect(reveal(slot!)).toEqual(new Uint8Array(32).fill(i));
    });
    expect(own.stats()).toMatchObject({ liveSlots: 269, openSlabs: 0 });
  });
});
