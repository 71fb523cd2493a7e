import { fromHex, toHex } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import { ed25519PublicKey, ed25519Sign, ed25519SigningKey, ed25519Verify } from './ed25519.ts';
import { createSecureMemory } from './memory.ts';
import { secretOf } from './secrets.fixture.ts';

const memory = createSecureMemory({ allowUnlockedMemory: true });

// RFC 8032 §7.1, TEST 1 to 3: seed, public key, message, signature.
const VECTORS = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const;

describe('Ed25519', () => {
  it.each(VECTORS)('RFC 8032 §7.1, seed %s', (seed, publicKey, message, signature) => {
    const key = ed25519SigningKey(memory, secretOf(memory, seed));
    expect(toHex(ed25519PublicKey(key))).toBe(publicKey);
    expect(toHex(ed25519Sign(key, fromHex(message)!))).toBe(signature);
    expect(ed25519Verify(fromHex(publicKey)!, fromHex(message)!, fromHex(signature)!)).toBe(true);
  });

  it('verifies no altered signature, message or key, and none of another length', () => {
    const [, publicKey, message, signature] = VECTORS[2].map((hex) => fromHex(hex)!);
    const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
    for (let i = 0; i < 64; i++) expect(ed25519Verify(publicKey!, message!, flip(signature!, i))).toBe(false);
    for (let i = 0; i < 32; i++) expect(ed25519Verify(flip(publicKey!, i), message!, signature!)).toBe(false);
    expect(ed25519Verify(publicKey!, flip(message!, 0), signature!)).toBe(false);
    expect(ed25519Verify(publicKey!, message!, signature!.subarray(0, 63))).toBe(false);
    expect(ed25519Verify(publicKey!, message!, new Uint8Array([...signature!, 0]))).toBe(false);
    expect(ed25519Verify(publicKey!.subarray(1), message!, signature!)).toBe(false);
    expect(ed25519Verify(new Uint8Array(32), message!, new Uint8Array(64))).toBe(false);
  });
});
