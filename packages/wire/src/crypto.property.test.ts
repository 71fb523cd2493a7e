import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCanonicalBase64url } from './crypto.ts';

const decode = (text: string) => Buffer.from(text, 'base64url');
/** What it stands for: nothing but a canonical text encodes back to itself. */
const encodesBack = (text: string) => decode(text).toString('base64url') === text;

describe('isCanonicalBase64url', () => {
  it('agrees with encoding again, for texts that are nearly base64url', () => {
    const text = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64url'));
    const letter = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    const changed = fc.tuple(text, fc.array(fc.tuple(fc.nat(60), fc.nat(2), letter), { maxLength: 3 }));
    fc.assert(
      fc.property(changed, ([whole, changes]) => {
        let now = whole;
        for (const [at, cut, put] of changes) now = now.slice(0, at) + put + now.slice(at + cut);
        expect(isCanonicalBase64url(now, decode(now))).toBe(encodesBack(now));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    '',
    'AA',
    'AAA',
    'AAAA',
    '-_8',
    'AB',
    'AAB',
    'A',
    'AAAAA',
    'AA==',
    'A+AA',
    'A/AA',
    'AA AA',
    'AA\n',
    'A\xffAA',
  ])('agrees with encoding again: %j', (text) =>
    expect(isCanonicalBase64url(text, decode(text))).toBe(encodesBack(text)),
  );

  it('knows every letter that may stand last', () => {
    for (let code = 0; code < 256; code++) {
      for (const start of ['A', 'AA', 'AAA', 'AAAA']) {
        const text = start + String.fromCharCode(code);
        expect([text, isCanonicalBase64url(text, decode(text))]).toEqual([text, encodesBack(text)]);
      }
    }
  });
});
