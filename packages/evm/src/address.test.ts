import { fromHex, type Keccak256 } from '@keepwatch/base';
import { getAddress, keccak256, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOfPublicKey, checksumAddress, parseAddress, type Address } from './address.ts';

const keccak: Keccak256 = (bytes) => keccak256(bytes, 'bytes');

describe('EIP-55', () => {
  // The test cases of the EIP: all caps, all lower, and normal.
  const vectors = [
    '0x52908400098527886E0F7030069857D2E4169EE7',
    '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
    '0xde709f2102306220921060314715629080e2fb77',
    '0x27b1fdb04752bbc536007a920d24acb045561c26',
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
  ];
  it.each(vectors)('%s', (text) => {
    const address = text.toLowerCase() as Address;
    expect(checksumAddress(address, keccak)).toBe(text);
    expect(parseAddress(text, keccak)).toEqual({ ok: true, value: address });
    expect(parseAddress(address, keccak)).toEqual({ ok: true, value: address });
  });

  it('agrees with viem on any address', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
        const address: Address = `0x${Buffer.from(bytes).toString('hex')}`;
        expect(checksumAddress(address, keccak)).toBe(getAddress(address));
      }),
    );
  });

  it('refuses each single letter in the wrong case, and the unchecked all upper case', () => {
    const text = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
    for (let i = 2; i < text.length; i++) {
      const letter = text[i]!;
      const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
      if (other === letter) continue;
      expect(parseAddress(text.slice(0, i) + other + text.slice(i + 1), keccak)).toEqual({
        ok: false,
        error: 'wrong_checksum',
      });
    }
    expect(parseAddress(`0x${text.slice(2).toUpperCase()}`, keccak)).toEqual({ ok: false, error: 'wrong_checksum' });
  });

  it.each([
    '',
    '0x',
    '5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
    '0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
    '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae',
    '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed0',
    '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg',
    ' 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
    '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\n',
  ])('refuses %j', (text) => {
    expect(parseAddress(text, keccak)).toEqual({ ok: false, error: 'not_an_address' });
  });

  it('checksums canonical addresses only', () => {
    expect(() => checksumAddress('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', keccak)).toThrow(RangeError);
  });
});

describe('addressOfPublicKey', () => {
  // The first account of the test mnemonic that anvil and hardhat publish.
  const key: Hex = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
  const publicKey = fromHex(privateKeyToAccount(key).publicKey)!;

  it('takes the key with and without its prefix', () => {
    expect(addressOfPublicKey(publicKey, keccak)).toBe('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');
    expect(addressOfPublicKey(publicKey.subarray(1), keccak)).toBe('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');
  });

  it('refuses a compressed key and a foreign prefix', () => {
    expect(() => addressOfPublicKey(publicKey.subarray(0, 33), keccak)).toThrow(RangeError);
    expect(() => addressOfPublicKey(Uint8Array.from([6, ...publicKey.subarray(1)]), keccak)).toThrow(RangeError);
  });
});
