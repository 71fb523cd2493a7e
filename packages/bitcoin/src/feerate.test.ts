import { sats, type Sats } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dustLimit } from './dust.ts';
import {
  compareFeerates,
  feeAt,
  feerateOf,
  formatFeerate,
  packageFeerate,
  parseFeerate,
  vsizeOf,
  weightOf,
  type Feerate,
} from './feerate.ts';
import { P2A_SCRIPT, p2pkScript, p2pkhScript, p2shScript, witnessScript } from './script/kinds.ts';

const rate = (value: bigint) => value as Feerate;

describe('feerates', () => {
  it('are read exactly and never rounded', () => {
    expect(parseFeerate('1.5')).toEqual({ ok: true, value: 1500n });
    expect(parseFeerate('0.1')).toEqual({ ok: true, value: 100n });
    expect(parseFeerate('0.0001')).toEqual({ ok: false, error: 'too_many_decimals' });
    for (const text of ['', '-1', '1.', '.5', '01', '1e3', '1 ', '12345678901']) {
      expect(parseFeerate(text)).toEqual({ ok: false, error: 'not_a_feerate' });
    }
    expect(formatFeerate(rate(1500n))).toBe('1.5');
    expect(formatFeerate(rate(20_000n))).toBe('20');
  });

  it('ask for a fee that reaches them, and for not a sat more', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10_000_000n }), fc.integer({ min: 1, max: 100_000 }), (value, vsize) => {
        const fee = feeAt(rate(value), vsize);
        expect(feerateOf(fee, vsize)).toBeGreaterThanOrEqual(value);
        expect((fee - 1n) * 1000n).toBeLessThan(value * BigInt(vsize));
        expect(parseFeerate(formatFeerate(rate(value)))).toEqual({ ok: true, value });
      }),
    );
  });

  it('compare exactly where rounded rates are the same', () => {
    const a = { fee: sats(1000n), vsize: 999_999 };
    const b = { fee: sats(1000n), vsize: 999_998 };
    expect(feerateOf(a.fee, a.vsize)).toBe(feerateOf(b.fee, b.vsize));
    expect(compareFeerates(a, b)).toBe(-1);
    expect(compareFeerates(b, a)).toBe(1);
    expect(compareFeerates(a, a)).toBe(0);
  });

  it('of a package count its members together', () => {
    const parent = { fee: 0n as Sats, vsize: 300 };
    const child = { fee: sats(4000n), vsize: 100 };
    expect(packageFeerate([parent, child])).toBe(10_000n);
  });
});

describe('sizes', () => {
  it('follow BIP141', () => {
    // BIP141 “Transaction size calculations”: weight = base × 3 + total; virtual size = weight / 4, rounded up.
    expect(weightOf(82, 191)).toBe(437);
    expect(vsizeOf(437)).toBe(110);
    expect(vsizeOf(436)).toBe(109);
  });

  it('count many signature operations as bytes', () => {
    expect(vsizeOf(400, 80)).toBe(400);
    expect(vsizeOf(400, 1)).toBe(100);
  });
});

describe('dust', () => {
  // The figures that Bitcoin Core’s policy.cpp (GetDustThreshold) names and computes at 3 sat/vB.
  const hash = new Uint8Array(20);
  it.each([
    ['p2pkh', p2pkhScript(hash), 546n],
    ['p2sh', p2shScript(hash), 540n],
    ['p2wpkh', witnessScript(0, hash), 294n],
    ['p2wsh', witnessScript(0, new Uint8Array(32)), 330n],
    ['p2tr', witnessScript(1, new Uint8Array(32)), 330n],
    ['p2a', P2A_SCRIPT, 240n],
    ['p2pk', p2pkScript(Uint8Array.of(2, ...new Uint8Array(32))), 576n],
    ['data', Uint8Array.of(0x6a, 1, 1), 0n],
  ])('%s', (_name, script, limit) => {
    expect(dustLimit(script)).toBe(limit);
    expect(dustLimit(script, rate(0n))).toBe(0n);
  });
});
