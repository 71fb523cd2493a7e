import fc from 'fast-check';
import { expect, it } from 'vitest';
import { concat, fromHex, toHex } from '@keepwatch/base';
import { compactSize } from './compact-size.ts';
import { consensusOf } from './consensus.ts';
import { buildBasicFilter, createFilterMatcher } from './filter.ts';
import type { InternalHash } from './hash.ts';
import { layoutBlock } from './layout.ts';
import { siphash } from './siphash.fixture.ts';
import { encodeTransaction } from './transaction.ts';

const M = 784_931n;
const script = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.nat({ max: 9 }).map((n) => Uint8Array.of(0, 20, ...new Uint8Array(20).fill(n))),
);
const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes as InternalHash);

it('SipHash-2-4 of the oracle gives the published value', () => {
  // SipHash paper (Aumasson, Bernstein 2012), appendix A.
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i);
  expect(siphash(bytes, bytes.subarray(0, 15))).toBe(0xa129ca6149be45e5n);
});

/** BIP158's words, bit by bit, as text and with bigints. */
function naiveFilter(scripts: readonly Uint8Array[], hash: InternalHash): string {
  const distinct = [...new Set(scripts.filter(({ length }) => length > 0).map(toHex))];
  const values = distinct.map(
    (hex) => (siphash(hash.subarray(0, 16), fromHex(hex)!) * BigInt(distinct.length) * M) >> 64n,
  );
  values.sort((a, b) => (a < b ? -1 : 1));
  let bits = '';
  for (const [i, value] of values.entries()) {
    const delta = value - (values[i - 1] ?? 0n);
    bits += `${'1'.repeat(Number(delta >> 19n))}0${(delta & 0x7ffffn).toString(2).padStart(19, '0')}`;
  }
  const bytes = bits.match(/.{1,8}/g)?.map((eight) => parseInt(eight.padEnd(8, '0'), 2)) ?? [];
  return toHex(concat(compactSize(distinct.length), Uint8Array.from(bytes)));
}

function layoutPaying(scripts: readonly Uint8Array[]) {
  const input = {
    previous: new Uint8Array(32) as InternalHash,
    vout: 0xffff_ffff,
    scriptSig: new Uint8Array(2),
    sequence: 0,
  };
  const outputs = scripts.map((output) => ({ sats: 0n, script: output }));
  const coinbase = encodeTransaction({ version: 1, inputs: [{ ...input, witness: [] }], outputs, lockTime: 0 });
  const walked = layoutBlock(concat(consensusOf('main').genesis, Uint8Array.of(1), coinbase));
  if (!walked.ok) throw new Error(walked.error);
  return walked.value;
}

it('builds what BIP158 says and finds exactly what is in it', () => {
  const scripts = fc.array(script, { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(anyHash, scripts, fc.array(script), fc.array(script), (hash, outputs, previous, asked) => {
      const members = [...outputs.filter((output) => output[0] !== 0x6a), ...previous];
      const filter = buildBasicFilter(layoutPaying(outputs), hash, previous);
      expect(toHex(filter)).toBe(naiveFilter(members, hash));

      const count = BigInt(new Set(members.filter(({ length }) => length > 0).map(toHex)).size);
      const value = (bytes: Uint8Array) => (siphash(hash.subarray(0, 16), bytes) * count * M) >> 64n;
      const values = new Set(members.filter(({ length }) => length > 0).map(value));
      const expected = asked.some((bytes) => bytes.length > 0 && values.has(value(bytes)));
      expect(createFilterMatcher(asked).matches(filter, hash)).toEqual({ ok: true, value: expected });
      for (const member of members.filter(({ length }) => length > 0)) {
        expect(createFilterMatcher([member]).matches(filter, hash)).toEqual({ ok: true, value: true });
      }
    }),
    { numRuns: 60 },
  );
});

it('never throws on noise', () => {
  const matcher = createFilterMatcher([Uint8Array.of(0x51)]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), anyHash, (noise, hash) => {
      matcher.matches(noise, hash);
    }),
    { numRuns: 1_000 },
  );
  expect(matcher.matches(Uint8Array.of(0xfe, 0, 0, 0, 1, 0), new Uint8Array(32) as InternalHash).ok).toBe(false);
  expect(matcher.matches(Uint8Array.of(0), new Uint8Array(32) as InternalHash)).toEqual({ ok: true, value: false });
});
