import { describe, expect, it } from 'vitest';
import { amount, anyOf, integer, list, nullable, record, word } from './reader.ts';

const refused = (code: string, path: string, expected: string) => ({ ok: false, error: { code, path, expected } });
const digit = integer(0, 9, 'invalid_limit');
const ofDigit = 'a whole number from 0 to 9';

describe('a whole number', () => {
  it('lies between its bounds, both included', () => {
    for (const n of [0, 5, 9]) expect(digit(n, '/n')).toEqual({ ok: true, value: n });
    for (const n of [-1, 10, 0.5, Number.NaN, Infinity, '5', null, undefined, 2 ** 53, 5n]) {
      expect(digit(n, '/n')).toEqual(refused('invalid_limit', '/n', ofDigit));
    }
  });
});

describe('an amount', () => {
  const read = amount(1n, 100n, 'invalid_limit');

  it('is a decimal string between its bounds, both included', () => {
    for (const n of ['1', '50', '100']) expect(read(n, '/n')).toEqual({ ok: true, value: BigInt(n) });
    for (const n of ['0', '101', '01', '-1', '+1', '1.0', '1e1', ' 1', '1 ', '', '0x1', 5, 5n, null]) {
      expect(read(n, '/n')).toEqual(refused('invalid_limit', '/n', 'a whole number from 1 to 100 as a decimal string'));
    }
    expect(amount(0n, 1n, 'invalid_limit')('0', '')).toEqual({ ok: true, value: 0n });
    expect(amount(0n, 10n ** 80n, 'invalid_limit')('1'.repeat(79), '').ok).toBe(false);
  });

  it('may be null where that has a meaning', () => {
    expect(nullable(read)(null, '/n')).toEqual({ ok: true, value: null });
    expect(nullable(read)('7', '/n')).toEqual({ ok: true, value: 7n });
    expect(nullable(read)(undefined, '/n').ok).toBe(false);
  });
});

describe('a word', () => {
  it('is one of those that there are', () => {
    const read = word(['day', 'week'], 'invalid_window');
    expect(read('week', '/w')).toEqual({ ok: true, value: 'week' });
    for (const each of ['month', 'Day', '', null, 0]) {
      expect(read(each, '/w')).toEqual(refused('invalid_window', '/w', "'day' or 'week'"));
    }
  });
});

describe('a list', () => {
  const read = list(digit, 1, 3);

  it('has as many items as it may have', () => {
    expect(read([1], '/l')).toEqual({ ok: true, value: [1] });
    expect(read([1, 2, 3], '/l')).toEqual({ ok: true, value: [1, 2, 3] });
    for (const each of [[], [1, 2, 3, 4], 'abc', { length: 2 }, null, undefined]) {
      expect(read(each, '/l')).toEqual(refused('invalid_list', '/l', 'a list of 1 to 3'));
    }
  });

  it('has each item once, and says which one is wrong', () => {
    expect(read([1, 2, 1], '/l')).toEqual(refused('duplicate_item', '/l/2', 'each item once'));
    expect(read([1, 22], '/l')).toEqual(refused('invalid_limit', '/l/1', ofDigit));
    const objects = list(record({ a: amount(0n, 9n, 'invalid_limit') }), 0, 9);
    expect(objects([{ a: '1' }, { a: '2' }], '')).toEqual({ ok: true, value: [{ a: 1n }, { a: 2n }] });
    expect(objects([{ a: '1' }, { a: '1' }], '')).toEqual(refused('duplicate_item', '/1', 'each item once'));
  });

  it('may be the word any, which is no item of it', () => {
    const any = anyOf(digit, 2);
    expect(any('any', '/l')).toEqual({ ok: true, value: 'any' });
    expect(any([], '/l')).toEqual({ ok: true, value: [] });
    expect(any([1, 2], '/l')).toEqual({ ok: true, value: [1, 2] });
    for (const each of [[1, 2, 3], 'all', 5, null]) {
      expect(any(each, '/l')).toEqual(refused('invalid_list', '/l', "'any', or a list of at most 2"));
    }
    expect(any(['any'], '/l')).toEqual(refused('invalid_limit', '/l/0', ofDigit));
  });
});

describe('a record', () => {
  const read = record({ a: digit }, { b: digit });

  it('has its members, and those that it may have', () => {
    expect(read({ a: 1 }, '/r')).toEqual({ ok: true, value: { a: 1 } });
    expect(read({ a: 1, b: 2 }, '/r')).toEqual({ ok: true, value: { a: 1, b: 2 } });
  });

  it('has no others, and none that is missing', () => {
    expect(read({ a: 1, c: 2 }, '/r')).toEqual(refused('unknown_member', '/r/c', 'one of a, b'));
    expect(read({ a: 1, 'c/~': 2 }, '/r')).toEqual(refused('unknown_member', '/r/c~1~0', 'one of a, b'));
    expect(read({ b: 2 }, '/r')).toEqual(refused('invalid_limit', '/r/a', ofDigit));
    expect(read({ a: 1, b: undefined }, '/r')).toEqual(refused('invalid_limit', '/r/b', ofDigit));
    // What an object inherits is no member of it.
    expect(record({ toString: digit })({}, '/r')).toEqual(refused('invalid_limit', '/r/toString', ofDigit));
    for (const each of [null, [], 'x', 5, undefined]) {
      expect(read(each, '/r')).toEqual(refused('not_an_object', '/r', 'an object'));
    }
  });
});
