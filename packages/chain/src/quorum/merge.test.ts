import { describe, expect, it } from 'vitest';
import type { BroadcastResult } from '../source.ts';
import { mergeBroadcasts, mergeFeerates } from './merge.ts';

const taken = { kind: 'accepted', heardBack: false } as const;
const known = { kind: 'already-known', confirmed: false } as const;
const no = { kind: 'rejected', reason: 'min relay fee not met' } as const;
const lost = { kind: 'unknown', why: 'no answer' } as const;
const merged = (...results: BroadcastResult[]) => mergeBroadcasts(new Map(results.map((each, i) => [`s${i}`, each])));

describe('what several sources say of one broadcast', () => {
  it.each<[string, BroadcastResult[], BroadcastResult]>([
    ['one took it, whatever the others say', [no, taken, lost], taken],
    ['one took it and another had it', [taken, known], { kind: 'accepted', heardBack: true }],
    ['somebody heard it back', [taken, { kind: 'accepted', heardBack: true }], { kind: 'accepted', heardBack: true }],
    ['a block has it', [no, { kind: 'already-known', confirmed: true }], { kind: 'already-known', confirmed: true }],
    ['all had it', [known, known], known],
    ['nobody was asked', [], { kind: 'unknown', why: 'there is no source' }],
  ])('%s', (_, results, expected) => {
    expect(merged(...results)).toEqual(expected);
  });

  it('rejects only where all do, and says who said what', () => {
    expect(merged(no, no)).toMatchObject({
      kind: 'rejected',
      reason: expect.stringContaining('s1: rejected') as string,
    });
    expect(merged(no, lost)).toEqual({
      kind: 'unknown',
      why: 's0: rejected, min relay fee not met; s1: unknown, no answer',
    });
  });
});

it('takes the highest feerate that anybody knows, and none where nobody does', () => {
  const of = (...rates: (number | null)[]) =>
    rates.map((satPerVbyte, i) => ({ targetBlocks: [2, 6][i]!, satPerVbyte }));
  expect(mergeFeerates([2, 6], [of(3, null), of(7.5, null)])).toEqual(of(7.5, null));
  expect(mergeFeerates([2, 6], [])).toEqual(of(null, null));
});
