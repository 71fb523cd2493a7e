import { describe, expect, it } from 'vitest';
import { concat, fromHex } from '@keepwatch/base';
import { consensusOf } from './consensus.ts';
import { toDisplay, type BlockHash, type InternalHash } from './hash.ts';
import { createHeaderChain } from './header-chain.ts';
import { decodeHeader, encodeHeader, headerHash } from './header.ts';
import { mine, mineOn } from './mining.fixture.ts';

const NOW = 1_800_000_000;
const genesis = consensusOf('regtest').genesis;
const GENESIS_TIME = decodeHeader(genesis)!.timeSeconds;
const hashOf = (header: Uint8Array) => toDisplay<BlockHash>(headerHash(header));

/** `count` headers on top of one, ten minutes apart. */
function branch(parent: Uint8Array, count: number, salt: number): Uint8Array[] {
  const headers: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const on = headers.at(-1) ?? parent;
    headers.push(mineOn(on, decodeHeader(on)!.timeSeconds, 600, salt));
  }
  return headers;
}

describe('a header chain', () => {
  it('takes the first real headers of the main chain', () => {
    // Blocks 1 and 2 of the main chain.
    const real = fromHex(
      '010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299' +
        '010000004860eb18bf1b1620e37e9490fc8a427514416fd75159ab86688e9a8300000000d5fdcc541e25de1c7a5addedf24858b8bb665c9f36ef744ee42c316022c90f9bb0bc6649ffff001d08d2bd61',
    )!;
    const chain = createHeaderChain({ network: 'main' });
    expect(chain.tip().hash).toBe(consensusOf('main').genesisHash);
    expect(chain.accept(real, NOW)).toMatchObject({ added: 2, known: 0, fault: null, change: { disconnected: [] } });
    expect(chain.tip()).toEqual({
      height: 2,
      hash: '000000006a625f06636b8bb6ac7b960a8d03705d1ace08b1a19da3fdcc99ddbd',
      timeSeconds: 1_231_469_744,
    });
    expect(chain.work()).toBe(3n * 0x1_0001_0001n);
    expect(chain.accept(real, NOW)).toEqual({ added: 0, known: 2, fault: null, change: null });
  });

  it.each([1, 6, 100, 3_000])(
    'goes over to a branch with more work, %i blocks back, and says what was disconnected',
    (depth) => {
      const chain = createHeaderChain({ network: 'regtest' });
      const trunk = branch(genesis, 5, 1);
      const first = branch(trunk[4]!, depth, 2);
      const second = branch(trunk[4]!, depth + 1, 3);
      chain.accept(concat(...trunk, ...first), NOW);
      const equal = chain.accept(concat(...second.slice(0, depth)), NOW);
      expect(equal).toMatchObject({ added: depth, fault: null, change: null });
      expect(chain.tip().hash).toBe(hashOf(first.at(-1)!));
      expect(chain.forkPoint(hashOf(second[depth - 1]!))).toEqual(chain.at(5));

      const { change } = chain.accept(second[depth]!, NOW);
      expect(change!.fork).toEqual({ height: 5, hash: hashOf(trunk[4]!), timeSeconds: GENESIS_TIME + 3_000 });
      expect(change!.disconnected.map(({ hash }) => hash)).toEqual(first.map(hashOf).reverse());
      for (const [i, header] of second.entries()) expect(chain.at(6 + i)!.hash).toBe(hashOf(header));
      expect(chain.find(hashOf(first[0]!))).toMatchObject({ height: 6, onBest: false });
      expect(chain.find(hashOf(second[0]!))).toMatchObject({ height: 6, onBest: true });
      expect(chain.size()).toBe(1 + 5 + depth + depth + 1);
    },
  );

  const good = branch(genesis, 12, 1);
  const parts = {
    version: 4,
    previous: headerHash(good[11]!),
    merkleRoot: new Uint8Array(32) as InternalHash,
    bits: 0x207fffff,
  };
  const time = decodeHeader(good[11]!)!.timeSeconds + 600;
  const workless = () => {
    for (let nonce = 0; ; nonce++) {
      const header = encodeHeader({ ...parts, timeSeconds: time, nonce });
      if (headerHash(header)[31]! > 0x7f) return header;
    }
  };
  it.each([
    ['header_length', mine({ ...parts, timeSeconds: time }).subarray(0, 79)],
    ['header_unknown_parent', mine({ ...parts, timeSeconds: time, previous: parts.merkleRoot })],
    ['header_wrong_bits', mine({ ...parts, timeSeconds: time, bits: 0x207ffffe })],
    ['header_wrong_bits', encodeHeader({ ...parts, timeSeconds: time, bits: 0, nonce: 0 })],
    ['header_no_work', workless()],
    ['header_time_too_old', mine({ ...parts, timeSeconds: GENESIS_TIME + 7 * 600 })],
    ['header_time_too_new', mine({ ...parts, timeSeconds: NOW + 7_201 })],
    ['header_version_outdated', mine({ ...parts, version: 3, timeSeconds: time })],
  ])('%s: refuses the header and what is behind it, and keeps what is before', (code, bad) => {
    const chain = createHeaderChain({ network: 'regtest' });
    const accepted = chain.accept(concat(...good, bad), NOW);
    expect(accepted).toMatchObject({ added: 12, fault: { code, index: 12 } });
    expect(chain.tip().height).toBe(12);
  });

  it('takes what stands just inside the rules', () => {
    for (const timeSeconds of [GENESIS_TIME + 7 * 600 + 1, NOW + 7_200]) {
      const chain = createHeaderChain({ network: 'regtest' });
      expect(chain.accept(concat(...good, mine({ ...parts, timeSeconds })), NOW).fault).toBeNull();
      expect(chain.medianTimePast(12)).toBe(GENESIS_TIME + 7 * 600);
    }
  });

  it('says whether it has the work that it must have', () => {
    const blocks = concat(...branch(genesis, 10, 3));
    const work = createHeaderChain({ network: 'regtest' }).work() * 11n;
    for (const [minimumWork, enough] of [
      [work, true],
      [work + 1n, false],
    ] as const) {
      const chain = createHeaderChain({ network: 'regtest', minimumWork });
      expect(chain.hasMinimumWork()).toBe(false);
      chain.accept(blocks, NOW);
      expect(chain.hasMinimumWork()).toBe(enough);
    }
  });

  it('holds to its checkpoints', () => {
    const other = branch(genesis, 20, 9);
    const checkpoints = [{ height: 10, hash: hashOf(good[9]!) }];
    const chain = createHeaderChain({ network: 'regtest', checkpoints });
    expect(chain.accept(concat(...other), NOW)).toMatchObject({
      added: 9,
      fault: { code: 'header_against_checkpoint', index: 9 },
    });
    expect(chain.accept(concat(...good), NOW)).toMatchObject({ added: 12, fault: null });
    const below = branch(good[7]!, 1, 5);
    expect(chain.accept(below[0]!, NOW).fault).toMatchObject({ code: 'header_against_checkpoint' });
    expect(chain.accept(concat(...branch(good[9]!, 4, 5)), NOW)).toMatchObject({ added: 4, fault: null });
    expect(chain.tip().height).toBe(14);
  });

  it('starts at a root that the release vouches for', () => {
    const chain = createHeaderChain({ network: 'regtest', root: { header: good[2]!, height: 4_032, work: 1_000n } });
    expect(chain.accept(concat(...good.slice(3)), NOW)).toMatchObject({ added: 9, fault: null });
    expect(chain.tip().height).toBe(4_041);
    expect(chain.work()).toBe(1_000n + 9n * 2n);
    expect(chain.at(4_031)).toBeUndefined();
    expect(chain.at(4_032)).toEqual(chain.root);
    expect(chain.accept(good[0]!, NOW).fault).toMatchObject({ code: 'header_unknown_parent' });
    expect(() =>
      createHeaderChain({ network: 'regtest', root: { header: good[2]!, height: 4_031, work: 1n } }),
    ).toThrow();
  });

  it('asks with hashes that are dense at the tip and reach the root', () => {
    const chain = createHeaderChain({ network: 'regtest' });
    chain.accept(concat(...branch(genesis, 300, 1)), NOW);
    const heights = chain.locator().map((hash) => chain.find(toDisplay<BlockHash>(hash))!.height);
    expect(heights.slice(0, 11)).toEqual(Array.from({ length: 11 }, (_, i) => 300 - i));
    expect(heights.at(-1)).toBe(0);
    expect(heights.length).toBeLessThan(20);
    expect([...heights].sort((a, b) => b - a)).toEqual(heights);
  });
});
