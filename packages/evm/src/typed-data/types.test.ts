import { type Json } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import { members, typed, accepted, PERSON, DOMAIN, EXAMPLE, one, refusalOf } from './typed-data.fixture.ts';

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
