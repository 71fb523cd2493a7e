import { type Json } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import { typed, accepted, COW, BOB, DOMAIN, EXAMPLE, one, refusalOf } from './typed-data.fixture.ts';

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
