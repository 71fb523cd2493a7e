import { assertNever } from '@keepwatch/base';
import type { Severity } from '@keepwatch/watch';
import { minuteOfDay, timeOnDay, type LocalTime } from './local-time.ts';

/** When something is done again and again: self-tests of channels, the heartbeat, the digest. */
export type Schedule =
  | { readonly kind: 'every'; readonly ms: number }
  /** `at`: `HH:MM` in the zone, once a local day. */
  | { readonly kind: 'daily'; readonly at: string; readonly zone: string };

/**
 * The last moment up to now at which the schedule wanted something. Due is what has not been done since: a monitor that
 * slept over several moments does it once. `anchorMs`: where `every` counts from.
 */
export function lastMoment(schedule: Schedule, nowMs: number, anchorMs: number, local: LocalTime): number {
  switch (schedule.kind) {
    case 'every': {
      const ms = Math.max(1_000, schedule.ms);
      return anchorMs + Math.floor((nowMs - anchorMs) / ms) * ms;
    }
    case 'daily': {
      const today = timeOnDay(schedule.at, schedule.zone, nowMs, local);
      return today <= nowMs
        ? today
        : timeOnDay(schedule.at, schedule.zone, dayBefore(schedule.zone, nowMs, local), local);
    }
    default:
      return assertNever(schedule);
  }
}

/** Whether a moment has come since it was last done; `doneMs` null: never, so the schedule counts from `anchorMs`. */
export function isDue(
  schedule: Schedule,
  doneMs: number | null,
  nowMs: number,
  anchorMs: number,
  local: LocalTime,
): boolean {
  return lastMoment(schedule, nowMs, anchorMs, local) > (doneMs ?? anchorMs);
}

/** The next moment after now. */
export function nextMoment(schedule: Schedule, nowMs: number, anchorMs: number, local: LocalTime): number {
  switch (schedule.kind) {
    case 'every':
      return lastMoment(schedule, nowMs, anchorMs, local) + Math.max(1_000, schedule.ms);
    case 'daily': {
      const today = timeOnDay(schedule.at, schedule.zone, nowMs, local);
      if (today > nowMs) return today;
      return timeOnDay(schedule.at, schedule.zone, dayAfter(schedule.zone, nowMs, local), local);
    }
    default:
      return assertNever(schedule);
  }
}

const DAY_MS = 86_400_000;
const dayBefore = (zone: string, atMs: number, local: LocalTime) =>
  (local.period(zone, 'day', atMs)?.fromMs ?? Math.floor(atMs / DAY_MS) * DAY_MS) - 1;
const dayAfter = (zone: string, atMs: number, local: LocalTime) =>
  local.period(zone, 'day', atMs)?.untilMs ?? (Math.floor(atMs / DAY_MS) + 1) * DAY_MS;

/** Hours in which only what is critical may be heard. `from` after `to`: over midnight. */
export interface QuietHours {
  readonly zone: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Whether a message waits for the end of the quiet hours, and when that is; null: it goes now. Critical ones never
 * wait, and nothing waits where the zone or a time is not known.
 */
export function quietUntil(
  severity: Severity,
  quiet: QuietHours | null,
  nowMs: number,
  local: LocalTime,
): number | null {
  if (severity === 'critical' || quiet === null) return null;
  const from = minuteOfDay(quiet.from);
  const to = minuteOfDay(quiet.to);
  const clock = local.wallClock(quiet.zone, nowMs);
  if (from === undefined || to === undefined || from === to || !clock) return null;
  const { minute } = clock;
  const within = from < to ? minute >= from && minute < to : minute >= from || minute < to;
  return within ? nextMoment({ kind: 'daily', at: quiet.to, zone: quiet.zone }, nowMs, nowMs, local) : null;
}
