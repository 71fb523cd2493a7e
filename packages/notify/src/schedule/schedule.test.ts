import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
// The house's zones: tests may reach where the product may not.
import { createZones } from '../../../keep/src/vault/zones.ts';
import { digestPost, heartbeatPost, selfTestPost } from './regular.ts';
import { isDue, lastMoment, nextMoment, quietUntil, type Schedule } from './schedule.ts';

const zones = createZones();
const at = (text: string) => Date.parse(text);
const iso = (ms: number) => new Date(ms).toISOString();
const HOUR = 3_600_000;

describe('a daily schedule', () => {
  const eight: Schedule = { kind: 'daily', at: '08:00', zone: 'Europe/Berlin' };

  it.each([
    ['2026-07-01T05:59:59Z', '2026-06-30T06:00:00.000Z', '2026-07-01T06:00:00.000Z', 'summer, before'],
    ['2026-07-01T06:00:00Z', '2026-07-01T06:00:00.000Z', '2026-07-02T06:00:00.000Z', 'at the moment'],
    ['2026-03-29T12:00:00Z', '2026-03-29T06:00:00.000Z', '2026-03-30T06:00:00.000Z', 'the day of 23 hours'],
    ['2026-10-25T00:00:00Z', '2026-10-24T06:00:00.000Z', '2026-10-25T07:00:00.000Z', 'the day of 25 hours'],
  ])('at %s was last due %s and is next due %s: %s', (now, last, next) => {
    expect(iso(lastMoment(eight, at(now), 0, zones))).toBe(last);
    expect(iso(nextMoment(eight, at(now), 0, zones))).toBe(next);
  });

  it('comes once on a day that skips or repeats its time', () => {
    const half: Schedule = { kind: 'daily', at: '02:30', zone: 'Europe/Berlin' };
    expect(iso(lastMoment(half, at('2026-03-29T12:00:00Z'), 0, zones))).toBe('2026-03-29T01:00:00.000Z');
    expect(iso(lastMoment(half, at('2026-10-25T12:00:00Z'), 0, zones))).toBe('2026-10-25T00:30:00.000Z');
  });

  it('is due once after however long a sleep, and never twice for one moment', () => {
    const start = at('2026-07-01T12:00:00Z');
    expect(isDue(eight, null, start, start, zones)).toBe(false);
    const later = start + 9 * 24 * HOUR;
    expect(isDue(eight, start, later, start, zones)).toBe(true);
    expect(isDue(eight, later, later, start, zones)).toBe(false);
  });

  it('runs by UTC where the zone is unknown', () => {
    const lost: Schedule = { kind: 'daily', at: '08:00', zone: 'Nowhere/At_All' };
    expect(iso(lastMoment(lost, at('2026-07-01T12:00:00Z'), 0, zones))).toBe('2026-07-01T08:00:00.000Z');
    expect(iso(nextMoment(lost, at('2026-07-01T12:00:00Z'), 0, zones))).toBe('2026-07-02T08:00:00.000Z');
  });

  it('has a last moment that is not after now, a next that is, and none between them', () => {
    const zone = fc.constantFrom('Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC');
    const minute = fc.nat(1_439);
    const time = fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') });
    fc.assert(
      fc.property(zone, minute, time, (name, minutes, nowMs) => {
        const text = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
        const schedule: Schedule = { kind: 'daily', at: text, zone: name };
        const last = lastMoment(schedule, nowMs, 0, zones);
        const next = nextMoment(schedule, nowMs, 0, zones);
        expect(last).toBeLessThanOrEqual(nowMs);
        expect(next).toBeGreaterThan(nowMs);
        expect(next - last).toBeGreaterThanOrEqual(22 * HOUR);
        expect(next - last).toBeLessThanOrEqual(26 * HOUR);
        expect(lastMoment(schedule, next - 1, 0, zones)).toBe(last);
        expect(lastMoment(schedule, next, 0, zones)).toBe(next);
      }),
    );
  });
});

describe('a schedule by interval', () => {
  it('counts from its anchor', () => {
    const schedule: Schedule = { kind: 'every', ms: HOUR };
    expect(lastMoment(schedule, 10.5 * HOUR, 0.25 * HOUR, zones)).toBe(10.25 * HOUR);
    expect(nextMoment(schedule, 10.5 * HOUR, 0.25 * HOUR, zones)).toBe(11.25 * HOUR);
    expect(isDue(schedule, 10.25 * HOUR, 10.5 * HOUR, 0.25 * HOUR, zones)).toBe(false);
  });
});

describe('quiet hours', () => {
  const night = { zone: 'Europe/Berlin', from: '22:00', to: '07:00' };

  it.each([
    ['2026-07-01T19:59:00Z', null],
    ['2026-07-01T20:00:00Z', '2026-07-02T05:00:00.000Z'],
    ['2026-07-02T04:59:00Z', '2026-07-02T05:00:00.000Z'],
    ['2026-07-02T05:00:00Z', null],
    ['2026-10-24T23:00:00Z', '2026-10-25T06:00:00.000Z'],
  ])('at %s keep a notice until %s', (now, until) => {
    const found = quietUntil('notice', night, at(now), zones);
    expect(found === null ? null : iso(found)).toBe(until);
  });

  it('never keep what is critical, and keep nothing where they cannot be told', () => {
    const now = at('2026-07-01T23:00:00Z');
    expect(quietUntil('critical', night, now, zones)).toBe(null);
    expect(quietUntil('warning', night, now, zones)).not.toBe(null);
    expect(quietUntil('warning', { ...night, zone: 'Nowhere/At_All' }, now, zones)).toBe(null);
    expect(quietUntil('warning', { ...night, from: '25:00' }, now, zones)).toBe(null);
    expect(quietUntil('warning', null, now, zones)).toBe(null);
  });
});

describe('regular messages', () => {
  const momentMs = at('2026-07-01T06:00:00Z');

  it('are the same when a crash makes them twice', () => {
    const nextMs = at('2026-07-02T06:00:00Z');
    const heartbeat = heartbeatPost({ momentMs, nextMs, words: '3 wallets, tip 900000.' });
    expect(heartbeat).toEqual(heartbeatPost({ momentMs, nextMs, words: '3 wallets, tip 900000.' }));
    expect(heartbeat.body).toContain('comes by 2026-07-02 06:00 UTC. If it does not, look at the monitor.');
    expect(selfTestPost({ momentMs, channel: 'mail' }).key).toBe(`self-test ${momentMs}`);
  });

  it('tell a digest with the severest first, bounded, and nothing where nothing was kept', () => {
    expect(digestPost({ momentMs, lines: [] })).toBe(null);
    const line = (i: number) =>
      ({ subject: `s${i}\u202e`, severity: i === 7 ? 'warning' : 'info', atMs: momentMs + i }) as const;
    const { subject, body } = digestPost({ momentMs, lines: Array.from({ length: 250 }, (_, i) => line(i)) })!;
    expect(subject).toBe('Keepwatch: 250 findings');
    expect(body.split('\n')[1]).toBe('- 2026-07-01 06:00 UTC s7');
    expect(body).toContain('and 50 more');
    expect(body).not.toContain('\u202e');
  });
});
