import { fromHex, toHex, wei } from '@keepwatch/base';
import { keccak_256 as keccak } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { apart, SIGNED_VECTORS } from './fixtures/signed-transactions.ts';
import { readTree } from './rlp-tree.fixture.ts';
import { encodeRlp, uintToBytes, type RlpItem } from './rlp.ts';
import { decodeUnsigned, encodeSigned, encodeUnsigned, feeOf, signingDigest } from './transaction.ts';

const hex = (text: string) => fromHex(text)!;
const word = (text: string) => hex(text.slice(2).padStart(64, '0'));

describe('published transactions', () => {
  it.each(SIGNED_VECTORS)('$type of $sender ($source)', (vector) => {
    const { unsigned, signature } = apart(vector);
    const decoded = decodeUnsigned(unsigned);
    expect(decoded).toMatchObject({ ok: true, value: { type: vector.type, ...vector.says } });
    if (!decoded.ok) return;
    expect(toHex(encodeUnsigned(decoded.value))).toBe(toHex(unsigned));

    const signed = encodeSigned(unsigned, signature);
    expect(toHex(signed)).toBe(vector.signed);
    if (vector.hash !== undefined) expect(toHex(keccak(signed))).toBe(vector.hash);
    if (vector.digest !== undefined) expect(toHex(signingDigest(unsigned, keccak))).toBe(vector.digest);
  });

  it.each(SIGNED_VECTORS)('are not signed again: $type of $sender', ({ signed }) => {
    expect(decodeUnsigned(hex(signed))).toEqual({ ok: false, error: 'signed_transaction' });
  });
});

// EIP-155, "Example": the transaction with nonce 9, and what is hashed.
it('hashes the example of EIP-155', () => {
  const unsigned = hex('ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080');
  expect(toHex(signingDigest(unsigned, keccak))).toBe(
    'daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53',
  );
  expect(decodeUnsigned(unsigned)).toEqual({
    ok: true,
    value: {
      type: 'legacy',
      chainId: 1,
      nonce: 9,
      gasPrice: wei(20n * 10n ** 9n),
      gasLimit: 21_000n,
      to: '0x3535353535353535353535353535353535353535',
      value: wei(10n ** 18n),
      data: new Uint8Array(0),
    },
  });
  const signature = {
    r: hex('28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276'),
    s: hex('67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83'),
    yParity: 0 as const,
  };
  expect(toHex(encodeSigned(unsigned, signature))).toBe(
    'f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
  );
});

const int = (value: bigint | number) => uintToBytes(BigInt(value));
const address = new Uint8Array(20).fill(0xaa);
const hash = (first: number) => Uint8Array.from([first, ...new Uint8Array(31)]);
const FEE_MARKET: readonly RlpItem[] = [int(1), int(7), int(1), int(2), int(21000), address, int(5), int(0), []];
const LEGACY: readonly RlpItem[] = [int(7), int(2), int(21000), address, int(5), int(0), int(1), int(0), int(0)];
const TUPLE: readonly RlpItem[] = [int(1), address, int(3), int(1), int(4), int(5)];
const ORDER = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n;
const TYPES = {
  legacy: LEGACY,
  eip2930: [int(1), int(7), int(2), int(21000), address, int(5), int(0), []],
  eip1559: FEE_MARKET,
  eip4844: [...FEE_MARKET, int(9), [hash(1)]],
  eip7702: [...FEE_MARKET, [TUPLE]],
} as const satisfies Record<string, readonly RlpItem[]>;
const PREFIX = { legacy: [], eip2930: [1], eip1559: [2], eip4844: [3], eip7702: [4] } as const;
type TypeName = keyof typeof TYPES;

const bytesOf = (type: TypeName, fields: readonly RlpItem[]) =>
  Uint8Array.from([...PREFIX[type], ...encodeRlp(fields)]);
const changed = (type: TypeName, index: number, item: RlpItem) =>
  bytesOf(
    type,
    TYPES[type].map((field, i) => (i === index ? item : field)),
  );
const withTuple = (index: number, item: RlpItem) =>
  changed('eip7702', 9, [TUPLE.map((field, i) => (i === index ? item : field))]);

