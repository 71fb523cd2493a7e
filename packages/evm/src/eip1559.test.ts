import { fromHex, toHex, wei, type Keccak256 } from '@keepwatch/base';
import { keccak256, recoverAddress, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import type { Eip1559Transaction } from './eip1559.ts';
import { encodeRlp, uintToBytes, type RlpItem } from './rlp.ts';
import { decodeUnsigned, encodeSigned, encodeUnsigned, signingDigest } from './transaction.ts';

const keccak: Keccak256 = (bytes) => keccak256(bytes, 'bytes');
const hex = (text: string) => fromHex(text)!;

// ethereumjs-monorepo, packages/tx/test/json/eip1559.json: transfers on chain 7822, signed with one published key.
const SENDER = privateKeyToAccount('0x8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63').address;
const VECTORS = [
  {
    fields: [819, 43203529, 35552, 75853, 121212],
    signed:
      '02f870821e8e8203338301284d8301d97c828ae094000000000000000000000000000000000000aaaa8402933bc980c080a0d067f2167008c59219652f91cbf8788dbca5f771f6e91e2b7657e85b78b472e0a01d305af9fe81fdba43f0dfcd400ed24dcace0a7e30d4e85701dcaaf484cd079e',
  },
  {
    fields: [353, 61901619, 32593, 38850, 136295],
    signed:
      '02f86f821e8e8201618297c283021467827f5194000000000000000000000000000000000000aaaa8403b08b3380c001a004205678f13fc1d7b10feea6513dfa76e24418b6e08097d95c6f93a3b64e536da01d45ad61bfece43862de2cce7d2575a8c1d08c26c87f3cb5f26d7b0be54a91b2',
  },
  {
    fields: [709, 6478043, 28335, 86252, 94636],
    signed:
      '02f86f821e8e8202c5830150ec830171ac826eaf94000000000000000000000000000000000000aaaa8362d8db80c001a09880d133cd636f8c8dce32e2c43494b9f2dc000eee8dc61931e09f866ed04b46a00e44d5c503c7f08b36c8b062c32a963f3dd20a71e95e3d903bfbe7f4da47cd47',
  },
  {
    fields: [119, 65456115, 62341, 24721, 107729],
    signed:
      '02f86d821e8e778260918301a4d182f38594000000000000000000000000000000000000aaaa8403e6c7f380c001a0e38e239770801eb995498c821e55ac9c19ae09184bb27b34be105e02fe3b7615a067c64ca6bd6d9107e85fd581ab2e70a14b637eb36505bb40861ef9d6e800cab6',
  },
].map(({ fields: [nonce, value, gasLimit, priority, max], signed }) => ({
  signed,
  // The tail of the published bytes: yParity, 0xa0 r, 0xa0 s.
  r: hex(signed.slice(-130, -66)),
  s: hex(signed.slice(-64)),
  yParity: signed.slice(-134, -132) === '01' ? (1 as const) : (0 as const),
  transaction: {
    type: 'eip1559',
    chainId: 7822,
    nonce: nonce!,
    maxPriorityFeePerGas: wei(BigInt(priority!)),
    maxFeePerGas: wei(BigInt(max!)),
    gasLimit: BigInt(gasLimit!),
    to: '0x000000000000000000000000000000000000aaaa',
    value: wei(BigInt(value!)),
    data: new Uint8Array(0),
    accessList: [],
  } satisfies Eip1559Transaction,
}));

describe('published transactions', () => {
  it.each(VECTORS)('$signed', async ({ transaction, r, s, yParity, signed }) => {
    const unsigned = encodeUnsigned(transaction);
    expect(toHex(encodeSigned(unsigned, { r, s, yParity }))).toBe(signed);
    expect(decodeUnsigned(unsigned)).toEqual({ ok: true, value: transaction });
    // The published signature is over our digest exactly where it recovers the published key's address.
    const hash = signingDigest(unsigned, keccak);
    const signature = { r: `0x${toHex(r)}`, s: `0x${toHex(s)}`, yParity } as const;
    await expect(recoverAddress({ hash, signature })).resolves.toBe(SENDER);
  });

  it.each(VECTORS)('refuses to sign again what is signed: $signed', ({ signed }) => {
    expect(decodeUnsigned(hex(signed))).toEqual({ ok: false, error: 'signed_transaction' });
  });

  it('drops the leading zeros of r and s', () => {
    const short = (byte: string) => hex(`${'00'.repeat(2)}${byte.repeat(30)}`);
    const signed = encodeSigned(encodeUnsigned(VECTORS[0]!.transaction), {
      r: short('ab'),
      s: short('cd'),
      yParity: 0,
    });
    expect(toHex(signed).endsWith(`809e${'ab'.repeat(30)}9e${'cd'.repeat(30)}`)).toBe(true);
  });

  it('attaches no signature to what is no envelope, and no impossible signature to any', () => {
    const { transaction, r, s } = VECTORS[0]!;
    const unsigned = encodeUnsigned(transaction);
    const attempts: [Uint8Array, Uint8Array][] = [
      [unsigned.subarray(1), r],
      [unsigned.subarray(0, -1), r],
      [Uint8Array.from([...unsigned, 0]), r],
      [hex('02'), r],
      [hex('0280'), r],
      [unsigned, r.subarray(1)],
      [unsigned, new Uint8Array(32)],
      [unsigned, new Uint8Array(32).fill(255)],
    ];
    for (const [bytes, scalar] of attempts) {
      expect(() => encodeSigned(bytes, { r: scalar, s, yParity: 0 })).toThrow(RangeError);
    }
  });
});

// ethereum/tests, TransactionTests/ttEIP1559: the published bytes are signed; their first nine fields, unsigned, are judged.
describe('the refusals of ethereum/tests ttEIP1559', () => {
  const tail = '82520894095e7baea6a6c7c4c2dfeb977efac326af552d878080c0';
  const unsigned = (fees: string) => {
    const payload = `0180${fees}${tail}`;
    const size = payload.length / 2;
    return hex(`02${size < 56 ? (0xc0 + size).toString(16) : `f8${size.toString(16)}`}${payload}`);
  };
  it.each([
    ['maxFeePerGas00prefix', `8477359400a100${'ff'.repeat(32)}`, 'malformed_integer'],
    ['maxFeePerGas32BytesValue', `8477359400a0${'ff'.repeat(32)}`, 'max_fee_overflow'],
    ['maxFeePerGasOverflow', `8477359400a101${'00'.repeat(32)}`, 'fee_out_of_range'],
    ['maxPriorityFeePerGasOverflow', `a101${'00'.repeat(32)}84b2d05e00`, 'fee_out_of_range'],
    ['GasLimitPriceProductOverflow', `84773594009f03${'ff'.repeat(30)}`, 'max_fee_overflow'],
  ])('%s', (_, fees, error) => {
    expect(decodeUnsigned(unsigned(fees))).toEqual({ ok: false, error });
  });

  it('GasLimitPriceProductOverflowtMinusOne is still valid', () => {
    expect(decodeUnsigned(unsigned(`84773594009f02${'ff'.repeat(30)}`))).toMatchObject({
      ok: true,
      value: { chainId: 1, nonce: 0, gasLimit: 21000n, to: '0x095e7baea6a6c7c4c2dfeb977efac326af552d87' },
    });
  });
});

describe('decodeUnsigned', () => {
  const int = (value: bigint) => uintToBytes(value);
  const address = new Uint8Array(20).fill(0xaa);
  const FIELDS: readonly RlpItem[] = [int(1n), int(7n), int(1n), int(2n), int(21000n), address, int(5n), int(0n), []];
  const bytesOf = (fields: readonly RlpItem[]) => Uint8Array.from([2, ...encodeRlp(fields)]);
  const withField = (index: number, item: RlpItem) => bytesOf(FIELDS.map((field, i) => (i === index ? item : field)));

  it('reads what the cases below vary', () => {
    expect(decodeUnsigned(bytesOf(FIELDS)).ok).toBe(true);
  });

  it.each(['', '00', '05c0', '06c0', '80', '7f', '19', 'bf'])('refuses the type of %j', (text) => {
    expect(decodeUnsigned(hex(text))).toEqual({ ok: false, error: 'unsupported_transaction_type' });
  });

  it.each<[string, Uint8Array, string]>([
    ['no payload', hex('02'), 'rlp_truncated'],
    ['a string for a list', hex('0280'), 'wrong_field_count'],
    ['eight fields', bytesOf(FIELDS.slice(1)), 'wrong_field_count'],
    ['ten fields', bytesOf([...FIELDS, int(1n)]), 'wrong_field_count'],
    ['trailing bytes', Uint8Array.from([...bytesOf(FIELDS), 0]), 'rlp_trailing_bytes'],
    ['more than nodes relay', withField(7, new Uint8Array(128 * 1024)), 'rlp_too_large'],
    ['chain id 0', withField(0, int(0n)), 'chain_id_out_of_range'],
    ['chain id 2^53', withField(0, int(1n << 53n)), 'chain_id_out_of_range'],
    ['nonce 2^53', withField(1, int(1n << 53n)), 'nonce_out_of_range'],
    ['nonce 2^64-1', withField(1, int((1n << 64n) - 1n)), 'nonce_out_of_range'],
    ['a nonce with leading zeros', withField(1, hex('0007')), 'malformed_integer'],
    ['a nonce of one zero byte', withField(1, hex('00')), 'malformed_integer'],
    ['a nonce that is a list', withField(1, []), 'malformed_integer'],
    ['a tip above the maximum', withField(2, int(3n)), 'priority_fee_above_max_fee'],
    ['gas limit 2^64', withField(4, int(1n << 64n)), 'gas_limit_out_of_range'],
    ['a recipient of 19 bytes', withField(5, address.subarray(1)), 'malformed_recipient'],
    ['a recipient of 21 bytes', withField(5, new Uint8Array(21)), 'malformed_recipient'],
    ['a recipient that is a list', withField(5, []), 'malformed_recipient'],
    ['value 2^256', withField(6, int(1n << 256n)), 'value_out_of_range'],
    ['a value longer than any number', withField(6, new Uint8Array(60_000).fill(1)), 'value_out_of_range'],
    ['data that is a list', withField(7, []), 'malformed_data'],
    ['an access list that is a string', withField(8, int(0n)), 'malformed_access_list'],
    ['an entry that is a string', withField(8, [address]), 'malformed_access_list'],
    ['an entry without keys', withField(8, [[address]]), 'malformed_access_list'],
    ['an entry of three', withField(8, [[address, [], []]]), 'malformed_access_list'],
    ['an entry with a short address', withField(8, [[address.subarray(1), []]]), 'malformed_access_list'],
    ['keys that are a string', withField(8, [[address, address]]), 'malformed_access_list'],
    ['a key of 31 bytes', withField(8, [[address, [new Uint8Array(31)]]]), 'malformed_access_list'],
    ['a key that is a list', withField(8, [[address, [[]]]]), 'malformed_access_list'],
  ])('refuses %s', (_, bytes, error) => {
    expect(decodeUnsigned(bytes)).toEqual({ ok: false, error });
  });

  it('takes the bounds themselves', () => {
    const { MAX_SAFE_INTEGER } = Number;
    expect(decodeUnsigned(withField(0, int(BigInt(MAX_SAFE_INTEGER))))).toMatchObject({
      value: { chainId: MAX_SAFE_INTEGER },
    });
    expect(decodeUnsigned(withField(1, int(BigInt(MAX_SAFE_INTEGER))))).toMatchObject({
      value: { nonce: MAX_SAFE_INTEGER },
    });
    expect(decodeUnsigned(withField(2, int(2n))).ok).toBe(true);
    expect(decodeUnsigned(withField(4, int((1n << 64n) - 1n)))).toMatchObject({
      value: { gasLimit: (1n << 64n) - 1n },
    });
    expect(decodeUnsigned(withField(6, int((1n << 256n) - 1n)))).toMatchObject({ value: { value: (1n << 256n) - 1n } });
    expect(decodeUnsigned(withField(5, new Uint8Array(0)))).toMatchObject({ value: { to: null } });
  });

  it('encodes no field that it would refuse to read', () => {
    const { transaction } = VECTORS[0]!;
    const bad = (patch: Partial<Eip1559Transaction>) => () => encodeUnsigned({ ...transaction, ...patch });
    expect(bad({ to: '0xaa' as Hex })).toThrow(RangeError);
    expect(bad({ nonce: -1 })).toThrow(RangeError);
    expect(bad({ chainId: 0 })).toThrow(RangeError);
    expect(bad({ maxPriorityFeePerGas: wei(transaction.maxFeePerGas + 1n) })).toThrow(RangeError);
    expect(bad({ gasLimit: 1n << 64n })).toThrow(RangeError);
    expect(bad({ accessList: [{ address: transaction.to!, storageKeys: ['0x01'] }] })).toThrow(RangeError);
  });
});
