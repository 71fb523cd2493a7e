import { toHex, type Json } from '@keepwatch/base';
import { keccak_256 as keccak } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { readTypedData } from './typed-data.ts';

type Fields = Record<string, string>;
const members = (fields: Fields) => Object.entries(fields).map(([name, type]) => ({ name, type }));
const DOMAIN_TYPE: Fields = { name: 'string', version: 'string', chainId: 'uint256', verifyingContract: 'address' };

function typed(types: Record<string, Fields>, primaryType: string, domain: Json, message: Json): Record<string, Json> {
  const all: Record<string, Fields> = { EIP712Domain: DOMAIN_TYPE, ...types };
  const spelled = Object.fromEntries(Object.entries(all).map(([name, fields]) => [name, members(fields)]));
  return { types: spelled, primaryType, domain, message };
}

const read = (json: Json, chainId = 1) => readTypedData(json, chainId, keccak);
function accepted(json: Json) {
  const result = read(json);
  if (!result.ok) throw new Error(`${result.error.code} at ${result.error.path}`);
  const { preimage, digest, ...rest } = result.value;
  expect(keccak(preimage)).toEqual(digest);
  return { ...rest, digest: toHex(digest) };
}

const COW = { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' };
const BOB = { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' };
const PERSON = { name: 'string', wallet: 'address' };
const MAIL = { from: 'Person', to: 'Person', contents: 'string' };
const DOMAIN = {
  name: 'Ether Mail',
  version: '1',
  chainId: 1,
  verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
};
/** EIP-712, "Test Cases" (assets/eip-712/Example.js). */
const EXAMPLE = typed({ Person: PERSON, Mail: MAIL }, 'Mail', DOMAIN, { from: COW, to: BOB, contents: 'Hello, Bob!' });

describe('published typed data', () => {
  it('the example of EIP-712', () => {
    expect(accepted(EXAMPLE)).toEqual({
      digest: 'be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2',
      domainSeparator: '0xf2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f',
      typeHash: '0xa0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2',
      encodedType: 'Mail(Person from,Person to,string contents)Person(string name,address wallet)',
      primaryType: 'Mail',
      domain: { ...DOMAIN, verifyingContract: DOMAIN.verifyingContract.toLowerCase(), salt: null },
      fields: [
        {
          name: 'from',
          type: '(string,address)',
          value: [
            { name: 'name', type: 'string', value: 'Cow' },
            { name: 'wallet', type: 'address', value: COW.wallet.toLowerCase() },
          ],
        },
        {
          name: 'to',
          type: '(string,address)',
          value: [
            { name: 'name', type: 'string', value: 'Bob' },
            { name: 'wallet', type: 'address', value: BOB.wallet.toLowerCase() },
          ],
        },
        { name: 'contents', type: 'string', value: 'Hello, Bob!' },
      ],
    });
  });

  // MetaMask/eth-sig-util, "signedTypeData with V4 array"; its unused type Group is left out.
  it('arrays of structs and of addresses', () => {
    const json = typed(
      {
        Person: { name: 'string', wallets: 'address[]' },
        Mail: { from: 'Person', to: 'Person[]', contents: 'string' },
      },
      'Mail',
      DOMAIN,
      {
        from: {
          name: 'Cow',
          wallets: ['0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826', '0xDeaDbeefdEAdbeefdEadbEEFdeadbeEFdEaDbeeF'],
        },
        to: [
          {
            name: 'Bob',
            wallets: [
              '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB',
              '0xB0BdaBea57B0BDABeA57b0bdABEA57b0BDabEa57',
              '0xB0B0b0b0b0b0B000000000000000000000000000',
            ],
          },
        ],
        contents: 'Hello, Bob!',
      },
    );
    const { digest, fields } = accepted(json);
    expect(digest).toBe('a85c2e2b118698e88db68a8105b794a8cc7cec074e89ef991cb4f5f533819cc2');
    expect(fields[1]!.type).toBe('(string,address[])[]');
  });

  // wevm/viem, src/utils/signature/hashTypedData.test.ts
  it('basic, complex, and with every field of a domain', () => {
    const zero = { ...DOMAIN, verifyingContract: `0x${'0'.repeat(40)}` };
    expect(accepted({ ...EXAMPLE, domain: zero }).digest).toBe(
      '448f54762ef8ecccdc4d19bb7d467161383cd4b271617a8cee05c790eb745d74',
    );
    const person = (first: string, last: string, wallet: string, age: number, colors: string[], isCool: boolean) => ({
      ...{ name: { first, last }, wallet, age, foo: '123123123123123123', favoriteColors: colors, isCool },
    });
    const complex = typed(
      {
        Name: { first: 'string', last: 'string' },
        Person: {
          ...{ name: 'Name', wallet: 'address', favoriteColors: 'string[3]', foo: 'uint256', age: 'uint8' },
          isCool: 'bool',
        },
        Mail: { timestamp: 'uint256', from: 'Person', to: 'Person', contents: 'string', hash: 'bytes' },
      },
      'Mail',
      { ...zero, name: 'Ether Mail 🥵', version: '1.1.1' },
      {
        timestamp: 1234567890,
        contents: 'Hello, Bob! 🖤',
        hash: `0x${'1234567890abcdef'.repeat(4)}`,
        from: person('Cow', 'Burns', COW.wallet, 69, ['red', 'green', 'blue'], false),
        to: person('Bob', 'Builder', BOB.wallet, 70, ['orange', 'yellow', 'green'], true),
      },
    );
    expect(accepted(complex).digest).toBe('9a74cb859ad30835ffb2da406423233c212cf6dd78e6c2c98b0c9289568954ae');
    const salted = typed(
      { EIP712Domain: { ...DOMAIN_TYPE, salt: 'bytes32' }, Message: { data: 'string' } },
      'Message',
      { ...zero, name: 'example.metamask.io', salt: `0x010203${'0'.repeat(58)}` },
      { data: 'Hello!' },
    );
    expect(accepted(salted)).toMatchObject({
      digest: 'd2669f23b7849020ad41bcbff5b51372793f91320e0f901641945568ed7322be',
      domain: { salt: `0x010203${'0'.repeat(58)}` },
    });
  });

  // The type hashes that these contracts publish as constants.
  it.each([
    [
      'EIP-2612',
      'Permit',
      { owner: 'address', spender: 'address', value: 'uint256', nonce: 'uint256', deadline: 'uint256' },
      '6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9',
    ],
    [
      'DAI',
      'Permit',
      { holder: 'address', spender: 'address', nonce: 'uint256', expiry: 'uint256', allowed: 'bool' },
      'ea2aa0a1be11a07ed86d755c93467f4f82362b452371d1ba94d1715123511acb',
    ],
    [
      'EIP-3009',
      'TransferWithAuthorization',
      {
        ...{ from: 'address', to: 'address', value: 'uint256', validAfter: 'uint256', validBefore: 'uint256' },
        nonce: 'bytes32',
      },
      '7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267',
    ],
    [
      'Safe',
      'SafeTx',
      {
        ...{ to: 'address', value: 'uint256', data: 'bytes', operation: 'uint8', safeTxGas: 'uint256' },
        ...{
          baseGas: 'uint256',
          gasPrice: 'uint256',
          gasToken: 'address',
          refundReceiver: 'address',
          nonce: 'uint256',
        },
      },
      'bb8310d486368db6bd6f849402fdd73ad53d316b5a4b2644ad6efe0f941286d8',
    ],
  ])('the type of %s', (_, name, fields, typeHash) => {
    const values: Record<string, Json> = { address: COW.wallet, uint256: '1', uint8: 1, bool: true, bytes: '0x' };
    const message = Object.fromEntries(
      Object.entries(fields as Fields).map(([field, type]) => [field, values[type] ?? `0x${'0'.repeat(64)}`]),
    );
    expect(accepted(typed({ [name]: fields as Fields }, name, DOMAIN, message)).typeHash).toBe(`0x${typeHash}`);
  });
});

/** One field of the type, in a message of its own. */
const one = (type: string, value: Json) => typed({ Mail: { test: type } }, 'Mail', DOMAIN, { test: value });
const refusalOf = (json: Json, chainId = 1) => {
  const result = read(json, chainId);
  return result.ok ? null : `${result.error.code} ${result.error.path}`;
};

// ethereum/go-ethereum, signer/core/testdata: expfail_*.json, each reduced to what makes it fail.
describe('published refusals', () => {
  it.each<[string, Json, string]>([
    [
      'arraytype_overload',
      typed({ Person: PERSON, 'Person[]': { baz: 'string' }, Mail: { to: 'Person[]' } }, 'Mail', DOMAIN, {
        to: { baz: 'foo' },
      }),
      'typed_data_invalid_name types.Person[]',
    ],
    [
      'datamismatch_1',
      typed({ Person: PERSON, Mail: { ...MAIL, contents: 'Person' } }, 'Mail', DOMAIN, EXAMPLE.message!),
      'typed_data_invalid_value message.contents',
    ],
    [
      'extradata-2',
      { ...EXAMPLE, message: { blahonga: 'zonk bonk', ...(EXAMPLE.message as object) } },
      'typed_data_extra_field message.blahonga',
    ],
    [
      'malformeddomainkeys',
      { ...EXAMPLE, domain: { name: 'Acash Mail', version: '1', chainId: '1', vFAILFAILerifyingContract: COW.wallet } },
      'typed_data_extra_field domain.vFAILFAILerifyingContract',
    ],
    [
      'nonexistant_type',
      typed({ Person: PERSON, Mail: { ...MAIL, contents: 'Blahonga' } }, 'Mail', DOMAIN, EXAMPLE.message!),
      'typed_data_unknown_type types.Mail.contents',
    ],
    ['toolargeuint2', one('uint8', 257), 'typed_data_out_of_range message.test'],
    ['unconvertiblefloat', one('uint8', '255.3'), 'typed_data_invalid_value message.test'],
    ['unconvertiblefloat2', one('uint8', 255.3), 'typed_data_invalid_value message.test'],
    // Accepted by go-ethereum: EIP-712 says that there are no aliases uint and int.
    ['arrays-1, which has uint[]', one('uint[]', ['3', 4]), 'typed_data_unknown_type types.Mail.test'],
  ])('%s', (_, json, refusal) => {
    expect(refusalOf(json)).toBe(refusal);
  });

  it('custom_arraytype is good', () => {
    const json = typed(
      { Person: { name: 'string' }, Mail: { from: 'Person', to: 'Person[]', contents: 'string' } },
      'Mail',
      { ...DOMAIN, chainId: '1' },
      { from: { name: 'Cow' }, to: [{ name: 'Moose' }, { name: 'Goose' }], contents: 'Hello, Bob!' },
    );
    expect(refusalOf(json)).toBe(null);
  });

  // wevm/viem issue 2888: a struct with the name of an atomic type, and without members.
  it('a struct that is called bytes32', () => {
    const json = { ...one('bytes32', `0x${'11'.repeat(32)}`) };
    const types = json.types as Record<string, Json>;
    expect(refusalOf({ ...json, types: { ...types, bytes32: [] } })).toBe('typed_data_invalid_name types.bytes32');
    expect(refusalOf({ ...json, types: { ...types, Other: [] } })).toBe('typed_data_empty_type types.Other');
  });
});

describe('the shape', () => {
  it.each<[string, Json]>([
    ['null', null],
    ['a text', JSON.stringify(EXAMPLE)],
    ['a list', [EXAMPLE]],
    ['no types', { primaryType: 'Mail', domain: {}, message: {} }],
    ['no domain', { types: {}, primaryType: 'Mail', message: {} }],
    ['one member more', { ...EXAMPLE, metadata: {} }],
  ])('%s is refused', (_, json) => {
    expect(refusalOf(json)).toBe('typed_data_malformed ');
  });

  it.each<[string, Record<string, Json>, string]>([
    ['types that are a list', { types: [] }, 'typed_data_malformed types'],
    ['a primary type that is no text', { primaryType: 1 }, 'typed_data_primary_type primaryType'],
    ['the domain itself', { primaryType: 'EIP712Domain' }, 'typed_data_primary_type primaryType'],
    ['a primary type that is not declared', { primaryType: 'Letter' }, 'typed_data_unknown_type types.Letter'],
    ['an atomic primary type', { primaryType: 'bytes32' }, 'typed_data_unknown_type types.bytes32'],
    ['a domain that is a text', { domain: 'Ether Mail' }, 'typed_data_invalid_value domain'],
    ['no message', { message: null }, 'typed_data_invalid_value message'],
    ['a message that is a list', { message: [] }, 'typed_data_invalid_value message'],
  ])('%s is refused', (_, change, refusal) => {
    expect(refusalOf({ ...EXAMPLE, ...change })).toBe(refusal);
  });
});

describe('types', () => {
  const withTypes = (types: Record<string, Json>) => ({
    ...EXAMPLE,
    types: { ...(EXAMPLE.types as Record<string, Json>), ...types },
  });
  it.each<[string, Json, string]>([
    [
      'a type that nobody uses',
      withTypes({ Group: members({ name: 'string' }) }),
      'typed_data_unused_type types.Group',
    ],
    ['a type that is no list', withTypes({ Person: {} }), 'typed_data_malformed types.Person'],
    ['a member that is a text', withTypes({ Person: ['name'] }), 'typed_data_malformed types.Person[0]'],
    ['a member without type', withTypes({ Person: [{ name: 'name' }] }), 'typed_data_malformed types.Person[0]'],
    [
      'a member with more',
      withTypes({ Person: [{ name: 'name', type: 'string', indexed: true }] }),
      'typed_data_malformed types.Person[0]',
    ],
    [
      'a name that is no text',
      withTypes({ Person: [{ name: 1, type: 'string' }] }),
      'typed_data_malformed types.Person[0]',
    ],
    [
      'a type that is no text',
      withTypes({ Person: [{ name: 'name', type: 1 }] }),
      'typed_data_malformed types.Person[0]',
    ],
    [
      'two members of one name',
      withTypes({ Person: [...members(PERSON), { name: 'name', type: 'string' }] }),
      'typed_data_duplicate_member types.Person[2]',
    ],
    [
      'a member name with a space',
      withTypes({ Person: members({ 'a b': 'string' }) }),
      'typed_data_invalid_name types.Person[0]',
    ],
    [
      'a member without name',
      withTypes({ Person: members({ '': 'string' }) }),
      'typed_data_invalid_name types.Person[0]',
    ],
    [
      'a member name that reads like more',
      withTypes({ Person: members({ 'name,address wallet': 'string' }) }),
      'typed_data_invalid_name types.Person[0]',
    ],
    [
      'a struct name with a bracket',
      withTypes({ 'Person(': members(PERSON) }),
      'typed_data_invalid_name types.Person(',
    ],
    [
      'a struct name that begins with a digit',
      withTypes({ '1st': members(PERSON) }),
      'typed_data_invalid_name types.1st',
    ],
    ['a struct name with a dollar sign', withTypes({ $x: members(PERSON) }), 'typed_data_invalid_name types.$x'],
    ['a struct without name', withTypes({ '': members(PERSON) }), 'typed_data_invalid_name types.'],
    ['a struct called uint7', withTypes({ uint7: members(PERSON) }), 'typed_data_invalid_name types.uint7'],
    ['a struct called string', withTypes({ string: members(PERSON) }), 'typed_data_invalid_name types.string'],
    [
      'a struct name of 129 letters',
      withTypes({ ['a'.repeat(129)]: members(PERSON) }),
      `typed_data_invalid_name types.${'a'.repeat(129)}`,
    ],
    [
      'a struct that holds itself',
      withTypes({ Person: members({ name: 'Person' }) }),
      'typed_data_recursive_type types.Person',
    ],
    [
      'a list of itself',
      withTypes({ Person: members({ name: 'string', friends: 'Person[]' }) }),
      'typed_data_recursive_type types.Person',
    ],
    [
      'a circle',
      withTypes({ Person: members({ pet: 'Pet' }), Pet: members({ owner: 'Person' }) }),
      'typed_data_recursive_type types.Person',
    ],
    [
      'a domain within',
      withTypes({ Person: members({ at: 'EIP712Domain' }) }),
      'typed_data_domain_type types.Person.at',
    ],
    [
      '65 members',
      withTypes({ Person: members(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`m${i}`, 'bool']))) }),
      'typed_data_too_large types.Person',
    ],
    [
      '65 types',
      withTypes(Object.fromEntries(Array.from({ length: 62 }, (_, i) => [`T${i}`, members(PERSON)]))),
      'typed_data_too_large types',
    ],
  ])('%s is refused', (_, json, refusal) => {
    expect(refusalOf(json)).toBe(refusal);
  });

  it.each([
    ...['uint', 'int', 'byte', 'uint7', 'uint264', 'uint08', 'int0', 'bytes0', 'bytes33', 'fixed128x18', 'function'],
    ...['mapping(address=>uint256)', '', ' uint8', 'uint8 ', 'Uint8', 'address payable', 'uint8[0]', 'uint8[01]'],
    ...['uint8[-1]', 'uint8[', 'uint8]', 'uint8[]x', '[]', 'uint8[100000]', 'tuple'],
    `bool${'[]'.repeat(33)}`,
  ])('%j is no type', (type) => {
    expect(refusalOf(one(type, 0))).toBe('typed_data_unknown_type types.Mail.test');
  });

  it('may nest 32 levels and no more', () => {
    const nested = (levels: number) => {
      let value: Json = true;
      for (let i = 0; i < levels; i++) value = [value];
      return value;
    };
    expect(refusalOf(one(`bool${'[1]'.repeat(32)}`, nested(32)))).toBe(null);
    const struct = typed({ Mail: { test: `Inner${'[1]'.repeat(32)}` }, Inner: { a: 'bool' } }, 'Mail', DOMAIN, {
      test: 0,
    });
    expect(refusalOf(struct)).toBe('typed_data_too_large types.Mail.test');
  });

  it('may have colons in their names, as protocols in use do', () => {
    const json = typed(
      { 'HyperliquidTransaction:UsdSend': { hyperliquidChain: 'string', amount: 'string' } },
      'HyperliquidTransaction:UsdSend',
      DOMAIN,
      { hyperliquidChain: 'Mainnet', amount: '1' },
    );
    expect(accepted(json).encodedType).toBe('HyperliquidTransaction:UsdSend(string hyperliquidChain,string amount)');
    const nested = typed({ Mail: { test: 'A:B' }, 'A:B': { a: 'bool' } }, 'Mail', DOMAIN, { test: { a: true } });
    expect(refusalOf(nested)).toBe('typed_data_invalid_name types.Mail.test');
    expect(refusalOf(typed({ ':x': { a: 'bool' } }, ':x', DOMAIN, { a: true }))).toBe(
      'typed_data_invalid_name types.:x',
    );
  });
});

