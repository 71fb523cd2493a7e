import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  formatEther,
  fromBase64url,
  fromHex,
  fromUtf8,
  parseEther,
  parseWei,
  toBase64url,
  toHex,
  utf8,
} from './index.ts';

describe('bytes', () => {
  it('agrees with the platform on hex and base64url', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        expect(toHex(bytes)).toBe(buffer.toString('hex'));
        expect(toBase64url(bytes)).toBe(buffer.toString('base64url'));
        expect(fromBase64url(toBase64url(bytes))).toEqual(bytes);
        expect(fromHex(`0x${toHex(bytes)}`)).toEqual(bytes);
      }),
    );
  });

  it('reads UTF-8 without losing or mending a byte', () => {
    expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
    expect(fromUtf8(Uint8Array.of(0xc0, 0x80))).toBe(undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = fromUtf8(bytes);
        if (text !== undefined) expect(utf8(text)).toEqual(bytes);
      }),
    );
  });

  it.each(['A', 'AB', 'A=', 'AA==', 'A+AA', 'A/AA', 'AA\n', 'é123'])('refuses %j as base64url', (text) => {
    expect(fromBase64url(text)).toBe(undefined);
  });
});

describe('amounts', () => {
  it('reads ether exactly and never rounds', () => {
    expect(parseEther('2')).toEqual({ ok: true, value: 2n * 10n ** 18n });
    expect(parseEther('0.000000000000000001')).toEqual({ ok: true, value: 1n });
    expect(parseEther('0.0000000000000000001')).toEqual({ ok: false, error: 'too_many_decimals' });
    for (const text of ['', '-1', '01', '1.', '.5', '1e3', '0x10', ' 1']) expect(parseEther(text).ok).toBe(false);
  });

  it('formats what it parses', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), (value) => {
        expect(parseEther(formatEther(value))).toEqual({ ok: true, value });
      }),
    );
  });

  it('bounds wei to 256 bits', () => {
    expect(parseWei((2n ** 256n - 1n).toString()).ok).toBe(true);
    expect(parseWei((2n ** 256n).toString()).ok).toBe(false);
    expect(parseWei('007').ok).toBe(false);
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order of keys', () => {
    expect(canonicalJson({ b: 1, a: [true, null, 'x'], c: undefined })).toBe('{"a":[true,null,"x"],"b":1}');
  });

  it('refuses numbers that another reader could round', () => {
    expect(() => canonicalJson(0.5)).toThrow();
    expect(() => canonicalJson(2 ** 53)).toThrow();
  });

  it('parses back to the same value', () => {
    const values = [fc.string(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null)];
    fc.assert(
      fc.property(fc.object({ values }), (value) => {
        const text = canonicalJson(value as never);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(utf8(text).length).toBeGreaterThan(0);
      }),
    );
  });
});
