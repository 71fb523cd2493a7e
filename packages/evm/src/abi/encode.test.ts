import { fromHex, toHex, type Keccak256 } from '@keepwatch/base';
import { encodeAbiParameters, keccak256, parseAbiParameters } from 'viem';
import { describe, expect, it } from 'vitest';
import { encodeParameters } from './encode.ts';
import { parseFunction } from './function.ts';
import type { Value } from './value.ts';

const keccak: Keccak256 = (bytes) => fromHex(keccak256(bytes))!;
const BOB = `0x${'b0'.repeat(20)}`;

const encode = (types: string, values: readonly Value[]): string => {
  const made = parseFunction(`f(${types})`, keccak);
  if (!made.ok) throw new Error(made.error);
  return `0x${toHex(encodeParameters(made.value.inputs, values))}`;
};

describe('the encoding of values', () => {
  it.each<[string, readonly Value[]]>([
    // "Use of Dynamic Types" of the Solidity documentation: two tails, so that the second offset counts the first one.
    ['uint256,uint32[],bytes10,bytes', [0x123n, [0x456n, 0x789n], '0x31323334353637383930', '0x48656c6c6f']],
    ['string,string,address', ['one', '', BOB]],
    ['bytes', [`0x${'11'.repeat(32)}`]],
    ['bytes', [`0x${'11'.repeat(33)}`]],
    ['bytes', ['0x']],
    ['uint8[2],bool', [[1n, 2n], true]],
    ['string[2],bool', [['a', 'b'], false]],
    ['string[][],address[]', [[['a'], ['b', 'c'], []], [BOB]]],
    ['bytes1,bytes32', ['0xff', `0x${'22'.repeat(32)}`]],
    ['uint8,uint8', [0n, 255n]],
    ['int8,int8,int256', [-128n, 127n, -1n]],
  ])('of %s is that of another library (%#)', (types, values) => {
    expect(encode(types, values)).toBe(encodeAbiParameters(parseAbiParameters(types), values as never));
  });

  it('of a tuple has its members in their order', () => {
    const named = ['first', 'second'].map((text) => ({ name: '', type: 'string', value: text }));
    expect(encode('(string,string),bool', [named, true])).toBe(
      encodeAbiParameters(parseAbiParameters('(string,string),bool'), [['first', 'second'], true]),
    );
  });

  it.each<[string, Value]>([
    ['uint8', 256n],
    ['uint8', -1n],
    ['int8', 128n],
    ['int8', -129n],
    ['address', `${BOB}00`],
    ['address', BOB.slice(2)],
    ['bytes4', '0x112233'],
    ['bytes', '1122'],
    ['bytes', 5n],
    ['string', '\ud800'],
    ['string', 5n],
    ['uint8[2]', [1n]],
    ['uint8[2]', [1n, 2n, 3n]],
    ['uint8[]', 'no list'],
    ['(uint8)', 'no tuple'],
  ])('refuses what is no %s, and names the type (%#)', (type, value) => {
    expect(() => encode(type, [value])).toThrow(new RangeError(`not a value of type ${type}`));
  });
});
