import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUuidV7, uuidV7 } from './uuid-v7.ts';

describe('UUIDv7', () => {
  it('is the example of RFC 9562 appendix A.6', () => {
    // 017F22E2-79B0-7CC3-98C4-DC0C0C07398F: rand_a = 0xCC3, rand_b = 0x18C4DC0C0C07398F.
    const entropy = () => Uint8Array.from(Buffer.from('0cc318c4dc0c0c07398f', 'hex'));
    expect(uuidV7(0x017f22e279b0, entropy)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });

  it('sorts by time and has the form that is asked for', () => {
    const time = fc.nat({ max: 2 ** 47 });
    const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(time, time, random, random, (a, b, x, y) => {
        const [first, second] = [uuidV7(a, () => x), uuidV7(b, () => y)];
        expect(isUuidV7(first)).toBe(true);
        if (a < b) expect(first < second).toBe(true);
      }),
    );
  });

  it.each([
    '017F22E2-79B0-7CC3-98C4-DC0C0C07398F',
    '017f22e2-79b0-4cc3-98c4-dc0c0c07398f',
    '017f22e279b07cc398c4dc0c0c07398f',
    '',
  ])('does not take %j', (text) => {
    expect(isUuidV7(text)).toBe(false);
  });
});
