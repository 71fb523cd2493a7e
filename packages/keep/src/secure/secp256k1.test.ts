import { createRequire } from 'node:module';
import { fromHex, toHex, utf8 } from '@keepwatch/base';
import { HDKey } from '@scure/bip32';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecureMemory } from './memory.ts';
import {
  generatePrivateKey,
  isPrivateKey,
  randomizeSigner,
  secp256k1PublicKey,
  signApprovedDigests,
} from './secp256k1.ts';
import { reveal, secretOf } from './secrets.fixture.ts';
import type { Slot } from './memory.ts';

const memory = createSecureMemory({ allowUnlockedMemory: true });
const recover = createRequire(import.meta.url)('secp256k1/bindings.js') as {
  ecdsaRecover(signature: Uint8Array, recid: number, digest: Uint8Array, compressed: boolean): Uint8Array;
};
const sha256 = (text: string) => new Uint8Array(createHash('sha256').update(utf8(text)).digest());
const signOne = (key: Slot, digest: Uint8Array) => signApprovedDigests([{ key, digest }])[0]!;

const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const ONE = '0000000000000000000000000000000000000000000000000000000000000001';
const N_MINUS_1 = (N - 1n).toString(16);

describe('signatures', () => {
  // Deterministic signatures over SHA-256 with secp256k1 after RFC 6979, as published by the Bitcoin Core and Trezor
  // developers (bitcointalk.org, topic 285142); the last is the example of EIP-155.
  it.each([
    [
      ONE,
      sha256('Satoshi Nakamoto'),
      '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
    ],
    [
      ONE,
      sha256('All those moments will be lost in time, like tears in rain. Time to die...'),
      '8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21',
    ],
    [
      N_MINUS_1,
      sha256('Satoshi Nakamoto'),
      'fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d06b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5',
    ],
    [
      '46'.repeat(32),
      fromHex('daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53')!,
      '28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa63627667cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
    ],
  ])('are those of RFC 6979 for key %s', (key, digest, expected) => {
    expect(toHex(signOne(secretOf(memory, key), digest).rs)).toBe(expected);
  });

  it('name the key by their parity, have a low s, and equal an independent implementation', () => {
    const keys = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => {
      const scalar = BigInt(`0x${toHex(bytes)}`);
      return scalar > 0n && scalar < N;
    });
    const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(keys, digests, (bytes, digest) => {
        const key = secretOf(memory, bytes);
        const { rs, yParity } = signOne(key, digest);
        const oracle = new HDKey({ privateKey: bytes, chainCode: new Uint8Array(32) });
        expect(rs).toEqual(oracle.sign(digest));
        expect(BigInt(`0x${toHex(rs.subarray(32))}`) <= N / 2n).toBe(true);
        expect(secp256k1PublicKey(key, 'compressed')).toEqual(oracle.publicKey);
        expect(recover.ecdsaRecover(rs, yParity, digest, true)).toEqual(oracle.publicKey);
        expect(recover.ecdsaRecover(rs, yParity, digest, false)).toEqual(secp256k1PublicKey(key, 'uncompressed'));
        memory.free(key);
      }),
      { numRuns: 25 },
    );
  });

  it('of a batch stand in its order, whichever slabs the keys lie in', () => {
    const keys = Array.from({ length: 3000 }, () => memory.allocRandom(32));
    const batch = [2999, 0, 2048, 1, 2047, 0].map((at, i) => ({ key: keys[at]!, digest: new Uint8Array(32).fill(i) }));
    const signatures = signApprovedDigests(batch);
    batch.forEach(({ key, digest }, i) => expect(signatures[i]).toEqual(signOne(key, digest)));
    expect(memory.stats().openSlabs).toBe(0);
  });

  it('do not change when the signer is blinded anew', () => {
    const key = secretOf(memory, ONE);
    const before = signOne(key, sha256('x'));
    randomizeSigner(memory);
    expect(signOne(key, sha256('x'))).toEqual(before);
  });
});

describe('private keys', () => {
  it.each([
    ['00'.repeat(32), false],
    [ONE, true],
    [N_MINUS_1, true],
    [N.toString(16), false],
    ['ff'.repeat(32), false],
    ['01'.repeat(31), false],
    ['01'.repeat(33), false],
  ])('%s is one: %s', (hex, expected) => {
    expect(isPrivateKey(secretOf(memory, hex))).toBe(expected);
  });

  it('are made anew each time', () => {
    const made = Array.from({ length: 50 }, () => generatePrivateKey(memory));
    expect(made.every(isPrivateKey)).toBe(true);
    expect(new Set(made.map((slot) => toHex(reveal(slot)))).size).toBe(50);
  });

  it('that are none sign nothing', () => {
    const zero = memory.alloc(32);
    expect(() => signOne(zero, new Uint8Array(32))).toThrow();
    expect(memory.stats().openSlabs).toBe(0);
  });
});