describe('unsigned transactions', () => {
  it.each(Object.keys(TYPES) as TypeName[])('are encoded again as they were: %s', (type) => {
    const bytes = bytesOf(type, TYPES[type]);
    const decoded = decodeUnsigned(bytes);
    expect(decoded).toMatchObject({ ok: true, value: { type, chainId: 1, nonce: 7, gasLimit: 21_000n, value: 5n } });
    if (decoded.ok) expect(toHex(encodeUnsigned(decoded.value))).toBe(toHex(bytes));
  });

  it('with authorisations say each of them', () => {
    expect(decodeUnsigned(bytesOf('eip7702', TYPES.eip7702))).toMatchObject({
      value: {
        to: `0x${'aa'.repeat(20)}`,
        authorizationList: [
          { chainId: 1, address: `0x${'aa'.repeat(20)}`, nonce: 3, yParity: 1, r: `0x${'0'.repeat(63)}4` },
        ],
      },
    });
  });

  // viem, src/utils/transaction/serializeTransaction.test.ts: its second authorisation is for chain 10.
  it('with an authorisation for another chain are refused, though others write them', () => {
    const word = '60fdd29ff912ce880cd3edaf9f932dc61d3dae823ea77e0323f94adb9f6a72fe';
    const unsigned = hex(
      '04f8e3018203118080809470997970c51812dc3a010c7d01b50e0d17dc79c8880de0b6b3a764000080c0f8ba' +
        `f85c0194fba3912ca04dd458c843e2ee08967fc04f3579c28201a480a0${word}a0${word}` +
        `f85a0a9400000000000000000000000000000000000000004501a0${word}a0${word}`,
    );
    expect(decodeUnsigned(unsigned)).toEqual({ ok: false, error: 'authorization_for_another_chain' });
  });
});

