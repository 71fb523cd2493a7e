import { uuidV7 as uuidV7Shape } from '@keepwatch/protocol';
import { describe, expect, it } from 'vitest';
import { uuidV7 } from './uuid.ts';

describe('uuidV7', () => {
  it('gives the example of RFC 9562, appendix A.6', () => {
    // The example's random bits: rand_a = 0xcc3, rand_b = 0x18c4dc0c0c07398f.
    const random = () => Uint8Array.from([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
    expect(uuidV7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });

  it('is what the protocol accepts, different each time, and ordered by time', () => {
    const keys = Array.from({ length: 200 }, (_, i) => uuidV7(1_700_000_000_000 + i));
    for (const key of keys) expect(uuidV7Shape.safeParse(key).success).toBe(true);
    expect(keys.toSorted()).toEqual(keys);
    expect(new Set(Array.from({ length: 200 }, () => uuidV7(1))).size).toBe(200);
  });
});
