import { canonicalJson, utf8 } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactMembers, MAX_JSON_DEPTH, parseCanonicalJson, parseStrictJson } from './strict-json.ts';

const parse = (text: string) => parseStrictJson(utf8(text));

describe('strict JSON', () => {
  it.each([
    '{"__proto__":{"admin":true}}',
    '{"a":[{"constructor":{}}]}',
    '{"a":{"prototype":1}}',
    '{"\\u005f_proto__":1}',
    '{"a":0.5}',
    '{"a":9007199254740993}',
    '{"a":1e400}',
    '"\\ud800"',
    '{"\\udc00":1}',
    '\ufeff{}',
    '{}x',
    '',
    'undefined',
    '{"a":1,}',
  ])('refuses %s', (text) => {
    expect(parse(text)).toBe(undefined);
  });

  it('refuses what is not UTF-8', () => {
    expect(parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22))).toBe(undefined);
    expect(parseStrictJson(Uint8Array.of(0x22, 0xc0, 0xaf, 0x22))).toBe(undefined);
  });

  it('bounds the depth, however deep it goes', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(parse(nested(MAX_JSON_DEPTH))).not.toBe(undefined);
    expect(parse(nested(MAX_JSON_DEPTH + 1))).toBe(undefined);
    expect(parse(nested(50_000))).toBe(undefined);
  });

  it('takes the canonical text of a value and no other', () => {
    const values = [fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null)];
    fc.assert(
      fc.property(fc.object({ values, maxDepth: 4 }), (value) => {
        const text = canonicalJson(value as never);
        const refused = parse(text) === undefined;
        // fast-check likes to name members `__proto__`; those are refused, all else comes back as it was.
        if (!refused) expect(canonicalJson(parseCanonicalJson(utf8(text))!)).toBe(text);
        else expect(text).toMatch(/__proto__|constructor|prototype|\\ud/);
        expect(parseCanonicalJson(utf8(` ${text}`))).toBe(undefined);
      }),
    );
    expect(parseCanonicalJson(utf8('{"b":1,"a":2}'))).toBe(undefined);
    expect(parseCanonicalJson(utf8('{"a":1,"a":1}'))).toBe(undefined);
    expect(parseCanonicalJson(utf8('{"a":-0}'))).toBe(undefined);
    expect(parseCanonicalJson(utf8('{"a":1E2}'))).toBe(undefined);
  });

  it('asks for exactly the members', () => {
    expect(exactMembers({ a: 1, b: 2 }, ['a', 'b'])).toEqual({ a: 1, b: 2 });
    expect(exactMembers({ a: 1 }, ['a', 'b'])).toBe(undefined);
    expect(exactMembers({ a: 1, b: 2, c: 3 }, ['a', 'b'])).toBe(undefined);
    // An inherited member is none.
    expect(exactMembers({ a: 1, b: 2 }, ['a', 'toString'])).toBe(undefined);
    expect(exactMembers([1], ['0'])).toBe(undefined);
    expect(exactMembers(null, [])).toBe(undefined);
  });
});