describe('each type', () => {
  it.each(Object.keys(TYPES) as TypeName[])('%s has its own number of fields, and no more bytes', (type) => {
    const fields = TYPES[type];
    const bytes = bytesOf(type, fields);
    expect(decodeUnsigned(bytes)).toMatchObject({ ok: true, value: { type, chainId: 1, nonce: 7 } });
    const refusal = (wrong: Uint8Array) => decodeUnsigned(wrong);
    expect(refusal(bytesOf(type, fields.slice(1)))).toEqual({ ok: false, error: 'wrong_field_count' });
    expect(refusal(bytesOf(type, [...fields, int(1)]))).toEqual({ ok: false, error: 'wrong_field_count' });
    expect(refusal(bytesOf(type, []))).toEqual({ ok: false, error: 'wrong_field_count' });
    expect(refusal(Uint8Array.from([...bytes, 0]))).toEqual({ ok: false, error: 'rlp_trailing_bytes' });
    expect(refusal(bytes.subarray(0, -1))).toEqual({ ok: false, error: 'rlp_truncated' });
  });

  it.each(['eip2930', 'eip4844', 'eip7702'] as const)('%s with a signature is signed', (type) => {
    const signed = bytesOf(type, [...TYPES[type], int(1), int(2), int(3)]);
    expect(decodeUnsigned(signed)).toEqual({ ok: false, error: 'signed_transaction' });
  });

  it.each<[string, Uint8Array, string]>([
    ['the form before EIP-155', bytesOf('legacy', LEGACY.slice(0, 6)), 'not_replay_protected'],
    ['legacy: r', changed('legacy', 7, int(1)), 'signed_transaction'],
    ['legacy: s', changed('legacy', 8, int(1)), 'signed_transaction'],
    ['legacy: a list for r', changed('legacy', 7, []), 'malformed_integer'],
    ['legacy: chain id 0', changed('legacy', 6, int(0)), 'chain_id_out_of_range'],
    ['legacy: chain id 2^53', changed('legacy', 6, int(1n << 53n)), 'chain_id_out_of_range'],
    ['legacy: nonce 2^53', changed('legacy', 0, int(1n << 53n)), 'nonce_out_of_range'],
    ['legacy: gas price 2^256', changed('legacy', 1, int(1n << 256n)), 'fee_out_of_range'],
    ['legacy: gas price × gas limit', changed('legacy', 1, int((1n << 256n) - 1n)), 'max_fee_overflow'],
    ['legacy: gas limit 2^64', changed('legacy', 2, int(1n << 64n)), 'gas_limit_out_of_range'],
    ['legacy: a short recipient', changed('legacy', 3, address.subarray(1)), 'malformed_recipient'],
    ['legacy: value 2^256', changed('legacy', 4, int(1n << 256n)), 'value_out_of_range'],
    ['legacy: a list for data', changed('legacy', 5, []), 'malformed_data'],
    ['eip2930: chain id 0', changed('eip2930', 0, int(0)), 'chain_id_out_of_range'],
    ['eip2930: gas price 2^256', changed('eip2930', 2, int(1n << 256n)), 'fee_out_of_range'],
    ['eip2930: no list', changed('eip2930', 7, int(0)), 'malformed_access_list'],
    [
      'eip2930: keys that are followed by an entry',
      changed('eip2930', 7, [[address, [], [address, []]]]),
      'malformed_access_list',
    ],
    [
      'eip2930: keys that are followed by a string',
      changed('eip2930', 7, [[address, [], address]]),
      'malformed_access_list',
    ],
    ['eip2930: gas price with leading zeros', changed('eip2930', 2, hex('0002')), 'malformed_integer'],
    ['eip2930: gas limit with leading zeros', changed('eip2930', 3, hex('0002')), 'malformed_integer'],
    ['eip2930: value with leading zeros', changed('eip2930', 5, hex('0002')), 'malformed_integer'],
    ['eip4844: a recipient in a list', changed('eip4844', 5, [address]), 'malformed_recipient'],
    ['eip4844: a tip above the maximum', changed('eip4844', 2, int(3)), 'priority_fee_above_max_fee'],
    ['eip7702: a tuple in a tuple', changed('eip7702', 9, [[...TUPLE, TUPLE]]), 'malformed_authorization'],
    ['eip7702: a tuple twice in one', changed('eip7702', 9, [[...TUPLE, ...TUPLE]]), 'malformed_authorization'],
    ['eip4844: no recipient', changed('eip4844', 5, int(0)), 'recipient_required'],
    ['eip4844: blob fee 2^256', changed('eip4844', 9, int(1n << 256n)), 'fee_out_of_range'],
    ['eip4844: blob fee × blobs', changed('eip4844', 9, int(1n << 240n)), 'max_fee_overflow'],
    ['eip4844: no blobs', changed('eip4844', 10, []), 'no_blobs'],
    ['eip4844: a string for the hashes', changed('eip4844', 10, hash(1)), 'malformed_blob_hash'],
    ['eip4844: a hash of 31 bytes', changed('eip4844', 10, [hash(1).subarray(1)]), 'malformed_blob_hash'],
    ['eip4844: a list for a hash', changed('eip4844', 10, [[]]), 'malformed_blob_hash'],
    ['eip4844: hash version 0', changed('eip4844', 10, [hash(0)]), 'unsupported_blob_hash_version'],
    ['eip4844: hash version 2', changed('eip4844', 10, [hash(1), hash(2)]), 'unsupported_blob_hash_version'],
    ['eip4844: seven blobs', changed('eip4844', 10, new Array<Uint8Array>(7).fill(hash(1))), 'too_many_blobs'],
    ['eip7702: no recipient', changed('eip7702', 5, int(0)), 'recipient_required'],
    ['eip7702: a short recipient', changed('eip7702', 5, address.subarray(1)), 'malformed_recipient'],
    ['eip7702: a tip above the maximum', changed('eip7702', 2, int(3)), 'priority_fee_above_max_fee'],
    ['eip7702: no authorisations', changed('eip7702', 9, []), 'no_authorizations'],
    ['eip7702: a string for the list', changed('eip7702', 9, int(0)), 'malformed_authorization'],
    ['eip7702: a string for a tuple', changed('eip7702', 9, [int(1)]), 'malformed_authorization'],
    ['eip7702: five fields', changed('eip7702', 9, [TUPLE.slice(0, 5)]), 'malformed_integer'],
    ['eip7702: seven fields', changed('eip7702', 9, [[...TUPLE, int(1)]]), 'malformed_authorization'],
    ['eip7702: another chain', withTuple(0, int(2)), 'authorization_for_another_chain'],
    ['eip7702: a chain id beyond', withTuple(0, int(1n << 53n)), 'chain_id_out_of_range'],
    ['eip7702: a short address', withTuple(1, address.subarray(1)), 'malformed_authorization'],
    ['eip7702: an empty address', withTuple(1, int(0)), 'malformed_authorization'],
    ['eip7702: a nonce beyond', withTuple(2, int(1n << 53n)), 'nonce_out_of_range'],
    ['eip7702: a nonce in a list', withTuple(2, [int(3)]), 'malformed_integer'],
    ['eip7702: yParity 2', withTuple(3, int(2)), 'malformed_authorization'],
    ['eip7702: yParity 0x0001', withTuple(3, hex('0001')), 'malformed_authorization'],
    ['eip7702: r = 0', withTuple(4, int(0)), 'authorization_signature_out_of_range'],
    ['eip7702: r = n', withTuple(4, int(ORDER)), 'authorization_signature_out_of_range'],
    ['eip7702: r of 33 bytes', withTuple(4, int(1n << 256n)), 'authorization_signature_out_of_range'],
    ['eip7702: s = 0', withTuple(5, int(0)), 'authorization_signature_out_of_range'],
    ['eip7702: s = n', withTuple(5, int(ORDER)), 'authorization_signature_out_of_range'],
    ['eip7702: high s', withTuple(5, int((ORDER >> 1n) + 1n)), 'authorization_high_s'],
    ['eip7702: s with leading zeros', withTuple(5, hex('0005')), 'malformed_integer'],
  ])('%s is refused', (_, bytes, error) => {
    expect(decodeUnsigned(bytes)).toEqual({ ok: false, error });
  });

  it('takes the bounds themselves', () => {
    const max = (1n << 256n) - 1n;
    expect(decodeUnsigned(changed('legacy', 4, int(max)))).toMatchObject({ value: { value: max } });
    expect(decodeUnsigned(changed('legacy', 3, int(0)))).toMatchObject({ value: { to: null } });
    expect(decodeUnsigned(changed('eip2930', 5, int(0)))).toMatchObject({ ok: true });
    expect(decodeUnsigned(changed('eip2930', 4, int(0)))).toMatchObject({ value: { to: null } });
    const creation = decodeUnsigned(changed('eip1559', 5, int(0)));
    expect(creation).toMatchObject({ value: { to: null } });
    if (creation.ok) expect(encodeUnsigned(creation.value)).toEqual(changed('eip1559', 5, int(0)));
    // Gas limit and price that multiply to 2^256 − 1 exactly.
    const third = LEGACY.map((field, i) => (i === 1 ? int(max / 3n) : i === 2 ? int(3) : field));
    expect(decodeUnsigned(bytesOf('legacy', third))).toMatchObject({ value: { gasPrice: max / 3n } });
    const six = changed('eip4844', 10, new Array<Uint8Array>(6).fill(hash(1)));
    expect(decodeUnsigned(six)).toMatchObject({ value: { blobVersionedHashes: { length: 6 } } });
    // 2^256 − 1 − gas × cap: the last blob fee that fits.
    const last = ((1n << 256n) - 1n - 42_000n) / 131_072n;
    expect(decodeUnsigned(changed('eip4844', 9, int(last)))).toMatchObject({ value: { maxFeePerBlobGas: last } });
    expect(decodeUnsigned(changed('eip4844', 9, int(last + 1n)))).toEqual({ ok: false, error: 'max_fee_overflow' });
    const half = ORDER >> 1n;
    expect(decodeUnsigned(withTuple(5, int(half)))).toMatchObject({
      value: { authorizationList: [{ s: `0x${half.toString(16)}` }] },
    });
    expect(decodeUnsigned(withTuple(4, int(ORDER - 1n)))).toMatchObject({ ok: true });
    expect(decodeUnsigned(withTuple(3, int(0)))).toMatchObject({ value: { authorizationList: [{ yParity: 0 }] } });
  });

  it('reads an authorisation for every chain, so that it can be denied', () => {
    expect(decodeUnsigned(withTuple(0, int(0)))).toMatchObject({
      value: { authorizationList: [{ chainId: 0, nonce: 3, yParity: 1, r: `0x${'0'.repeat(63)}4` }] },
    });
  });
});

