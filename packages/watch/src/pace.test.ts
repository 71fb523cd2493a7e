import { describe, expect, it } from 'vitest';
import type { Finding } from './finding.ts';
import type { WatchInput } from './input.ts';
import { blockOf, createWatch } from './watch.fixture.ts';
import { applyWatchEvent } from './fold.ts';
import { decodeWatchState, encodeWatchState } from './codec/state.ts';
import { createWatchState } from './state.ts';
import { watchStep } from './step.ts';

const MINUTE = 60_000;
const tick: WatchInput = { kind: 'tick' };
const short = ({ detail }: Finding) => `${detail.kind}${'over' in detail && detail.over ? ' over' : ''}`;

/** A chain of mainnet's schedule whose blocks come when the test says so. */
function chain(settings = {}) {
  const watch = createWatch({ network: 'main', ...settings });
  let height = 99;
  const tell = (input: WatchInput) => watch.tell(input).map(short);
  const pass = (minutes: number) => (watch.nowMs += minutes * MINUTE);
  const block = (minedMs = watch.nowMs) => {
    const timeSeconds = Math.floor(minedMs / 1_000);
    return tell({ kind: 'connected', block: { ...blockOf(++height), timeSeconds }, matches: [], seenBy: ['node'] });
  };
  return {
    watch,
    tell,
    pass,
    block,
    /** So many blocks, each so many minutes after the one before; the time goes by in ticks. */
    mine(count: number, everyMinutes: number) {
      const told: string[] = [];
      for (let i = 0; i < count; i++) {
        for (let minute = 0; minute < everyMinutes; minute++) {
          pass(1);
          told.push(...tell(tick));
        }
        told.push(...block());
      }
      return told;
    },
  };
}

describe('blocks that come far too slowly', () => {
  it('are told once, with how many came and how many were due, and their end', () => {
    const { watch, mine } = chain();
    expect(mine(60, 10)).toEqual([]);
    // Every half an hour one: a third of what is due, once all of the eight hours are like that.
    expect(mine(15, 30)).toEqual([]);
    expect(mine(3, 30)).toEqual(['tip-slow']);
    expect(mine(20, 30)).toEqual([]);
    expect(mine(40, 10)).toEqual(['tip-slow over']);
    const details = watch.events.flatMap((event) => (event.kind === 'finding' ? [event.finding.detail] : []));
    expect(details).toMatchObject([
      { kind: 'tip-slow', blocks: 16, dueBlocks: 48, inSeconds: 28_800, over: false },
      { kind: 'tip-slow', blocks: 24, dueBlocks: 48, inSeconds: 28_800, over: true },
    ]);
  });

  it('are not told at half of the pace, nor where the network has no schedule, or none was set', () => {
    const told = (settings: object, minutes: number) => {
      const { mine } = chain({ stalledAfterSeconds: 1_000_000, ...settings });
      return [...mine(60, 10), ...mine(60, minutes)];
    };
    expect(told({}, 20)).toEqual([]);
    expect(told({}, 40)).toEqual(['tip-slow']);
    expect(told({ network: 'signet' }, 40)).toEqual(['tip-slow']);
    for (const network of ['regtest', 'test4']) expect(told({ network }, 40)).toEqual([]);
    expect(told({ network: 'regtest', blockSpacingSeconds: 600 }, 40)).toEqual(['tip-slow']);
    expect(told({ blockSpacingSeconds: 2_400 }, 40)).toEqual([]);
    expect(told({ blockSpacingSeconds: null }, 40)).toEqual([]);
  });

  it('are not told before the blocks of the window are known', () => {
    const { mine } = chain();
    // The first block that was told is younger than the window.
    expect(mine(10, 45)).toEqual([]);
    expect(mine(2, 45)).toEqual(['tip-slow']);
  });

  it('are told in spite of restarts and days in which the monitor was down: they count by their own times', () => {
    const { watch, mine, pass, tell, block } = chain();
    mine(60, 10);
    const downMs = watch.nowMs;
    pass(24 * 60);
    expect(tell({ kind: 'started' })).toEqual(['restarted']);
    for (let i = 1; i <= 37; i++) block(downMs + i * 38 * MINUTE);
    const own: WatchInput = { kind: 'source', source: 'own', state: 'live', mempool: 'whole', peers: 1, problem: null };
    tell(own);
    pass(9);
    expect(tell(tick)).toEqual(['gap-filled']);
    pass(1);
    expect(tell(tick)).toEqual(['tip-slow']);
  });

  it('are no blocks that came while the monitor was down, however they are read', () => {
    const { watch, mine, pass, tell, block } = chain({ stalledAfterSeconds: 1_000_000 });
    mine(60, 10);
    const downMs = watch.nowMs;
    pass(24 * 60);
    tell({ kind: 'started' });
    const told: string[] = [];
    // A tick after each: all but the last ones are old.
    for (let i = 1; i <= 144; i++) {
      told.push(...block(downMs + i * 10 * MINUTE));
      pass(1 / 30);
      told.push(...tell(tick));
    }
    told.push(...mine(30, 10));
    expect(told).toEqual(['gap-filled']);
  });

  it('are no blocks behind an outage of the sources, which is told as what it is', () => {
    const { watch, mine, pass, tell, block } = chain();
    mine(60, 10);
    const downMs = watch.nowMs;
    const told: string[] = [];
    for (let i = 0; i < 24 * 60; i++) {
      pass(1);
      told.push(...tell(tick));
    }
    for (let i = 1; i <= 144; i++) {
      told.push(...block(downMs + i * 10 * MINUTE), ...tell(tick));
      pass(1 / 60);
    }
    told.push(...mine(30, 10));
    expect(told).toEqual(['tip-stalled', 'tip-stalled over']);
  });

  it('are told where a source gives them hours after they were mined', () => {
    const { watch, mine, pass, tell, block } = chain();
    mine(60, 10);
    const sinceMs = watch.nowMs;
    const told: string[] = [];
    // Three minutes of the chain in ten of the clock.
    for (let i = 1; i <= 60; i++) {
      for (let minute = 0; minute < 33; minute++) told.push(...tell((pass(1), tick)));
      told.push(...block(sinceMs + i * 10 * MINUTE));
    }
    expect(told).toEqual(['tip-slow']);
  });

  it('are not told twice by a state that was put back from a snapshot or folded from its events', () => {
    const { watch, mine } = chain();
    mine(60, 10);
    mine(20, 30);
    expect(watch.state.conditions.has('tip-slow')).toBe(true);
    const folded = createWatchState(watch.state.settings);
    for (const event of watch.events) applyWatchEvent(folded, event);
    const decoded = decodeWatchState(encodeWatchState(watch.state));
    for (const state of [folded, decoded.ok ? decoded.value : undefined!]) {
      expect(encodeWatchState(state)).toEqual(encodeWatchState(watch.state));
      expect(watchStep(state, tick, watch.nowMs + 20 * MINUTE).filter(({ kind }) => kind === 'finding')).toEqual([]);
    }
  });

  it('end without a word where the schedule is taken away', () => {
    const { watch, mine, tell } = chain();
    mine(60, 10);
    mine(20, 30);
    expect(tell({ kind: 'settings', settings: { ...watch.state.settings, blockSpacingSeconds: null } })).toEqual([]);
    expect(tell(tick)).toEqual([]);
    expect([...watch.state.conditions.keys()]).toEqual([]);
  });
});
