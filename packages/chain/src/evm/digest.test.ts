import { fromHex, toHex } from '@keepwatch/base';
import { addressOfPublicKey, encodeRlp, type Address } from '@keepwatch/evm';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { proofOf, signedDigest } from './digest.ts';
import { readPending } from './pending/transaction.ts';

/** The example of EIP-155: its fields, its key, what is signed, and the signature. */
const EIP155 = {
  ...{ type: '0x0', chainId: '0x1', nonce: '0x9', gasPrice: '0x4a817c800', gas: '0x5208', input: '0x' },
  ...{ to: '0x3535353535353535353535353535353535353535', value: '0xde0b6b3a7640000', v: '0x25' },
  r: '0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276',
  s: '0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
  from: '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f',
  hash: '0x33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788',
  ...{ blockHash: null, blockNumber: null, transactionIndex: null },
};
const DIGEST = '0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53';
const ORDER = secp256k1.Point.Fn.ORDER;
const hex = (value: bigint) => `0x${value.toString(16)}`;

/** The transaction with another signature or other fields, and the hash that a node would give it. */
function rehashed(given: typeof EIP155): typeof EIP155 {
  const quantity = (text: string) => fromHex(text === '0x0' ? '' : even(text.slice(2)))!;
  const fields = [given.nonce, given.gasPrice, given.gas].map(quantity);
  const rest = [given.v, given.r, given.s].map(quantity);
  const bytes = encodeRlp([...fields, fromHex(given.to.slice(2))!, quantity(given.value), fromHex('')!, ...rest]);
  return { ...given, hash: `0x${toHex(keccak_256(bytes))}` };
}
const even = (digits: string) => (digits.length % 2 === 0 ? digits : `0${digits}`);

describe('a transaction proves who signed it', () => {
  it('by the example of EIP-155', () => {
    expect(rehashed(EIP155).hash).toBe(EIP155.hash);
    expect(proofOf(EIP155, 1n)).toEqual({ says: 'signed', digest: DIGEST });
    expect(signedDigest(EIP155)).toBe(DIGEST);
  });

  it('and not where a field, the sender or the hash is another one', () => {
    const from = '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a40';
    for (const lie of [{ value: '0x1' }, { nonce: '0xa' }, { to: from }, { from }, { hash: DIGEST }, { v: '0x26' }]) {
      expect(proofOf({ ...EIP155, ...lie }, 1n)).toEqual({ says: 'forged' });
    }
    // Fields and hash that fit each other: somebody signed it, and not the one who is named.
    expect(proofOf(rehashed({ ...EIP155, value: '0x1' }), 1n)).toEqual({ says: 'forged' });
  });

  it('nor on another chain', () => {
    expect(proofOf(EIP155, 5n)).toEqual({ says: 'forged' });
  });

  it('nor in the second form that anybody can make of a signature (EIP-2)', () => {
    const other = { s: hex(ORDER - BigInt(EIP155.s)), v: '0x26' };
    const malleated = rehashed({ ...EIP155, ...other });
    expect(malleated.hash).not.toBe(EIP155.hash);
    expect(proofOf(malleated, 1n)).toEqual({ says: 'forged' });
  });

  it('and nothing is proven without a signature, by a type that is not known, or with a member that is not', () => {
    const { r: _, ...unsigned } = EIP155;
    expect(proofOf(unsigned, 1n)).toEqual({ says: 'unproven' });
    expect(proofOf({ ...EIP155, type: '0x7e' }, 1n)).toEqual({ says: 'unproven' });
    expect(proofOf({ ...EIP155, hash: DIGEST, feeCurrency: EIP155.to }, 1n)).toEqual({ says: 'unproven' });
    expect(proofOf({}, 1n)).toEqual({ says: 'unproven' });
  });

  it('where it names no chain as well, for nodes take it (before EIP-155)', () => {
    const key = fromHex('46'.repeat(32))!;
    const fields = ['09', '04a817c800', '5208', '35'.repeat(20), '01', ''].map((each) => fromHex(each)!);
    const digest = keccak_256(encodeRlp(fields));
    const signature = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' });
    const [recovery, r, s] = [signature[0]!, signature.subarray(1, 33), signature.subarray(33)];
    const { chainId: _, ...common } = EIP155;
    const number = (bytes: Uint8Array) => hex(BigInt(`0x${toHex(bytes)}`));
    const given = { ...common, value: '0x1', v: hex(BigInt(27 + recovery)), r: number(r), s: number(s) };
    const unprotected = rehashed(given as typeof EIP155);
    expect(addressOfPublicKey(secp256k1.getPublicKey(key, false), keccak_256)).toBe(EIP155.from);
    for (const chain of [1n, 5n]) {
      expect(proofOf(unprotected, chain)).toEqual({ says: 'signed', digest: `0x${toHex(digest)}` });
    }
    expect(proofOf({ ...unprotected, from: EIP155.to }, 1n)).toEqual({ says: 'forged' });
  });
});

describe('what an upstream shows', () => {
  const token: Address = `0x${'70'.repeat(20)}`;
  const mine = EIP155.to as Address;
  const watching = (...tokens: readonly Address[]) =>
    new Map([[mine, { address: mine, fresh: false, tokens, allowances: [], unread: [], pending: [] }]]);
  const word = (digits: string) => digits.padStart(64, '0');
  const transfer = `0xa9059cbb${word(mine.slice(2))}${word('0f')}`;

  it('is read where it concerns a watched account, and its bytes are checked', () => {
    expect(readPending(EIP155, watching(), 1n)).toMatchObject({
      is: 'read',
      facts: { nonce: 9n, digest: DIGEST, to: mine, transfer: null },
    });
    expect(readPending(EIP155, new Map(), 1n)).toEqual({ is: 'strange' });
    expect(readPending({ ...EIP155, value: '0x0' }, watching(), 1n)).toEqual({ is: 'strange' });
    expect(readPending({ ...EIP155, nonce: '0x8' }, watching(), 1n)).toEqual({ is: 'forged' });
    expect(() => readPending({ ...EIP155, from: 'x' }, watching(), 1n)).toThrow('no address');
    expect(() => readPending('0x12', watching(), 1n)).toThrow('no object');
  });

  it('of tokens is a call of `transfer` to the account, of a token that is named', () => {
    const call = { ...EIP155, to: token, value: '0x0', input: transfer, s: undefined };
    expect(readPending(call, watching(token), 1n)).toMatchObject({
      is: 'read',
      facts: { digest: null, transfer: { to: mine, amount: 15n } },
    });
    expect(readPending(call, watching(), 1n)).toEqual({ is: 'strange' });
    const dirty = `0xa9059cbb${'1'.repeat(24)}${mine.slice(2)}${word('0f')}`;
    for (const input of ['0xa9059cbb', transfer.slice(0, 100), dirty, `0xdeadbeef${transfer.slice(10)}`]) {
      expect(readPending({ ...call, input }, watching(token), 1n)).toEqual({ is: 'strange' });
    }
  });
});
