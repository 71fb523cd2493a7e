import { fromHex, toHex } from '@keepwatch/base';
import { keccak_256 as keccak } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { authorizationDigest, decodeAuthorization, encodeAuthorization, type Authorization } from './authorization.ts';
import { encodeRlp, uintToBytes, type RlpItem } from './rlp.ts';

describe('published authorisations', () => {
  // wevm/viem, src/utils/authorization/hashAuthorization.test.ts
  it.each<[Authorization, string]>([
    [
      { address: '0xbe95c3f554e9fc85ec51be69a3d807a0d55bcf2c', chainId: 1, nonce: 40 },
      '5919da563810a99caf657d42bd10905adbd28b3b89b8a4577efa471e5e4b3914',
    ],
    [
      { address: '0xfba3912ca04dd458c843e2ee08967fc04f3579c2', chainId: 69, nonce: 420 },
      '9aeacccc1b8571dfc4fb4ba734dbde6e94d6c0188484413585144a755c359aac',
    ],
    [
      { address: '0xbe95c3f554e9fc85ec51be69a3d807a0d55bcf2c', chainId: 0, nonce: 0 },
      '70f22b957bc18cbaa757a12cc3e5fa5268b98b24afe15a35a76e6874748a8bfa',
    ],
  ])('%o', (authorization, digest) => {
    expect(toHex(authorizationDigest(authorization, keccak))).toBe(digest);
    expect(decodeAuthorization(encodeAuthorization(authorization))).toEqual({ ok: true, value: authorization });
  });
});

const int = (value: bigint | number) => uintToBytes(BigInt(value));
const address = new Uint8Array(20).fill(0xaa);
const bytesOf = (...fields: RlpItem[]) => Uint8Array.from([5, ...encodeRlp(fields)]);

describe('decodeAuthorization', () => {
  it('reads what the cases below vary, chain id 0 among it', () => {
    const value = { chainId: 0, address: `0x${'aa'.repeat(20)}`, nonce: 1 };
    expect(decodeAuthorization(bytesOf(int(0), address, int(1)))).toEqual({ ok: true, value });
  });

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'unsupported_transaction_type'],
    ['a transaction’s type', Uint8Array.from([4, ...encodeRlp([])]), 'unsupported_transaction_type'],
    ['no list', Uint8Array.from([5]), 'rlp_truncated'],
    ['a string', Uint8Array.from([5, 0x80]), 'wrong_field_count'],
    ['two fields', bytesOf(int(1), address), 'wrong_field_count'],
    ['four fields', bytesOf(int(1), address, int(1), int(1)), 'wrong_field_count'],
    ['a signature', bytesOf(int(1), address, int(1), int(1), int(1), int(1)), 'signed_transaction'],
    ['trailing bytes', Uint8Array.from([...bytesOf(int(1), address, int(1)), 0]), 'rlp_trailing_bytes'],
    ['a chain id beyond', bytesOf(int(1n << 53n), address, int(1)), 'chain_id_out_of_range'],
    ['leading zeros', bytesOf(fromHex('0001')!, address, int(1)), 'malformed_integer'],
    ['a short address', bytesOf(int(1), address.subarray(1), int(1)), 'malformed_authorization'],
    ['a long address', bytesOf(int(1), new Uint8Array(21), int(1)), 'malformed_authorization'],
    ['no address', bytesOf(int(1), int(0), int(1)), 'malformed_authorization'],
    ['an address in a list', bytesOf(int(1), [address], int(1)), 'malformed_authorization'],
    ['a nonce beyond', bytesOf(int(1), address, int(1n << 53n)), 'nonce_out_of_range'],
    ['a nonce in a list (an early draft had it)', bytesOf(int(1), address, [int(1)]), 'malformed_integer'],
  ])('refuses %s', (_, bytes, error) => {
    expect(decodeAuthorization(bytes)).toEqual({ ok: false, error });
  });

  it('encodes no field that it would refuse to read', () => {
    const good: Authorization = { chainId: 1, address: `0x${'aa'.repeat(20)}`, nonce: 1 };
    expect(() => encodeAuthorization({ ...good, address: '0xaa' })).toThrow(RangeError);
    expect(() => encodeAuthorization({ ...good, nonce: 2 ** 53 })).toThrow(RangeError);
    expect(() => encodeAuthorization({ ...good, chainId: -1 })).toThrow(RangeError);
  });
});
