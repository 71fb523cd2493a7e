import { wireCrypto } from '@keepwatch/sdk';
import { describe, expect, it } from 'vitest';
import { createDecipheriv } from 'node:crypto';
import { createNonceSequence, sealFrame } from './jwe.ts';

describe('frames', () => {
  it('count their nonces beyond 32 bits', () => {
    const nonces = createNonceSequence('k>p:');
    const hex = () => Buffer.from(nonces.next()).toString('hex');
    expect([hex(), hex()]).toEqual([`6b3e703a${'0'.repeat(16)}`, `6b3e703a${'0'.repeat(15)}1`]);
  });

  it('are compact JWEs that any reader of RFC 7516 opens', () => {
    const key = new Uint8Array(32).fill(9);
    const nonce = createNonceSequence('p>k:').next();
    const frame = sealFrame(wireCrypto.codec, wireCrypto.aesGcm.create(key), nonce, Buffer.from('payload'));
    const [header, encryptedKey, iv, ciphertext, tag] = Buffer.from(frame).toString().split('.') as [
      string,
      string,
      string,
      string,
      string,
    ];
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      typ: 'keepwatch-frame',
      alg: 'dir',
      enc: 'A256GCM',
    });
    expect(encryptedKey).toBe('');
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'));
    decipher.setAAD(Buffer.from(header, 'ascii'));
    decipher.setAuthTag(Buffer.from(tag, 'base64url'));
    const opened = Buffer.concat([decipher.update(Buffer.from(ciphertext, 'base64url')), decipher.final()]);
    expect(opened.toString()).toBe('payload');
  });
});
