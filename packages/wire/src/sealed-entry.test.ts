import { lengthPrefixed, toBase64url, utf8 } from '@keepwatch/base';
import { entryCrypto } from '@keepwatch/sdk';
import { describe, expect, it } from 'vitest';
import { createEntryRecipient, sealEntry } from './sealed-entry.ts';

const session = new Uint8Array(32).fill(1);
const secret = () => utf8('correct horse battery staple');

function sealed(purpose = 'vault.unseal', sessionId = session) {
  const recipient = createEntryRecipient(entryCrypto, purpose);
  const box = sealEntry(entryCrypto, recipient.key, sessionId, secret());
  if (!box.ok) throw new Error(box.error);
  return { recipient, box: box.value };
}

describe('a sealed entry', () => {
  it('opens once, in its session', () => {
    const { recipient, box } = sealed();
    const opened = recipient.open(box, session);
    expect(opened.ok && Buffer.from(opened.value).equals(Buffer.from(secret()))).toBe(true);
    expect(recipient.open(box, session)).toEqual({ ok: false, error: 'entry_key_unknown' });
  });

  it('opens in no other session, and its key is spent by the attempt', () => {
    const { recipient, box } = sealed();
    expect(recipient.open(box, new Uint8Array(32))).toEqual({ ok: false, error: 'entry_malformed' });
    expect(recipient.open(box, session)).toEqual({ ok: false, error: 'entry_key_unknown' });
  });

  it('opens for no other purpose', () => {
    const recipient = createEntryRecipient(entryCrypto, 'vault.unseal');
    const box = sealEntry(entryCrypto, { ...recipient.key, purpose: 'wallet.import' }, session, secret());
    expect(box.ok && recipient.open(box.value, session)).toEqual({ ok: false, error: 'entry_malformed' });
  });

  it('opens under no other key', () => {
    const { box } = sealed();
    expect(createEntryRecipient(entryCrypto, 'vault.unseal').open(box, session)).toEqual({
      ok: false,
      error: 'entry_key_unknown',
    });
  });

  it('does not open when any part was changed', () => {
    for (const part of ['keyId', 'x25519', 'kem', 'nonce', 'box'] as const) {
      const { recipient, box } = sealed();
      const bytes = Buffer.from(box[part], 'base64url');
      bytes[0]! ^= 1;
      const changed = { ...box, [part]: toBase64url(bytes) };
      expect(recipient.open(changed, session).ok, part).toBe(false);
    }
    for (const change of [
      { extra: 1 },
      { nonce: 'AA' },
      { box: '' },
      { box: 'AAAA' },
      { x25519: toBase64url(new Uint8Array(32)) },
    ]) {
      const { recipient, box } = sealed();
      expect(recipient.open({ ...box, ...change }, session)).toEqual({ ok: false, error: 'entry_malformed' });
    }
    expect(sealed().recipient.open(null, session)).toEqual({ ok: false, error: 'entry_malformed' });
  });

  it('is not made to a key that is none', () => {
    const { key } = createEntryRecipient(entryCrypto, 'vault.unseal');
    for (const change of [
      { keyId: 'AA' },
      { x25519: toBase64url(new Uint8Array(32)) },
      { mlkem768: toBase64url(new Uint8Array(1184).fill(255)) },
      { mlkem768: 'AA' },
    ]) {
      expect(sealEntry(entryCrypto, { ...key, ...change }, session, secret())).toEqual({
        ok: false,
        error: 'entry_malformed',
      });
    }
  });

  it('has the key and the associated data that the format names', () => {
    // The format written out a second time, from its description.
    const x25519 = entryCrypto.x25519.generate();
    const mlkem768 = entryCrypto.mlkem768.generate();
    const keyId = new Uint8Array(16).fill(6);
    const recipient = {
      keyId: toBase64url(keyId),
      purpose: 'wallet.import',
      x25519: toBase64url(x25519.publicKey),
      mlkem768: toBase64url(mlkem768.publicKey),
    };
    const result = sealEntry(entryCrypto, recipient, session, secret());
    if (!result.ok) throw new Error(result.error);
    const part = (name: 'x25519' | 'kem' | 'nonce' | 'box') =>
      Uint8Array.from(Buffer.from(result.value[name], 'base64url'));
    const label = utf8('keepwatch/sealed-entry/1');
    const key = entryCrypto.blake2b256(
      lengthPrefixed(
        label,
        entryCrypto.x25519.derive(x25519.secret, part('x25519'))!,
        entryCrypto.mlkem768.decapsulate(mlkem768.secret, part('kem')),
        x25519.publicKey,
        mlkem768.publicKey,
        part('x25519'),
        part('kem'),
      ),
    );
    const aad = lengthPrefixed(label, utf8('wallet.import'), session, keyId);
    const opened = entryCrypto.xchacha20poly1305.open(key, part('nonce'), aad, part('box'));
    expect(Buffer.from(opened!).equals(Buffer.from(secret()))).toBe(true);
  });
});
