import { describe, expect, it } from 'vitest';
import { consensusOf } from './consensus.ts';
import { toDisplay } from './hash.ts';
import { decodeHeader, encodeHeader, headerHash } from './header.ts';
import { NETWORKS } from './network.ts';
import { bitsFromTarget, meetsTarget, targetFromBits } from './proof-of-work.ts';

describe.each(NETWORKS)('the first block of %s', (network) => {
  const params = consensusOf(network);

  it('has the published hash, its work and the easiest target', () => {
    const hash = headerHash(params.genesis);
    expect(toDisplay(hash)).toBe(params.genesisHash);
    const header = decodeHeader(params.genesis)!;
    expect(encodeHeader(header)).toEqual(params.genesis);
    expect(header.bits).toBe(params.powLimitBits);
    expect(targetFromBits(header.bits)).toBe(params.powLimit);
    expect(bitsFromTarget(params.powLimit)).toBe(params.powLimitBits);
    expect(meetsTarget(hash, params.powLimit)).toBe(true);
  });
});

it('a header has 80 bytes', () => {
  expect(decodeHeader(new Uint8Array(79))).toBeUndefined();
  expect(decodeHeader(new Uint8Array(100), 21)).toBeUndefined();
});