describe('the domain', () => {
  const withDomain = (type: Fields, domain: Json) => {
    const { types, ...rest } = EXAMPLE;
    return { ...rest, domain, types: { ...(types as Record<string, Json>), EIP712Domain: members(type) } };
  };

  it('says what it leaves out', () => {
    const { name, version } = DOMAIN;
    expect(accepted(withDomain({ name: 'string', version: 'string' }, { name, version })).domain).toEqual({
      ...{ name, version, chainId: null, verifyingContract: null, salt: null },
    });
    expect(accepted(withDomain({ chainId: 'uint256' }, { chainId: '0x1' })).domain).toMatchObject({
      ...{ name: null, chainId: 1 },
    });
  });

  it.each<[string, Fields, Json]>([
    ['another order', { version: 'string', name: 'string' }, { name: 'a', version: '1' }],
    ['another type', { chainId: 'uint64' }, { chainId: 1 }],
    ['another field', { name: 'string', owner: 'address' }, { name: 'a', owner: COW.wallet }],
    ['a salt of 4 bytes', { salt: 'bytes4' }, { salt: '0x01020304' }],
    ['a contract that is a text', { verifyingContract: 'string' }, { verifyingContract: 'a' }],
  ])('has no %s', (_, type, domain) => {
    expect(refusalOf(withDomain(type, domain))).toMatch(/^typed_data_domain_type types\.EIP712Domain\./);
  });

  it('is not empty, and declared', () => {
    expect(refusalOf(withDomain({}, {}))).toBe('typed_data_empty_type types.EIP712Domain');
    const { EIP712Domain: _, ...types } = EXAMPLE.types as Record<string, Json>;
    expect(refusalOf({ ...EXAMPLE, types })).toBe('typed_data_unknown_type types.EIP712Domain');
  });

  it('has no text that people could not read in a sentence', () => {
    for (const unseen of ['\u001b[2K', '\u009b31m', '\u202e', '\u200b', '\n', '\u2028', '\u3164', '\ue000']) {
      const domain = { ...DOMAIN, name: `Ether${unseen} Mail` };
      expect(refusalOf({ ...EXAMPLE, domain })).toBe('typed_data_invalid_value domain.name');
      const version = { ...DOMAIN, version: unseen };
      expect(refusalOf({ ...EXAMPLE, domain: version })).toBe('typed_data_invalid_value domain.version');
    }
    const long = { ...DOMAIN, name: 'x'.repeat(257) };
    expect(refusalOf({ ...EXAMPLE, domain: long })).toBe('typed_data_too_large domain.name');
    accepted({ ...EXAMPLE, domain: { ...DOMAIN, name: `${'x'.repeat(253)} 署名` } });
  });

  it('is of the chain of the request', () => {
    expect(refusalOf(EXAMPLE, 5)).toBe('typed_data_wrong_chain domain.chainId');
    const huge = { ...DOMAIN, chainId: (2n ** 256n - 1n).toString() };
    expect(refusalOf({ ...EXAMPLE, domain: huge })).toBe('typed_data_wrong_chain domain.chainId');
    expect(refusalOf({ ...EXAMPLE, domain: { ...DOMAIN, chainId: 0 } }, 1)).toBe(
      'typed_data_wrong_chain domain.chainId',
    );
  });

  it('has all its fields, and an address with a right checksum', () => {
    const { version: _, ...rest } = DOMAIN;
    expect(refusalOf({ ...EXAMPLE, domain: rest })).toBe('typed_data_missing_field domain.version');
    const wrong = { ...DOMAIN, verifyingContract: '0xcCCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC' };
    expect(refusalOf({ ...EXAMPLE, domain: wrong })).toBe('typed_data_invalid_value domain.verifyingContract');
  });
});

