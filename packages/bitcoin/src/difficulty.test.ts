import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consensusOf } from './consensus.ts';
import { medianTimePast, nextBits, versionOutdated, warpsTime, type Ancestry } from './difficulty.ts';
import { bitsFromTarget } from './proof-of-work.ts';

/** Ancestors with the times and bits that are given; all others like `rest`. */
function ancestry(height: number, given: Record<number, Partial<Fact>>, rest: Fact): Ancestry {
  const fact = (at: number): Fact => ({ ...rest, ...given[at] });
  return { height, oldest: 0, timeSeconds: (at) => fact(at).time, bits: (at) => fact(at).bits };
}
interface Fact {
  readonly time: number;
  readonly bits: number;
}

describe('the retarget of the main chain', () => {
  // Bitcoin Core, src/test/pow_tests.cpp: heights, times and bits of real blocks (the fourth has a made-up first time).
  it.each([
    ['without a bound', 30_240, 1_261_130_161, 1_262_152_739, 0x1d00ffff, 0x1d00d86a],
    ['at the easiest target', 0, 1_231_006_505, 1_233_061_996, 0x1d00ffff, 0x1d00ffff],
    ['at a quarter of the time', 66_528, 1_279_008_237, 1_279_297_671, 0x1c05a3f4, 0x1c0168fd],
    ['at four times the time', 44_352, 1_263_163_443, 1_269_211_443, 0x1c387f6f, 0x1d00e1fd],
  ])('%s (from height %i)', (_, first, firstTime, lastTime, bits, expected) => {
    const last = first + 2_015;
    const chain = ancestry(last, { [first]: { time: firstTime }, [last]: { time: lastTime } }, { time: 0, bits });
    expect(nextBits(consensusOf('main'), chain, lastTime + 1)).toBe(expected);
    const before = ancestry(last - 1, { [first]: { time: firstTime } }, { time: 0, bits });
    expect(nextBits(consensusOf('main'), before, lastTime)).toBe(bits);
  });
});

describe('the rules of test4', () => {
  const params = consensusOf('test4');
  const easiest = params.powLimitBits;
  const real = 0x1c0fffff;

  it('let a block 20 minutes late be easy, and go back to the last one that was not', () => {
    const chain = ancestry(4_050, { 4_050: { bits: easiest }, 4_049: { bits: easiest } }, { time: 5_000, bits: real });
    expect(nextBits(params, chain, 5_000 + 1_201)).toBe(easiest);
    expect(nextBits(params, chain, 5_000 + 1_200)).toBe(real);
  });

  it('go back no further than the start of the period', () => {
    const chain = ancestry(4_034, { 4_031: { bits: real } }, { time: 5_000, bits: easiest });
    expect(nextBits(params, chain, 5_001)).toBe(easiest);
  });

  it('retarget from the first block of the period (BIP94)', () => {
    const facts = { 2_016: { time: 1_000_000, bits: real }, 4_031: { time: 1_000_000 + 1_209_600 / 2, bits: easiest } };
    const chain = ancestry(4_031, facts, { time: 5_000, bits: easiest });
    expect(nextBits(params, chain, 2_000_000)).toBe(bitsFromTarget((0x0fffffn << 200n) / 2n));
  });

  it('keep the first block of a period from being dated back (BIP94)', () => {
    const chain = ancestry(4_031, {}, { time: 100_000, bits: real });
    expect(warpsTime(params, chain, 100_000 - 600)).toBe(false);
    expect(warpsTime(params, chain, 100_000 - 601)).toBe(true);
    expect(warpsTime(params, ancestry(4_030, {}, { time: 100_000, bits: real }), 1)).toBe(false);
    expect(warpsTime(consensusOf('main'), chain, 1)).toBe(false);
  });
});

it('regtest never retargets', () => {
  const chain = ancestry(2_015, { 0: { time: 0 } }, { time: 999_999_999, bits: 0x207fffff });
  expect(nextBits(consensusOf('regtest'), chain, 1_000_000_000)).toBe(0x207fffff);
});

it('the median time past is the middle of the last eleven, or of what there is', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 30 }), (times) => {
      const facts = Object.fromEntries(times.map((time, i) => [i, { time }]));
      const median = medianTimePast(ancestry(times.length - 1, facts, { time: 0, bits: 0 }));
      const last = times.slice(-11);
      expect(last).toContain(median);
      // Half of them or more are no later, and half of them or more are no earlier.
      expect(last.filter((time) => time <= median).length).toBeGreaterThan((last.length - 1) / 2);
      expect(last.filter((time) => time >= median).length).toBeGreaterThanOrEqual(last.length / 2);
    }),
  );
});

it('versions go out of date at the heights of BIP34, BIP66 and BIP65', () => {
  const outdated = (height: number, version: number) => versionOutdated(consensusOf('main'), height, version);
  expect([outdated(227_930, 1), outdated(227_931, 1), outdated(227_931, 2)]).toEqual([false, true, false]);
  expect([outdated(363_724, 2), outdated(363_725, 2), outdated(363_725, 3)]).toEqual([false, true, false]);
  expect([outdated(388_380, 3), outdated(388_381, 3), outdated(388_381, 4)]).toEqual([false, true, false]);
  expect(outdated(900_000, 0x2000_0000)).toBe(false);
  expect(outdated(900_000, -1)).toBe(true);
});
