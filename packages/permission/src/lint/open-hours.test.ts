import { describe, expect, it } from 'vitest';
import type { Constraint, WeeklySpan } from '../constraint.ts';
import { etherGrant, PLAIN_ZONES, volume } from '../engine.fixture.ts';
import type { Zones } from '../zones.ts';
import { lint } from './lint.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** 1970 began on a Thursday; this is the Monday after, at midnight. */
const MONDAY = 4 * DAY;

const validity = (fromMs: number | null, untilMs: number | null): Constraint => ({ type: 'validity', fromMs, untilMs });
const weekly = (spans: readonly WeeklySpan[], zone = 'UTC'): Constraint => ({ type: 'weekly', zone, spans });
const span = (day: WeeklySpan['days'][number], from: string, to: string): WeeklySpan => ({ days: [day], from, to });

function never(constraints: readonly Constraint[], nowMs = MONDAY, zones: Zones = PLAIN_ZONES): string[] {
  const grant = etherGrant({ constraints: [volume(9n), ...constraints] });
  return lint([grant], nowMs, zones).flatMap(({ topic, words }) => (topic === 'never_matches' ? [words] : []));
}
const ENDS = ['its validity ends before any of its hours of the week comes'];

describe('validity and hours of the week', () => {
  const tuesday = weekly([span('tue', '08:00', '20:00')]);

  it('meet, or the grant holds at no time', () => {
    expect(never([tuesday, validity(null, MONDAY + DAY + 8 * HOUR)])).toEqual(ENDS);
    expect(never([tuesday, validity(null, MONDAY + DAY + 8 * HOUR + 1)])).toEqual([]);
    expect(never([tuesday, validity(MONDAY + DAY + 20 * HOUR, MONDAY + 7 * DAY)])).toEqual(ENDS);
    expect(never([tuesday, validity(MONDAY + DAY + 20 * HOUR - 1, MONDAY + 7 * DAY)])).toEqual([]);
  });

  it('count from now where validity began before', () => {
    const week = validity(MONDAY, MONDAY + 7 * DAY);
    expect(never([tuesday, week], MONDAY)).toEqual([]);
    expect(never([tuesday, week], MONDAY + 2 * DAY)).toEqual(ENDS);
  });

  it('meet within the first minute, and within one of several spans', () => {
    const spans = [span('sun', '01:00', '01:01'), span('wed', '23:59', '24:00')];
    expect(never([weekly(spans), validity(null, MONDAY + 3 * DAY - MINUTE)])).toEqual(ENDS);
    expect(never([weekly(spans), validity(null, MONDAY + 3 * DAY)])).toEqual([]);
    expect(never([weekly(spans), validity(MONDAY + 3 * DAY - 1, MONDAY + 3 * DAY)])).toEqual([]);
  });

  it('are by the wall clock of the zone', () => {
    // An hour ahead: there it is Tuesday 08:00 when it is 07:00 here.
    const east = weekly([span('tue', '08:00', '20:00')], 'Fixed/East');
    expect(never([east, validity(null, MONDAY + DAY + 7 * HOUR + 1)])).toEqual([]);
    expect(never([east, validity(null, MONDAY + DAY + 7 * HOUR)])).toEqual(ENDS);
  });

  it('always meet where validity has no end or a far one', () => {
    expect(never([tuesday, validity(MONDAY, null)])).toEqual([]);
    expect(never([tuesday, validity(null, MONDAY + 100 * DAY)])).toEqual([]);
    expect(never([tuesday])).toEqual([]);
    expect(never([validity(null, MONDAY + 1)])).toEqual([]);
  });

  it('say once that validity is over', () => {
    expect(never([tuesday, validity(null, MONDAY)], MONDAY)).toEqual(['its validity has ended']);
  });
});

describe('a time zone that is not known', () => {
  it('is named once, whichever constraint has it', () => {
    const spans = [span('tue', '08:00', '20:00')];
    const calendar: Constraint = { type: 'count', limit: 1, window: { calendar: 'day', zone: 'Mars/Base' } };
    expect(never([weekly(spans, 'Mars/Base'), calendar])).toEqual(['the time zone Mars/Base is not known here']);
    expect(never([calendar])).toEqual(['the time zone Mars/Base is not known here']);
    expect(never([weekly(spans), { ...calendar, window: { calendar: 'day', zone: 'UTC' } }])).toEqual([]);
    expect(never([{ ...calendar, window: { seconds: 60 } }])).toEqual([]);
  });
});
