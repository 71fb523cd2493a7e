import { expect, it } from 'vitest';
import { toJson } from './json.ts';

const NOT_EXACT = new TypeError('not plain data that JSON holds exactly');

it('is the same data, amounts as decimal strings, without members that are undefined', () => {
  const value = { a: 5n, b: [1, -2n, null], c: { d: true, e: 'x', f: undefined }, g: false, h: [] };
  expect(toJson(value)).toEqual({ a: '5', b: [1, '-2', null], c: { d: true, e: 'x' }, g: false, h: [] });
  expect('f' in (toJson(value).c as object)).toBe(false);
  expect([toJson(null), toJson(7), toJson('x'), toJson(0n)]).toEqual([null, 7, 'x', '0']);
});

it.each<[string, unknown]>([
  ['a fraction', 0.5],
  ['a number beyond the exact ones', 2 ** 53],
  ['no number', Number.NaN],
  ['nothing at all', undefined],
  ['a function', () => 1],
  ['a symbol', Symbol('x')],
  ['a map', new Map()],
  ['bytes', new Uint8Array(1)],
  ['a date', new Date(0)],
  ['an object without a prototype', Object.create(null)],
  ['what an assignment would hide', JSON.parse('{"__proto__": 1}')],
])('is never %s', (_, value) => {
  expect(() => toJson(value)).toThrow(NOT_EXACT);
  expect(() => toJson([value])).toThrow(NOT_EXACT);
  if (value !== undefined) expect(() => toJson({ x: value })).toThrow(NOT_EXACT);
});