describe('published bytes that nobody may sign', () => {
  // wevm/viem, src/utils/transaction/serializeTransaction.test.ts: the second authorisation is for chain 10, in a
  // transaction of chain 1. The library writes it; a node would skip it.
  it('an authorisation for another chain', () => {
    const scalar = '60fdd29ff912ce880cd3edaf9f932dc61d3dae823ea77e0323f94adb9f6a72fe';
    const head = '04f8e3018203118080809470997970c51812dc3a010c7d01b50e0d17dc79c8880de0b6b3a764000080c0f8ba';
    const first = `f85c0194fba3912ca04dd458c843e2ee08967fc04f3579c28201a480a0${scalar}a0${scalar}`;
    const second = (chain: string) => `f85a${chain}94${'00'.repeat(20)}4501a0${scalar}a0${scalar}`;
    expect(decodeUnsigned(hex(head + first + second('0a')))).toEqual({
      ok: false,
      error: 'authorization_for_another_chain',
    });
    expect(decodeUnsigned(hex(head + first + second('01')))).toMatchObject({
      ok: true,
      value: { nonce: 785, value: 10n ** 18n, authorizationList: [{ nonce: 420 }, { nonce: 69 }] },
    });
  });

  // ethereum/py-evm's blob transaction, as in 0xPolygonZero/zk_evm's parser tests: its priority fee is above its maximum.
  it('a priority fee above the maximum', () => {
    const unsigned = hex(
      '03f86e820539018203e88201f4825208940000000000000000000000000000000000000002' +
        `01824242c08203e8f842a0${'01'.repeat(32)}a0${'01'.repeat(32)}`,
    );
    expect(decodeUnsigned(unsigned)).toEqual({ ok: false, error: 'priority_fee_above_max_fee' });
  });

  // ethereum/tests, TransactionTests/ttEIP2930: their access lists, in an envelope without the signature.
  const key = '00'.repeat(32);
  const owner = '95e7baea6a6c7c4c2dfeb977efac326af552d87';
  it.each([
    ['accessListAddressLessThan20', `f85af858939e7baea6a6c7c4c2dfeb977efac326af552d87f842a0${key}a0${key}`],
    ['accessListAddressGreaterThan20', `f85cf85a95095e7baea6a6c7c4c2dfeb977efac326af552d8788f842a0${key}a0${key}`],
    ['accessListStorage0x0001', `dad994a${owner}c382000${'1'}80`.slice(0, -2)],
    ['accessListStorageOver32Bytes', `f83af83894a${owner}e2a1${'00'.repeat(33)}`],
  ])('%s', (_, accessList) => {
    const head = '018001826a4094095e7baea6a6c7c4c2dfeb977efac326af552d878080';
    const size = (head.length + accessList.length) / 2;
    const header = size < 56 ? (0xc0 + size).toString(16) : `f8${size.toString(16)}`;
    expect(decodeUnsigned(hex(`01${header}${head}${accessList}`))).toEqual({
      ok: false,
      error: 'malformed_access_list',
    });
  });
});

