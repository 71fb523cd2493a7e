import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toInternal } from './hash.ts';
import { bitsFromTarget, meetsTarget, targetFromBits, workOfTarget } from './proof-of-work.ts';

describe('compact targets', () => {
  // The cases of Bitcoin Core's arith_uint256_tests.cpp (bignum_SetCompact), without the bits that say nothing.
  it.each<[number, bigint | undefined]>([
    [0, undefined],
    [0x00123456, undefined],
    [0x01003456, undefined],
    [0x02000056, undefined],
    [0x01123456, 0x12n],
    [0x02123456, 0x1234n],
    [0x03123456, 0x123456n],
    [0x04123456, 0x12345600n],
    [0x04923456, undefined],
    [0x01fedcba, undefined],
    [0x05009234, 0x92340000n],
    [0x20123456, 0x123456n << 232n],
    [0xff123456, undefined],
    [0x1d00ffff, 0xffffn << 208n],
  ])('%i', (bits, target) => {
    expect(targetFromBits(bits)).toBe(target);
  });

  it.each<[bigint, number]>([
    [0n, 0],
    [0x12n, 0x01120000],
    [0x80n, 0x02008000],
    [0x1234n, 0x02123400],
    [0x92340000n, 0x05009234],
  ])('%i in compact form', (target, bits) => {
    expect(bitsFromTarget(target)).toBe(bits);
  });

  it('keep the highest 16 bits or more', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: (1n << 256n) - 1n }), (target) => {
        const kept = targetFromBits(bitsFromTarget(target))!;
        expect(kept <= target).toBe(true);
        expect(target - kept).toBeLessThanOrEqual(target >> 15n);
        expect(bitsFromTarget(kept)).toBe(bitsFromTarget(target));
      }),
    );
  });
});

it('the work of the easiest block of the main chain', () => {
  expect(workOfTarget(0xffffn << 208n)).toBe(0x1_0001_0001n);
});

it('a hash meets every target that is no smaller', () => {
  const value = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n });
  const near = fc.tuple(value, fc.bigInt({ min: -2n, max: 2n })).map(([a, d]) => [a, a + d] as const);
  const lowHalf = value.map((a) => [a, a ^ 1n] as const);
  fc.assert(
    fc.property(fc.oneof(fc.tuple(value, value), near, lowHalf), ([hash, target]) => {
      if (target < 0n || target >= 1n << 256n) return;
      expect(meetsTarget(toInternal(hash.toString(16).padStart(64, '0'))!, target)).toBe(hash <= target);
    }),
  );
});
