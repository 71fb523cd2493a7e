import { fromHex, toHex, wei } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import type { Eip1559Transaction } from './eip1559.ts';
import { apart, SIGNED_VECTORS } from './fixtures/signed-transactions.ts';
import { encodeRlp, uintToBytes, type RlpItem } from './rlp.ts';
import { decodeUnsigned, encodeSigned, encodeUnsigned } from './transaction.ts';

const hex = (text: string) => fromHex(text)!;

const { unsigned: UNSIGNED, signature: SIGNATURE } = apart(SIGNED_VECTORS.find(({ type }) => type === 'eip1559')!);

describe('encodeSigned', () => {
  it('drops the leading zeros of r and s', () => {
    const short = (byte: string) => hex(`${'00'.repeat(2)}${byte.repeat(30)}`);
    const signed = encodeSigned(UNSIGNED, {
      r: short('ab'),
      s: short('cd'),
      yParity: 0,
    });
    expect(toHex(signed).endsWith(`809e${'ab'.repeat(30)}9e${'cd'.repeat(30)}`)).toBe(true);
  });

  it('attaches no signature to what is no envelope, and no impossible signature to any', () => {
    const unsigned = UNSIGNED;
    const { r, s } = SIGNATURE;
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
    const decoded = decodeUnsigned(UNSIGNED);
    if (!decoded.ok || decoded.value.type !== 'eip1559') throw new Error('unread');
    const transaction = decoded.value;
    const bad = (patch: Partial<Eip1559Transaction>) => () => encodeUnsigned({ ...transaction, ...patch });
    expect(bad({ to: '0xaa' })).toThrow(RangeError);
    expect(bad({ nonce: -1 })).toThrow(RangeError);
    expect(bad({ chainId: 0 })).toThrow(RangeError);
    expect(bad({ maxPriorityFeePerGas: wei(transaction.maxFeePerGas + 1n) })).toThrow(RangeError);
    expect(bad({ gasLimit: 1n << 64n })).toThrow(RangeError);
    expect(bad({ accessList: [{ address: transaction.to!, storageKeys: ['0x01'] }] })).toThrow(RangeError);
  });
});
