import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '@keepwatch/base';
import { createByteSet } from './byte-set.ts';
import { drawHashKey } from './keyed-hash.ts';

/** Entropy that a test can repeat. */
function entropyFrom(seed: number) {
  let state = seed >>> 0;
  return (length: number) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
}

const key = fc.oneof(
  // Few distinct ones, so that adding, removing and asking meet; and some of every length.
  fc.nat({ max: 40 }).map((n) => new Uint8Array(n % 7).fill(n)),
  fc.uint8Array({ maxLength: 50 }),
);

describe('a set of byte strings', () => {
  it('answers as a Set of hex does, whatever is added and removed in between', () => {
    const step = fc.record({ what: fc.constantFrom('add', 'add', 'remove', 'has'), key });
    fc.assert(
      fc.property(fc.nat(), fc.array(step, { maxLength: 400 }), (seed, steps) => {
        const set = createByteSet(drawHashKey(entropyFrom(seed)));
        const oracle = new Set<string>();
        for (const { what, key } of steps) {
          const hex = toHex(key);
          const had = oracle.has(hex);
          if (what === 'add') {
            expect(set.add(key)).toBe(!had);
            oracle.add(hex);
          } else if (what === 'remove') {
            expect(set.remove(key)).toBe(had);
            oracle.delete(hex);
          } else expect(set.has(key)).toBe(had);
          expect(set.size).toBe(oracle.size);
        }
        expect([...set.values()].map(toHex).sort()).toEqual([...oracle].sort());
      }),
      { numRuns: 200 },
    );
  });

  it('knows of each mark what was in it by then, and forgets that at most for what is old when it closes up', () => {
    const step = fc.record({ what: fc.constantFrom('add', 'add', 'add', 'remove', 'mark'), key });
    let known = 0;
    fc.assert(
      // So few that it does not grow by itself.
      fc.property(fc.nat(), fc.array(step, { maxLength: 50 }), fc.boolean(), (seed, steps, churns) => {
        const set = createByteSet(drawHashKey(entropyFrom(seed)));
        const held = new Map<string, number>();
        const marks: { readonly mark: number; readonly at: number }[] = [];
        for (const [at, { what, key }] of steps.entries()) {
          const hex = toHex(key);
          if (what === 'add' && set.add(key)) held.set(hex, at);
          if (what === 'remove' && set.remove(key)) held.delete(hex);
          if (what === 'mark') marks.push({ mark: set.mark, at });
        }
        const last = { mark: set.mark, at: steps.length };
        if (churns) {
          // Large keys that come and go until the rest moves together.
          for (let n = 0; n < 20; n++) {
            const large = new Uint8Array(30_000).fill(n);
            set.add(large);
            set.remove(large);
          }
        }
        const after = { mark: set.mark, at: Infinity };
        for (const [hex, since] of held) {
          for (const { mark, at } of [...marks, last, after]) {
            const says = set.hadAt(fromHex(hex)!, mark);
            if (!churns || at === Infinity) expect(says).toBe(since < at);
            else if (says) expect(since).toBeLessThan(at);
            if (says) known++;
          }
        }
        expect(set.hadAt(new Uint8Array(60), set.mark)).toBe(false);
      }),
      { numRuns: 600 },
    );
    expect(known).toBeGreaterThan(1_000);
  });

  it('finds its keys among other bytes, at any offset', () => {
    fc.assert(
      fc.property(
        fc.array(key, { minLength: 1, maxLength: 60 }),
        fc.array(fc.boolean(), { minLength: 60 }),
        (keys, held) => {
          const set = createByteSet(drawHashKey(entropyFrom(keys.length)));
          const starts = new Uint32Array(keys.length);
          const lengths = new Uint32Array(keys.length);
          const bytes: number[] = [];
          const oracle = new Set<string>();
          for (const [i, part] of keys.entries()) {
            starts[i] = bytes.push(0);
            lengths[i] = part.length;
            bytes.push(...part);
            if (held[i]) {
              set.add(part);
              oracle.add(toHex(part));
            }
          }
          const found = new Uint32Array(keys.length);
          const count = set.findAll(Uint8Array.from([...bytes, 0]), starts, lengths, keys.length, found);
          const expected = [...keys.keys()].filter((i) => oracle.has(toHex(keys[i]!)));
          expect([...found.subarray(0, count)]).toEqual(expected);
        },
      ),
    );
  });

  it('grows, shrinks and closes up without losing any', () => {
    const set = createByteSet(drawHashKey(entropyFrom(1)));
    const keyOf = (n: number) => fromHex(n.toString(16).padStart(68, '0'))!;
    const COUNT = 40_000;
    for (let n = 0; n < COUNT; n++) set.add(keyOf(n));
    const full = set.byteLength();
    for (let n = 0; n < COUNT; n++) if (n % 16 !== 0) set.remove(keyOf(n));
    expect(set.size).toBe(COUNT / 16);
    expect(set.byteLength()).toBeLessThan(full / 2);
    for (let n = 0; n < COUNT; n++) if (set.has(keyOf(n)) !== (n % 16 === 0)) throw new Error(`key ${n}`);
  });

  it('takes at most 52 bytes for a script of 34, at every size from some ten thousand on', () => {
    const set = createByteSet(drawHashKey(entropyFrom(2)));
    const key = new Uint8Array(34);
    const view = new DataView(key.buffer);
    for (let n = 0; n < 300_000; n++) {
      view.setUint32(0, n);
      set.add(key);
      if (n > 30_000 && n % 5_000 === 0) expect(set.byteLength() / set.size).toBeLessThanOrEqual(52);
    }
  });

  it('refuses a key that is too long for it', () => {
    const set = createByteSet(drawHashKey(entropyFrom(3)));
    expect(set.add(new Uint8Array(32_767))).toBe(true);
    expect(set.has(new Uint8Array(32_767))).toBe(true);
    expect(() => set.add(new Uint8Array(32_768))).toThrow(RangeError);
    expect(set.has(new Uint8Array(40_000))).toBe(false);
  });
});

it('two processes hash the same bytes differently', () => {
  expect(drawHashKey(entropyFrom(1))).not.toEqual(drawHashKey(entropyFrom(2)));
});
