import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasKey, keySetBytes, keySetOf, leastLast, NO_KEYS, withKeys, type Key } from './key-set.ts';

/** Few numbers, so that many keys are equal or begin alike; and the greatest there is. */
const word = fc.constantFrom(0, 1, 2, 0xffff_ffff);
const key = fc.tuple(word, word, word, word) as fc.Arbitrary<Key>;

describe('a set of keys', () => {
  it('is what a set of texts is, however it was filled', () => {
    fc.assert(
      fc.property(fc.array(fc.array(key, { maxLength: 20 }), { maxLength: 12 }), key, (batches, asked) => {
        let set = NO_KEYS;
        const texts = new Set<string>();
        for (const batch of batches) {
          set = withKeys(set, batch);
          for (const each of batch) texts.add(each.join());
        }
        expect(set.size).toBe(texts.size);
        for (const each of [asked, ...batches.flat()]) expect(hasKey(set, each)).toBe(texts.has(each.join()));
        const [a, b, c] = asked;
        const last = [...texts]
          .map((text) => text.split(',').map(Number))
          .filter((k) => `${k[0]},${k[1]},${k[2]}` === `${a},${b},${c}`);
        expect(leastLast(set, [a, b, c])).toBe(last.length === 0 ? undefined : Math.min(...last.map((k) => k[3]!)));
        const read = keySetOf(keySetBytes(set))!;
        expect(read.size).toBe(set.size);
        expect(keySetBytes(read)).toEqual(keySetBytes(set));
      }),
    );
  });

  it('leaves what it was made from as it was', () => {
    const one = withKeys(NO_KEYS, [[1, 2, 3, 4]]);
    const two = withKeys(one, [[1, 2, 3, 5]]);
    expect([hasKey(one, [1, 2, 3, 5]), hasKey(two, [1, 2, 3, 4]), hasKey(two, [1, 2, 3, 5])]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('is kept in few blocks, and moves few keys for each that is added', () => {
    let set = NO_KEYS;
    for (let i = 0; i < 20_000; i++) set = withKeys(set, [[7, 7, Math.imul(i, 0x9e37_79b1) >>> 0, i]]);
    expect(set.size).toBe(20_000);
    expect(set.blocks.length).toBeLessThan(16);
  });

  it('does not read bytes that are no set', () => {
    expect(keySetOf(new Uint8Array(15))).toBeUndefined();
    expect(keySetOf(new Uint8Array(32))).toBeUndefined();
    expect(keySetOf(new Uint8Array(0))).toEqual(NO_KEYS);
  });
});