describe('what a transaction can cost', () => {
  const fee = (bytes: Uint8Array) => {
    const decoded = decodeUnsigned(bytes);
    if (!decoded.ok) throw new Error(decoded.error);
    return feeOf(decoded.value);
  };

  it('is gas limit × price, or cap', () => {
    const plain = { maxFeeWei: 42_000n, gasLimit: 21_000n, maxFeePerGas: 2n };
    expect(fee(bytesOf('legacy', TYPES.legacy))).toEqual({ ...plain, maxPriorityFeePerGas: 2n });
    expect(fee(bytesOf('eip2930', TYPES.eip2930))).toEqual({ ...plain, maxPriorityFeePerGas: 2n });
    expect(fee(bytesOf('eip1559', TYPES.eip1559))).toEqual({ ...plain, maxPriorityFeePerGas: 1n });
    expect(fee(bytesOf('eip7702', TYPES.eip7702))).toEqual({ ...plain, maxPriorityFeePerGas: 1n });
  });

  it('and the blobs', () => {
    expect(fee(changed('eip4844', 10, [hash(1), hash(1)]))).toEqual({
      maxFeeWei: 42_000n + 2n * 131_072n * 9n,
      gasLimit: 21_000n,
      maxFeePerGas: 2n,
      maxPriorityFeePerGas: 1n,
      maxFeePerBlobGas: 9n,
      blobs: 2,
    });
  });
});

describe('encodeSigned', () => {
  const low = { r: new Uint8Array(32).fill(1), s: new Uint8Array(32).fill(1), yParity: 1 as const };

  it('puts no signature on what is no unsigned envelope', () => {
    for (const bytes of [
      new Uint8Array(0),
      hex('00c0'),
      hex('05c0'),
      hex('80'),
      hex('c0'),
      bytesOf('legacy', LEGACY.slice(0, 6)),
      changed('legacy', 7, int(1)),
    ]) {
      expect(() => encodeSigned(bytes, low)).toThrow(RangeError);
    }
  });

  it.each(Object.keys(TYPES) as TypeName[])('puts no impossible signature on any: %s', (type) => {
    const bytes = bytesOf(type, TYPES[type]);
    const full = (value: bigint) => word(`0x${value.toString(16)}`);
    expect(() => encodeSigned(bytes, low)).not.toThrow();
    for (const wrong of [
      { s: full((ORDER >> 1n) + 1n) },
      { s: full(ORDER) },
      { s: full(0n) },
      { r: full(0n) },
      { r: full(ORDER) },
      { r: low.r.subarray(1) },
      { s: low.s.subarray(1) },
    ]) {
      expect(() => encodeSigned(bytes, { ...low, ...wrong })).toThrow(RangeError);
    }
    expect(() => encodeSigned(bytes, { ...low, s: full(ORDER >> 1n), r: full(ORDER - 1n) })).not.toThrow();
  });

  it('binds the largest chain id into v', () => {
    const unsigned = changed('legacy', 6, int(Number.MAX_SAFE_INTEGER));
    const signed = encodeSigned(unsigned, low);
    expect((readTree(signed) as Uint8Array[])[6]).toEqual(int((1n << 54n) - 2n + 36n));
  });
});
