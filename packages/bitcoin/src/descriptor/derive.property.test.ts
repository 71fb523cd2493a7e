import { toHex } from '@keepwatch/base';
import { networks, Output } from '@bitcoinerlab/descriptors-scure';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { HDKey } from '@scure/bip32';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveScripts, type DerivedScript } from './derive.ts';
import { parseDescriptor } from './parse.ts';
import { decodeScripts, encodeScripts, storedScripts } from './stored.ts';

// The oracle is @bitcoinerlab/descriptors-scure: another reading of the BIPs, which compiles, derives and hashes by
// itself. It knows neither combo, raw, rawtr nor bare multisig; parse.test.ts has vectors for those.

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const step = fc.integer({ min: 0, max: 0x7fff_ffff });
const steps = fc.array(step, { maxLength: 2 }).map((path) => path.map((one) => `/${one}`).join(''));

/** Keys as people export them: origin, xpub, perhaps a tuple, an index. */
const extended = fc
  .tuple(seeds, steps, fc.constantFrom('', '/<0;1>', '/<7;3>'), steps, fc.boolean())
  .map(([seed, before, tuple, after, origin]) => {
    const account = HDKey.fromMasterSeed(seed).deriveChild(0x8000_0054);
    return `${origin ? '[deadbeef/84h]' : ''}${account.publicExtendedKey}${before}${tuple}${after}/*`;
  });
const fixed = seeds
  .filter((seed) => secp256k1.utils.isValidSecretKey(seed))
  .map((seed) => toHex(secp256k1.getPublicKey(seed)));
const keys = fc.uniqueArray(fc.oneof(extended, extended, fixed), { minLength: 4, maxLength: 4 });

const shapes: readonly ((k: readonly string[]) => string)[] = [
  ([a]) => `pkh(${a})`,
  ([a]) => `wpkh(${a})`,
  ([a]) => `sh(wpkh(${a}))`,
  ([a, b, c]) => `sh(sortedmulti(2,${a},${b},${c}))`,
  ([a, b, c]) => `sh(wsh(sortedmulti(2,${a},${b},${c})))`,
  ([a, b, c]) => `wsh(sortedmulti(3,${a},${b},${c}))`,
  ([a, b, c]) => `wsh(multi(2,${a},${b},${c}))`,
  ([a, b]) => `wsh(or_d(pk(${a}),and_v(v:pkh(${b}),older(52560))))`,
  ([a, b, c, d]) => `wsh(andor(pk(${a}),older(4194305),thresh(2,pk(${b}),s:pk(${c}),s:pk(${d}))))`,
  ([a, b, c]) => `wsh(thresh(2,pk(${a}),s:pk(${b}),s:pk(${c}),snl:after(1700000000)))`,
  ([a, b]) => `wsh(andor(pk(${a}),sha256(${'ab'.repeat(32)}),and_v(v:pk(${b}),hash160(${'cd'.repeat(20)}))))`,
  ([a, b]) => `wsh(or_i(and_v(v:older(1000),pk(${a})),pk(${b})))`,
  ([a]) => `tr(${a})`,
  ([a, b]) => `tr(${a},pk(${b}))`,
  ([a, b, c, d]) => `tr(${a},{pk(${b}),{and_v(v:pk(${c}),after(800000)),and_v(v:pk(${d}),older(144))}})`,
  ([a, b, c, d]) => `tr(${a},{multi_a(2,${b},${c},${d}),sortedmulti_a(1,${d},${b})})`,
  ([a, b, c]) => `tr(${a},or_d(multi_a(1,${b}),and_v(v:pk(${c}),older(17))))`,
];

describe('derived scripts', () => {
  it.each(shapes.map((shape) => [shape(['A', 'B', 'C', 'D']), shape] as const))(
    'are those of another implementation: %s',
    (_name, shape) => {
      fc.assert(
        fc.property(keys, step, (list, index) => {
          // Tuples of one descriptor have one length; which values they have is each key's own affair.
          const text = shape(list);
          const parsed = parseDescriptor(text, 'main');
          if (!parsed.ok) throw new Error(`${parsed.error.code} ${text}`);
          const descriptor = parsed.value;
          for (let branch = 0; branch < descriptor.branches; branch++) {
            // Theirs chooses a branch by its value, and so wants it to be the same for all keys.
            const single = text.replace(/<([0-9]+);([0-9]+)>/g, (_all, first: string, second: string) =>
              branch === 0 ? first : second,
            );
            const at = descriptor.ranged ? index : 0;
            const [ours] = [...deriveScripts(descriptor, branch, at, at + 1)];
            const theirs = new Output({
              descriptor: single,
              network: networks.bitcoin,
              ...(descriptor.ranged ? { index: at } : {}),
            });
            expect(toHex(ours!.script)).toBe(toHex(theirs.getScriptPubKey()));
          }
        }),
        { numRuns: 4 },
      );
    },
  );
});

describe('stored scripts', () => {
  const descriptorOf = (text: string) => {
    const parsed = parseDescriptor(text, 'main');
    if (!parsed.ok) throw new Error(parsed.error.code);
    return parsed.value;
  };

  it('come back as they were, at their own length and no more', () => {
    fc.assert(
      fc.property(
        extended,
        fc.constantFrom('wpkh', 'combo', 'tr'),
        fc.nat(1000),
        fc.nat(5),
        (key, name, from, count) => {
          const descriptor = descriptorOf(`${name}(${key})`);
          const branch = descriptor.branches - 1;
          const derived: DerivedScript[] = [...deriveScripts(descriptor, branch, from, from + count)];
          const stored = encodeScripts(descriptor, branch, from, from + count, derived);
          const decoded = decodeScripts(stored, descriptor);
          if (!decoded.ok) throw new Error(decoded.error);
          expect([...storedScripts(decoded.value)]).toEqual(derived);
          const bytes = derived.reduce((sum, { script }) => sum + script.length, 0);
          expect(stored.length - bytes).toBeLessThanOrEqual(50);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('are not believed where a bit is wrong, a byte is missing, or they are another descriptor’s', () => {
    const key = HDKey.fromMasterSeed(new Uint8Array(32).fill(5)).publicExtendedKey;
    const descriptor = descriptorOf(`wpkh(${key}/*)`);
    const stored = encodeScripts(descriptor, 0, 0, 3, deriveScripts(descriptor, 0, 0, 3));
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const wrong = stored.slice();
      wrong[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeScripts(wrong, descriptor).ok).toBe(false);
    }
    for (let length = 0; length < stored.length; length++) {
      expect(decodeScripts(stored.subarray(0, length), descriptor).ok).toBe(false);
    }
    const other = descriptorOf(`wpkh(${key}/0/*)`);
    expect(decodeScripts(stored, other)).toEqual({ ok: false, error: 'stored_scripts_foreign' });
  });

  it('are whole ranges only', () => {
    const key = HDKey.fromMasterSeed(new Uint8Array(32).fill(5)).publicExtendedKey;
    const descriptor = descriptorOf(`combo(${key}/*)`);
    const derived = [...deriveScripts(descriptor, 0, 0, 2)];
    expect(() => encodeScripts(descriptor, 0, 0, 2, derived.slice(1))).toThrow(RangeError);
    expect(() => encodeScripts(descriptor, 0, 1, 3, derived)).toThrow(RangeError);
    expect(() => [...deriveScripts(descriptor, 1, 0, 2)]).toThrow(RangeError);
    expect(() => [...deriveScripts(descriptor, 0, 0, 2 ** 31 + 1)]).toThrow(RangeError);
  });
});
