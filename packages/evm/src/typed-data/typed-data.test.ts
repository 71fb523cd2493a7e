import { type Json } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import {
  members,
  DOMAIN_TYPE,
  typed,
  accepted,
  COW,
  BOB,
  PERSON,
  MAIL,
  DOMAIN,
  EXAMPLE,
  one,
  refusalOf,
  type Fields,
} from './typed-data.fixture.ts';

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
