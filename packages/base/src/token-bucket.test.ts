import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTokenBucket } from './token-bucket.ts';

it('lets a burst through, then the rate', () => {
  const bucket = createTokenBucket(10, 3, 0);
  expect([0, 0, 0, 0].map((at) => bucket.take(at))).toEqual([true, true, true, false]);
  expect([50, 100, 150, 200].map((at) => bucket.take(at))).toEqual([false, true, false, true]);
  expect([9000, 9000, 9000, 9000].map((at) => bucket.take(at))).toEqual([true, true, true, false]);
});

it('never lets more through in any stretch of time than burst and rate allow', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { minLength: 1, maxLength: 200 }), (gaps) => {
      const bucket = createTokenBucket(20, 5, 0);
      const passed: number[] = [];
      let at = 0;
      for (const gap of gaps) if (bucket.take((at += gap))) passed.push(at);
      for (let i = 0; i < passed.length; i++) {
        for (let j = i; j < passed.length; j++) {
          expect(j - i + 1).toBeLessThanOrEqual(5 + ((passed[j]! - passed[i]!) * 20) / 1000 + 1e-6);
        }
      }
      // And it does not starve: after a second of rest there is always one.
      expect(bucket.take(at + 1000)).toBe(true);
    }),
  );
});
