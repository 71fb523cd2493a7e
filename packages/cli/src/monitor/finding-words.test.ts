import { FINDING_KINDS } from '@keepwatch/monitor';
import { describe, expect, it } from 'vitest';
import { EVERY_FINDING } from '../../../notify/src/words/every-finding.fixture.ts';
import type { FindingJson } from './finding-json.ts';
import { findingWords } from './finding-words.ts';

/** As it comes over the socket. */
const every = EVERY_FINDING.map(
  (finding) =>
    JSON.parse(
      JSON.stringify(finding, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ) as FindingJson,
);

const wordsOf = (kind: string) => every.filter(({ detail }) => detail.kind === kind).map((each) => findingWords(each));

describe('the words of a finding', () => {
  it('are there for every kind', () => {
    expect(new Set(every.map(({ detail }) => detail.kind))).toEqual(new Set(FINDING_KINDS));
  });

  it.each(FINDING_KINDS)('are a sentence, and no list of members: %s', (kind) => {
    for (const words of wordsOf(kind)) {
      expect(words).toMatch(/\p{L}+ \p{L}+/u);
      expect(words).not.toMatch(/undefined|null|NaN|\[object|\b(over|buried|finalized) (true|false)|,? words |[,: ]$/);
      expect(words).not.toContain('\n');
    }
  });

  it('say that it is over', () => {
    const lasting = FINDING_KINDS.filter((kind) =>
      every.some(({ detail }) => detail.kind === kind && 'over' in detail),
    );
    expect(lasting).toContain('disk-low');
    for (const kind of lasting) expect(new Set(wordsOf(kind)).size).toBe(2);
  });

  it.each([
    ['channel-dead', ['channel mail cannot deliver: Words of somebody else.', 'channel mail delivers again']],
    ['source-down', ['source node is down: Words of somebody else.', 'source node is back']],
    ['sources-disagree', ['the sources disagree: block 840123, against node, p2p', 'the sources agree again']],
    ['quorum-lost', ['too few sources speak: nothing can be confirmed', 'enough sources speak again']],
    ['disk-low', ['the disk is nearly full: 104 MB left', 'there is room on the disk again']],
    ['clock-skew', ['the clock is 90 minutes behind', 'the clock is right again']],
    ['evm-confirmed', ['what happened in block 840123 is 12 blocks deep', 'what happened in block 840123 is final']],
  ])('of %s', (kind, words) => {
    expect(wordsOf(kind)).toEqual(words);
  });

  it('of a kind of a later version are what it holds', () => {
    const detail = { kind: 'evm-eclipse', chainId: '1', depth: 3, over: false, about: [] } as unknown;
    const strange = { detail, evidence: { seenBy: [] } } as unknown as FindingJson;
    expect(findingWords(strange)).toBe('chainId 1, depth 3, over false');
  });
});
