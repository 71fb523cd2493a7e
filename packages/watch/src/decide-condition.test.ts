import { describe, expect, it } from 'vitest';
import type { Finding } from './finding.ts';
import type { WatchInput } from './input.ts';
import { createWatch } from './watch.fixture.ts';

const short = ({ detail }: Finding) => `${detail.kind}${'over' in detail && detail.over ? ' over' : ''}`;

/** What is told, by an input after another, of which each comes so many ms after the last one. */
function told(inputs: readonly WatchInput[], everyMs: number, settings = {}) {
  const watch = createWatch({ sourceGraceSeconds: 60, stalledAfterSeconds: 3_600, ...settings });
  watch.connect(100);
  return inputs.map((input) => {
    watch.nowMs += everyMs;
    return watch.tell(input).map(short).join();
  });
}

const source = (state: 'live' | 'down' | 'behind'): WatchInput => ({
  ...{ kind: 'source', source: 'own', state, mempool: 'whole', peers: 1, problem: null },
});
const tick: WatchInput = { kind: 'tick' };

describe('what is wrong with a source', () => {
  it('is told after the grace, once, and its end', () => {
    const story = told([source('down'), tick, tick, tick, source('live'), tick], 40_000);
    expect(story).toEqual(['', '', 'source-down', '', 'source-down over', '']);
  });

  it('is not told where it is over before the grace', () => {
    expect(told([source('down'), source('live'), source('down'), source('live'), tick], 40_000).join('')).toBe('');
  });

  it('ends where the source is taken out, also after a start, and another one stays what it is', () => {
    const gone: WatchInput = { kind: 'source-gone', source: 'own' };
    const other: WatchInput = { ...source('down'), source: 'other' } as WatchInput;
    const story = told([source('down'), other, tick, { kind: 'started' }, gone, tick, gone], 70_000);
    expect(story).toEqual(['', '', 'source-down,source-down', 'restarted', 'source-down over', '', '']);
  });
});

describe('what is beyond a limit', () => {
  it('of the disk ends a little above it, so that it does not come and go with every look', () => {
    const disk = (freeBytes: number): WatchInput => ({ kind: 'disk', freeBytes });
    const story = told([disk(1_000), disk(999), disk(1_001), disk(998), disk(1_099), disk(1_100), disk(1_001)], 1_000, {
      diskLowBytes: 1_000,
    });
    expect(story).toEqual(['', 'disk-low', '', '', '', 'disk-low over', '']);
  });

  it('of fees ends a little below it, and is told anew only then', () => {
    const fee = (satPerVbyte: number): WatchInput => ({ kind: 'feerate', satPerVbyte });
    const story = told([fee(99), fee(100), fee(99), fee(101), fee(81), fee(100), fee(80), fee(100)], 1_000, {
      feerateLimit: 100,
    });
    expect(story).toEqual(['', 'feerate-spike', '', '', '', '', '', 'feerate-spike']);
  });
});

describe('a tip that does not move', () => {
  it('is told once, and over with the next block', () => {
    const watch = createWatch({ stalledAfterSeconds: 600 });
    watch.connect(100);
    const later = (ms: number) => {
      watch.nowMs += ms;
      return watch.tell(tick).map(short).join();
    };
    expect([later(599_000), later(1_000), later(600_000)]).toEqual(['', 'tip-stalled', '']);
    expect(watch.connect(101).map(short)).toEqual(['tip-stalled over']);
    expect(later(1_000)).toBe('');
  });
});
