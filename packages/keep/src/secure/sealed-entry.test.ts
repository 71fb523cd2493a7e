import { createPublicKey, decapsulate, encapsulate, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { fromBase64url, toBase64url, utf8 } from '@keepwatch/base';
import { createEntryRecipient, sealEntry, type EntryCrypto } from '@keepwatch/wire';
import { describe, expect, it } from 'vitest';
import { createSecureMemory } from './memory.ts';
import { sodium } from './native.ts';
import { createEntryKeys, sealTo } from './sealed-entry.ts';
import { reveal, secretOf } from './secrets.fixture.ts';
import type { SealedBox } from '@keepwatch/protocol';

const SESSION = new Uint8Array(32).fill(3);
const OTHER_SESSION = new Uint8Array(32).fill(4);
const PASSWORD = utf8('correct horse battery staple');

function setUp(options = { lifetimeMs: 60_000, limit: 4 }) {
  const memory = createSecureMemory({ allowUnlockedMemory: true });
  const keys = createEntryKeys(memory, options);
  const begin = (purpose = 'vault.unseal', sessionId = SESSION, now = 0) => {
    const begun = keys.begin(purpose, sessionId, now);
    if (!begun.ok) throw new Error(begun.error);
    return begun.value.key;
  };
  const seal = (key: ReturnType<typeof begin>, sessionId = SESSION) => {
    const sealed = sealTo(memory, key, key.purpose, sessionId, secretOf(memory, PASSWORD));
    if (!sealed.ok) throw new Error(sealed.error);
    return sealed.value;
  };
  return { memory, keys, begin, seal };
}

describe('a sealed entry', () => {
  it('opens once, into a slot of its length', () => {
    const { keys, begin, seal, memory } = setUp();
    const sealed = seal(begin());
    const opened = keys.open(sealed, 'vault.unseal', SESSION, 1);
    expect(opened.ok && reveal(opened.value)).toEqual(PASSWORD);
    expect(keys.open(sealed, 'vault.unseal', SESSION, 2)).toEqual({ ok: false, error: 'entry_key_unknown' });
    expect(memory.stats()).toMatchObject({ liveSlots: 2, openSlabs: 0 });
  });

  const flipped = (text: string, at: number) => {
    const bytes = fromBase64url(text)!;
    bytes[at]! ^= 1;
    return toBase64url(bytes);
  };

  it.each<[string, (sealed: SealedBox) => SealedBox]>([
    ['ephemeral key', (sealed) => ({ ...sealed, x25519: flipped(sealed.x25519, 0) })],
    ['KEM ciphertext', (sealed) => ({ ...sealed, kem: flipped(sealed.kem, 500) })],
    ['nonce', (sealed) => ({ ...sealed, nonce: flipped(sealed.nonce, 23) })],
    ['box', (sealed) => ({ ...sealed, box: flipped(sealed.box, 3) })],
    ['tag', (sealed) => ({ ...sealed, box: flipped(sealed.box, PASSWORD.length + 15) })],
    ['shorter box', (sealed) => ({ ...sealed, box: sealed.box.slice(0, 16) })],
    ['KEM ciphertext of another length', (sealed) => ({ ...sealed, kem: sealed.kem.slice(0, -4) })],
    ['letters that are no base64url', (sealed) => ({ ...sealed, box: `${sealed.box.slice(0, -4)}+/==` })],
  ])('does not open with another %s, and the key is gone after the try', (_, alter) => {
    const { keys, begin, seal, memory } = setUp();
    const sealed = seal(begin());
    const live = memory.stats().liveSlots;
    expect(keys.open(alter(sealed), 'vault.unseal', SESSION, 1)).toEqual({ ok: false, error: 'entry_malformed' });
    expect(keys.open(sealed, 'vault.unseal', SESSION, 1)).toEqual({ ok: false, error: 'entry_key_unknown' });
    expect(memory.stats().liveSlots).toBe(live - 1);
  });

  it('does not open in another session or for another purpose, nor when its time is over', () => {
    const { keys, begin, seal } = setUp();
    const unknown = { ok: false, error: 'entry_key_unknown' };
    expect(keys.open(seal(begin()), 'vault.unseal', OTHER_SESSION, 1)).toEqual(unknown);
    expect(keys.open(seal(begin()), 'vault.backup', SESSION, 1)).toEqual(unknown);
    expect(keys.open(seal(begin()), 'vault.unseal', SESSION, 60_000)).toEqual(unknown);
    expect(keys.open(seal(begin()), 'vault.unseal', SESSION, 59_999).ok).toBe(true);
  });

  it('is bound to the session it was sealed in, whatever the session it is sent in', () => {
    const { keys, begin, seal } = setUp();
    const sealed = seal(begin(), OTHER_SESSION);
    expect(keys.open(sealed, 'vault.unseal', SESSION, 1)).toEqual({ ok: false, error: 'entry_malformed' });
  });

  it('opens under no other key', () => {
    const { keys, begin, seal } = setUp();
    const [first, second] = [begin(), begin()];
    const sealed = { ...seal(first), keyId: second.keyId };
    expect(keys.open(sealed, 'vault.unseal', SESSION, 1)).toEqual({ ok: false, error: 'entry_malformed' });
  });

  // Points of order 1, 2, 4 and 8 on Curve25519 (RFC 7748 §6.1; cr.yp.to/ecdh.html "validate").
  it.each([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  ])('refuses the point %s of low order, both ways', (hex) => {
    const { keys, begin, seal, memory } = setUp();
    const point = toBase64url(Buffer.from(hex, 'hex'));
    const key = begin();
    expect(keys.open({ ...seal(key), x25519: point }, 'vault.unseal', SESSION, 1)).toEqual({
      ok: false,
      error: 'entry_malformed',
    });
    const secret = secretOf(memory, PASSWORD);
    const live = memory.stats().liveSlots;
    expect(sealTo(memory, { ...key, x25519: point }, 'vault.unseal', SESSION, secret)).toEqual({
      ok: false,
      error: 'entry_malformed',
    });
    expect(memory.stats().liveSlots).toBe(live);
  });
});

describe('one-time keys', () => {
  it('are bounded; those whose time is over make room', () => {
    const { keys, begin, memory } = setUp({ lifetimeMs: 1000, limit: 2 });
    begin('vault.unseal', SESSION, 0);
    begin('vault.unseal', SESSION, 500);
    expect(keys.begin('vault.unseal', SESSION, 999)).toEqual({ ok: false, error: 'entry_key_limit' });
    expect(keys.begin('vault.unseal', SESSION, 1000).ok).toBe(true);
    expect(memory.stats().liveSlots).toBe(2);
  });

  it('go with their session', () => {
    const { keys, begin, seal, memory } = setUp();
    const mine = seal(begin());
    const other = seal(begin('vault.unseal', OTHER_SESSION), OTHER_SESSION);
    const live = memory.stats().liveSlots;
    keys.forget(SESSION);
    expect(memory.stats().liveSlots).toBe(live - 1);
    expect(keys.open(mine, 'vault.unseal', SESSION, 1).ok).toBe(false);
    expect(keys.open(other, 'vault.unseal', OTHER_SESSION, 1).ok).toBe(true);
  });

  it.each([
    ['another purpose', { purpose: 'wallet.import' }],
    ['an ML-KEM key out of range', { mlkem768: toBase64url(new Uint8Array(1184).fill(255)) }],
    ['a short ML-KEM key', { mlkem768: toBase64url(new Uint8Array(1183)) }],
    ['a short id', { keyId: 'AAAA' }],
  ])('of somebody else are refused with %s', (_, change) => {
    const { begin, memory } = setUp();
    const sealed = sealTo(memory, { ...begin(), ...change }, 'vault.unseal', SESSION, secretOf(memory, PASSWORD));
    expect(sealed).toEqual({ ok: false, error: 'entry_malformed' });
  });
});

describe('the other end of the format', () => {
  // The client's half is written elsewhere, over ordinary memory; it gets its primitives from here.
  const mlkemPublic = (key: Uint8Array) =>
    createPublicKey({ key, format: 'raw-public', asymmetricKeyType: 'ml-kem-768' });
  const crypto: EntryCrypto = {
    randomBytes(length) {
      const bytes = new Uint8Array(length);
      sodium.randombytes_buf(bytes);
      return bytes;
    },
    blake2b256(bytes) {
      const out = new Uint8Array(32);
      sodium.crypto_generichash(out, bytes);
      return out;
    },
    x25519: {
      generate() {
        const secret = randomBytes(32);
        const publicKey = new Uint8Array(32);
        sodium.crypto_scalarmult_base(publicKey, secret);
        return { publicKey, secret };
      },
      derive(secret, publicKey) {
        const shared = new Uint8Array(32);
        sodium.crypto_scalarmult(shared, secret as Uint8Array, publicKey);
        return shared;
      },
    },
    mlkem768: {
      generate() {
        const pair = generateKeyPairSync('ml-kem-768');
        return { publicKey: pair.publicKey.export({ format: 'raw-public' }), secret: pair.privateKey };
      },
      encapsulate(key) {
        const { sharedKey, ciphertext } = encapsulate(mlkemPublic(key));
        return { shared: sharedKey, ciphertext };
      },
      decapsulate: (secret, ciphertext) => decapsulate(secret as KeyObject, ciphertext),
    },
    xchacha20poly1305: {
      seal(key, nonce, aad, plaintext) {
        const out = new Uint8Array(plaintext.length + 16);
        sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(out, plaintext, aad, null, nonce, key);
        return out;
      },
      open(key, nonce, aad, sealed) {
        const out = new Uint8Array(sealed.length - 16);
        sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(out, null, sealed, aad, nonce, key);
        return out;
      },
    },
  };
  function randomBytes(length: number): Uint8Array {
    return crypto.randomBytes(length);
  }

  it('seals what the keep opens', () => {
    const { keys, begin } = setUp();
    const sealed = sealEntry(crypto, begin(), SESSION, PASSWORD);
    if (!sealed.ok) throw new Error(sealed.error);
    const opened = keys.open(sealed.value, 'vault.unseal', SESSION, 1);
    expect(opened.ok && reveal(opened.value)).toEqual(PASSWORD);
  });

  it('opens what the keep seals', () => {
    const { memory } = setUp();
    const recipient = createEntryRecipient(crypto, 'wallet.backup');
    const sealed = sealTo(memory, recipient.key, 'wallet.backup', SESSION, secretOf(memory, PASSWORD));
    if (!sealed.ok) throw new Error(sealed.error);
    const opened = recipient.open({ ...sealed.value }, SESSION);
    expect(opened.ok && new Uint8Array(opened.value)).toEqual(PASSWORD);
  });
});
