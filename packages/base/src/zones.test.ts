import { describe, expect, it } from 'vitest';
import { createZones } from './zones.ts';

const HOUR = 3_600_000;
const at = (text: string) => Date.parse(text);

describe('createZones', () => {
  const zones = createZones(process.versions.tz);
  const hours = (zone: string, unit: 'day' | 'week' | 'month', time: string) => {
    const { fromMs, untilMs } = zones.period(zone, unit, at(time))!;
    return [new Date(fromMs).toISOString(), (untilMs - fromMs) / HOUR];
  };

  it('gives days of 23 and 25 hours where the clocks are changed', () => {
    expect(hours('Europe/Berlin', 'day', '2026-03-29T12:00:00Z')).toEqual(['2026-03-28T23:00:00.000Z', 23]);
    expect(hours('Europe/Berlin', 'day', '2026-10-25T00:30:00Z')).toEqual(['2026-10-24T22:00:00.000Z', 25]);
    expect(hours('Europe/Berlin', 'day', '2026-10-25T23:30:00Z')).toEqual(['2026-10-25T23:00:00.000Z', 24]);
    expect(hours('UTC', 'day', '2026-10-25T00:30:00Z')).toEqual(['2026-10-25T00:00:00.000Z', 24]);
  });

  it('knows every zone as the database of the named version has it', () => {
    // process.versions.tz is the version of ICU's data; the calendar here is another part of V8, which reads the same.
    expect(zones.version).toBe(process.versions.tz);
    const all = Intl.supportedValuesOf('timeZone');
    expect(all.length).toBeGreaterThan(400);
    for (const zone of all) {
      const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
      for (let time = at('2026-01-01T00:00:00Z'); time < at('2028-01-01T00:00:00Z'); time += 31 * 24 * HOUR) {
        const { minute } = zones.wallClock(zone, time)!;
        const [hours, minutes] = clock.format(time).split(':').map(Number) as [number, number];
        if (minute !== hours * 60 + minutes) expect([zone, time, minute]).toEqual([zone, time, hours * 60 + minutes]);
      }
    }
  });

  it('begins weeks on Monday, and months on the first', () => {
    expect(hours('Europe/Berlin', 'week', '2026-03-29T12:00:00Z')).toEqual(['2026-03-22T23:00:00.000Z', 167]);
    expect(hours('UTC', 'month', '2024-02-29T12:00:00Z')).toEqual(['2024-02-01T00:00:00.000Z', 29 * 24]);
  });

  it('begins a day at its first hour where midnight is left out', () => {
    // In 2018 the clocks of São Paulo went from midnight to one o'clock on 4 November.
    expect(hours('America/Sao_Paulo', 'day', '2018-11-04T12:00:00Z')).toEqual(['2018-11-04T03:00:00.000Z', 23]);
  });

  it('knows the wall clock on both sides of a change, whatever was asked before', () => {
    const minute = (time: string) => zones.wallClock('Europe/Berlin', at(time))!;
    const before = { weekday: 6, minute: 119 };
    const after = { weekday: 6, minute: 180 };
    expect(minute('2026-03-29T00:59:30Z')).toEqual(before);
    expect(minute('2026-03-29T01:00:00Z')).toEqual(after);
    expect(minute('2026-03-29T00:59:59Z')).toEqual(before);
    expect(minute('2026-10-25T00:30:00Z')).toEqual({ weekday: 6, minute: 150 });
    expect(minute('2026-10-25T01:30:00Z')).toEqual({ weekday: 6, minute: 150 });
    expect(zones.wallClock('Asia/Kathmandu', at('2026-01-01T18:20:00Z'))).toEqual({ weekday: 4, minute: 5 });
  });

  it('does not know what is no zone', () => {
    expect(zones.period('Europe/Nowhere', 'day', 0)).toBeUndefined();
    expect(zones.wallClock('Europe/Nowhere', 0)).toBeUndefined();
    expect(zones.version).toMatch(/^[0-9]{4}[a-z]$/);
  });
});
