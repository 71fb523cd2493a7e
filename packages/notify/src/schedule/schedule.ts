import { assertNever, lastTimeOfDay, minuteOfDay, nextTimeOfDay, type Zones } from '@keepwatch/base';

/** When something is done again and again: self-tests of channels, the heartbeat. */
export type Schedule =
  | { readonly kind: 'every'; readonly ms: number }
  /** `at`: `HH:MM` in the zone, once a local day. */
  | { readonly kind: 'daily'; readonly at: string; readonly zone: string };

type LocalTime = Pick<Zones, 'period' | 'wallClock'>;

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
    case 'daily':
      return lastTimeOfDay(minuteOfDay(schedule.at) ?? 0, schedule.zone, nowMs, local);
    default:
      return assertNever(schedule);
  }
}

/** The next moment after now. */
export function nextMoment(schedule: Schedule, nowMs: number, anchorMs: number, local: LocalTime): number {
  switch (schedule.kind) {
    case 'every':
      return lastMoment(schedule, nowMs, anchorMs, local) + Math.max(1_000, schedule.ms);
    case 'daily':
      return nextTimeOfDay(minuteOfDay(schedule.at) ?? 0, schedule.zone, nowMs, local);
    default:
      return assertNever(schedule);
  }
}
