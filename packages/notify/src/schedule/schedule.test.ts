import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createZones } from '@keepwatch/base';
import { heartbeatPost, selfTestPost } from './regular.ts';
import { lastMoment, nextMoment, type Schedule } from './schedule.ts';

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
  });
});

describe('regular messages', () => {
  const momentMs = at('2026-07-01T06:00:00Z');

  it('are the same when a crash makes them twice', () => {
    const nextMs = at('2026-07-02T06:00:00Z');
    const heartbeat = heartbeatPost({ momentMs, nextMs, nowMs: momentMs + 5, words: '3 wallets, tip 900000.' });
    expect(heartbeat).toEqual(
      heartbeatPost({ momentMs, nextMs, nowMs: momentMs + 5, words: '3 wallets, tip 900000.' }),
    );
    expect(heartbeat.body).toContain('comes by 2026-07-02 06:00 UTC. If it does not, look at the monitor.');
    expect(selfTestPost({ momentMs, nowMs: momentMs + 5, channel: 'mail' }).key).toBe(`self-test ${momentMs}`);
  });
});
