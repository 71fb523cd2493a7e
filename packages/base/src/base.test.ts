import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  canonicalJson,
  lengthPrefixed,
  u32be,
  u64be,
  formatBitcoin,
  formatEther,
  fromBase64url,
  fromHex,
  fromUtf8,
  MAX_SATS,
  parseBitcoin,
  parseEther,
  parseSats,
  parseWei,
  sats,
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
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes);
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

  it('reads bitcoin exactly and never rounds', () => {
    expect(parseBitcoin('2')).toEqual({ ok: true, value: 200_000_000n });
    expect(parseBitcoin('0.00000001')).toEqual({ ok: true, value: 1n });
    expect(parseBitcoin('0.000000001')).toEqual({ ok: false, error: 'too_many_decimals' });
    expect(parseBitcoin('0.000000010')).toEqual({ ok: false, error: 'too_many_decimals' });
    for (const text of ['', '-1', '01', '1.', '.5', '1e3', '0x10', ' 1', '21000000.00000001']) {
      expect(parseBitcoin(text)).toEqual({ ok: false, error: 'not_an_amount' });
    }
    expect(parseSats('2100000000000000')).toEqual({ ok: true, value: MAX_SATS });
    for (const text of ['', '-1', '01', '1.0', '2100000000000001', '99999999999999999999']) {
      expect(parseSats(text).ok).toBe(false);
    }
    expect(() => sats(-1n)).toThrow(RangeError);
    expect(() => sats(MAX_SATS + 1n)).toThrow(RangeError);
  });

  it('formats sats as the bitcoin that it parses', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: MAX_SATS }), (value) => {
        expect(parseBitcoin(formatBitcoin(value))).toEqual({ ok: true, value });
        expect(parseSats(value.toString())).toEqual({ ok: true, value });
      }),
    );
    expect(formatBitcoin(-150_000_000n)).toBe('-1.5');
  });
});

/** RFC 8785 §3.2 spelled out, without any regard to speed. */
function spelled(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spelled).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(Object.is(value, -0) ? 0 : value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${spelled(member)}`).join()}}`;
}

describe('encoders', () => {
  it('give the same text with the engine’s own functions and without', async () => {
    const { toHex: ownHex, toBase64: ownBase64 } = Uint8Array.prototype as never as Record<string, unknown>;
    expect([typeof ownHex, typeof ownBase64]).toEqual(['function', 'function']);
    const { fromBase64: ownFromBase64 } = Uint8Array as never as Record<string, unknown>;
    expect(typeof ownFromBase64).toBe('function');
    vi.resetModules();
    Object.assign(Uint8Array.prototype, { toHex: undefined, toBase64: undefined });
    Object.assign(Uint8Array, { fromBase64: undefined });
    const portable = await import('./bytes.ts').finally(() => {
      Object.assign(Uint8Array.prototype, { toHex: ownHex, toBase64: ownBase64 });
      Object.assign(Uint8Array, { fromBase64: ownFromBase64 });
    });
    const letters = fc.string({ unit: fc.constantFrom(...'AQgwxyz09-_', ...'+/= \n\t.ä\u0000'), maxLength: 9 });
    fc.assert(
      fc.property(fc.oneof(letters, fc.string()), (text) => {
        expect(fromBase64url(text)).toEqual(portable.fromBase64url(text));
      }),
      { numRuns: 5_000 },
    );
    expect(fromBase64url('AB')).toBeUndefined();
    expect(fromBase64url('AQ')).toEqual(Uint8Array.of(1));
    expect(fromBase64url('')).toEqual(new Uint8Array(0));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        expect(toHex(bytes)).toBe(portable.toHex(bytes));
        expect(toBase64url(bytes)).toBe(portable.toBase64url(bytes));
        expect(toBase64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
        expect(portable.toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
      }),
    );
  });
});

describe('integers as bytes', () => {
  it('are big-endian, up to the largest safe one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1)), (value) => {
        expect(BigInt(`0x${toHex(u64be(value))}`)).toBe(BigInt(value));
        expect(u64be(value)).toHaveLength(8);
        expect(BigInt(`0x${toHex(u32be(value % 2 ** 32))}`)).toBe(BigInt(value % 2 ** 32));
      }),
    );
    expect(toHex(lengthPrefixed(Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)))).toBe(
      '000000020102' + '00000000' + '0000000103',
    );
  });
});

describe('canonical JSON', () => {
  it('is the one text of a value, whatever its keys are called', () => {
    const awkward = ['9', '10', '01', '-1', '', '__proto__', 'constructor', 'toString', 'toJSON', 'ä', '\ud800', 'a'];
    const key = fc.oneof(fc.constantFrom(...awkward), fc.string());
    const leaf = fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value')), fc.dictionary(key, tie('value'))),
    }));
    fc.assert(
      fc.property(value, (any) => {
        expect(canonicalJson(any as never)).toBe(spelled(any));
      }),
    );
    expect(canonicalJson(JSON.parse('{"b":{"__proto__":1},"a":{"10":1,"9":2}}'))).toBe(
      '{"a":{"10":1,"9":2},"b":{"__proto__":1}}',
    );
    expect(canonicalJson([-0])).toBe('[0]');
    expect(() => canonicalJson([undefined] as never)).toThrow(TypeError);
    expect(() => canonicalJson({ a: () => 1 } as never)).toThrow(TypeError);
  });

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
