import { fromHex, toHex } from '@keepwatch/base';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { coreOf } from './transaction-core.ts';

const bob = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const transfer = { to: bob, value: 5n, data: new Uint8Array(0) };

const word = `0x${'0'.repeat(63)}1` as const;
const authorization = { chainId: 1, address: bob, nonce: 1, yParity: 0, r: word, s: word } as const;

describe('what a transaction does apart from its fees', () => {
  it('is a recipient and a value for a plain transfer', () => {
    expect(coreOf(transfer, keccak_256)).toBe(`${bob}:5:`);
  });

  it('says that a contract is created, the hash of long parts, and every blob', () => {
    const hashed = (text: string) => toHex(keccak_256(fromHex(text)!));
    expect(coreOf({ ...transfer, to: null, data: fromHex('6000')! }, keccak_256)).toBe(`create:5:${hashed('6000')}`);
    const blobs = ['01', '02'].map((end) => `0x01${'0'.repeat(60)}${end}`);
    expect(coreOf({ ...transfer, blobVersionedHashes: blobs }, keccak_256)).toBe(`${bob}:5::${blobs.join(',')}:`);
    // rlp([[1, bob, 1, 0, 1, 1]])
    const list = `dbda0194${bob.slice(2)}01800101`;
    expect(coreOf({ ...transfer, authorizationList: [authorization] }, keccak_256)).toBe(`${bob}:5:::${hashed(list)}`);
  });

  it('differs where recipient, value, data, blobs or authorisations differ', () => {
    const data = fromHex('a9059cbb')!;
    const cores = [
      transfer,
      { ...transfer, to: null },
      { ...transfer, value: 6n },
      { ...transfer, data },
      { ...transfer, data: fromHex('a9059cbc')! },
      { ...transfer, blobVersionedHashes: [`0x01${'0'.repeat(62)}`] },
      { ...transfer, authorizationList: [authorization] },
      { ...transfer, authorizationList: [{ ...authorization, nonce: 2 }] },
      { ...transfer, authorizationList: [authorization, authorization] },
    ].map((each) => coreOf(each, keccak_256));
    expect(new Set(cores).size).toBe(cores.length);
  });
});