describe('values', () => {
  const big = (bits: number) => (2n ** BigInt(bits)).toString();
  const less = (bits: number) => (2n ** BigInt(bits) - 1n).toString();
  it.each<[string, Json, unknown]>([
    ['uint8', 255, 255n],
    ['uint8', '255', 255n],
    ['uint8', '0xFF', 255n],
    ['uint8', '0x00ff', 255n],
    ['uint8', 0, 0n],
    ['uint256', less(256), 2n ** 256n - 1n],
    ['uint256', `0x${'f'.repeat(64)}`, 2n ** 256n - 1n],
    ['uint256', Number.MAX_SAFE_INTEGER, BigInt(Number.MAX_SAFE_INTEGER)],
    ['int8', -128, -128n],
    ['int8', '-128', -128n],
    ['int8', 127, 127n],
    ['int256', `-${big(255)}`, -(2n ** 255n)],
    ['bool', true, true],
    ['bool', false, false],
    ['address', BOB.wallet, BOB.wallet.toLowerCase()],
    ['address', BOB.wallet.toLowerCase(), BOB.wallet.toLowerCase()],
    ['bytes', '0x', '0x'],
    ['bytes', '0xABcd', '0xabcd'],
    ['bytes4', '0xA9059CBB', '0xa9059cbb'],
    ['bytes32', `0x${'0'.repeat(64)}`, `0x${'0'.repeat(64)}`],
    ['string', '', ''],
    ['string', 'Привет 🤗', 'Привет 🤗'],
    ['string', '0x12', '0x12'],
    ['bool[]', [], []],
    ['bool[2]', [true, false], [true, false]],
    [
      'uint8[2][]',
      [
        [1, 2],
        ['3', '0x4'],
      ],
      [
        [1n, 2n],
        [3n, 4n],
      ],
    ],
  ])('%s takes %j', (type, json, value) => {
    expect(accepted(one(type, json)).fields).toEqual([{ name: 'test', type, value }]);
  });

  it.each<[string, Json]>([
    ['uint8', 256],
    ['uint8', '256'],
    ['uint8', -1],
    ['uint8', '-1'],
    ['uint256', big(256)],
    ['uint248', less(249)],
    ['int8', 128],
    ['int8', -129],
    ['int8', '0xff'],
    ['int256', big(255)],
  ])('%s is too small for %j', (type, json) => {
    expect(refusalOf(one(type, json))).toBe('typed_data_out_of_range message.test');
  });

  it.each<[string, Json]>([
    ...(
      ['', ' 1', '1 ', '+1', '01', '1e3', '1.0', '1_000', '0x', '0x1g', '-0x1', '-0', '-', '1n', 'NaN', 'ff'] as const
    ).map((text): [string, Json] => ['uint256', text]),
    ['uint256', 2 ** 53],
    ['uint256', 1.5],
    ['uint256', true],
    ['uint256', null],
    ['uint256', [1]],
    ['uint256', {}],
    ['uint256', `0x${'0'.repeat(65)}`],
    ['bool', 'true'],
    ['bool', 1],
    ['bool', null],
    ['address', '0xabc'],
    ['address', BOB.wallet.toUpperCase()],
    ['address', `0x${BOB.wallet.slice(2).toUpperCase()}`],
    ['address', BOB.wallet.slice(2)],
    ['address', `${BOB.wallet}00`],
    ['address', 1],
    ['bytes', '0xabc'],
    ['bytes', 'abcd'],
    ['bytes', '0xzz'],
    ['bytes', 1],
    ['bytes', [1, 2]],
    ['bytes4', '0xa9059c'],
    ['bytes4', '0xa9059cbb00'],
    ['bytes32', '0x'],
    ['string', 1],
    ['string', null],
    ['string', '\ud800'],
    ['string', 'a\udc00b'],
    ['bool[]', true],
    ['bool[]', null],
    ['bool[]', { 0: true }],
    ['bool[2]', [true]],
    ['bool[2]', [true, true, true]],
  ])('%s does not take %j', (type, json) => {
    expect(refusalOf(one(type, json))).toBe('typed_data_invalid_value message.test');
  });

  it('says where a value is wrong, the first one', () => {
    expect(
      refusalOf(
        one('uint8[2][]', [
          [1, 2],
          [3, 256],
          [300, 4],
        ]),
      ),
    ).toBe('typed_data_out_of_range message.test[1][1]');
    const message = { from: COW, to: { name: 'Bob' }, contents: 1 };
    expect(refusalOf({ ...EXAMPLE, message })).toBe('typed_data_missing_field message.to.wallet');
    expect(refusalOf({ ...EXAMPLE, message: { ...message, to: { ...BOB, age: 1 } } })).toBe(
      'typed_data_extra_field message.to.age',
    );
  });

  it('takes no member from a prototype', () => {
    const json = typed({ Mail: { toString: 'string' } }, 'Mail', DOMAIN, {});
    expect(refusalOf(json)).toBe('typed_data_missing_field message.toString');
    const own = typed({ Mail: { ['__proto__']: 'uint8' } }, 'Mail', DOMAIN, JSON.parse('{"__proto__": 1}') as Json);
    expect(accepted(own).fields).toEqual([{ name: '__proto__', type: 'uint8', value: 1n }]);
  });

  it('reads long arrays', () => {
    expect(accepted(one('uint8[]', new Array<number>(130_000).fill(1))).fields).toHaveLength(1);
  });
});
