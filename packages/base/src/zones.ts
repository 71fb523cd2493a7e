/**
 * Time zones, as pure code is given them. Every answer holds for a stretch of time, so that whoever asks often may remember
 * it. `undefined`: no such zone.
 */
export interface Zones {
  /** Version of the time zone database, such as `2026c`. */
  readonly version: string;
  /** The calendar period around a time, `fromMs` included, `untilMs` not. */
  period(zone: string, unit: CalendarUnit, atMs: number): Period | undefined;
  /** The wall clock at a time. */
  wallClock(zone: string, atMs: number): WallClock | undefined;
}

export type CalendarUnit = 'day' | 'week' | 'month';

/** Milliseconds since 1970. */
export interface Period {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface WallClock {
  /** 0: Monday. */
  readonly weekday: number;
  /** Since local midnight, 0 to 1439. */
  readonly minute: number;
}

/** Time zones by the database that the runtime has; `version` is what it says of it (`process.versions.tz` in Node). */
export function createZones(version = 'unknown'): Zones {
  const periods = new Map<string, Period>();
  const offsets = new Map<string, Offset>();

  return {
    version,
    period(zone, unit, atMs) {
      const key = `${unit} ${zone}`;
      const known = periods.get(key);
      if (known && atMs >= known.fromMs && atMs < known.untilMs) return known;
      const found = inZone(zone, atMs, (local) => periodAround(local, unit));
      if (found) periods.set(key, found);
      return found;
    },
    wallClock(zone, atMs) {
      let offset = offsets.get(zone);
      if (!offset || atMs < offset.fromMs || atMs >= offset.untilMs) {
        offset = inZone(zone, atMs, offsetAround);
        if (!offset) return undefined;
        offsets.set(zone, offset);
      }
      const minutes = Math.floor((atMs + offset.offsetMs) / 60_000);
      const days = Math.floor(minutes / MINUTES_A_DAY);
      // 1 January 1970 was a Thursday.
      return { weekday: modulo(days + 3, 7), minute: modulo(minutes, MINUTES_A_DAY) };
    },
  };
}

const MINUTES_A_DAY = 1_440;
const modulo = (value: number, by: number) => ((value % by) + by) % by;

/** How far local time is ahead, and how long that holds. */
interface Offset extends Period {
  readonly offsetMs: number;
}

function inZone<T>(zone: string, atMs: number, read: (local: Temporal.ZonedDateTime) => T): T | undefined {
  try {
    return read(Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone));
  } catch (error) {
    // What the database does not know, and times that no calendar has.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** From local midnight to local midnight, however long the clocks make the day. */
function periodAround(local: Temporal.ZonedDateTime, unit: CalendarUnit): Period {
  const day = local.toPlainDate();
  const { from, until } = boundsOf(day, unit);
  const start = (date: Temporal.PlainDate) => date.toZonedDateTime(local.timeZoneId).epochMilliseconds;
  return { fromMs: start(from), untilMs: start(until) };
}

function boundsOf(day: Temporal.PlainDate, unit: CalendarUnit) {
  switch (unit) {
    case 'day':
      return { from: day, until: day.add({ days: 1 }) };
    case 'week': {
      const from = day.subtract({ days: day.dayOfWeek - 1 });
      return { from, until: from.add({ days: 7 }) };
    }
    case 'month': {
      const from = day.with({ day: 1 });
      return { from, until: from.add({ months: 1 }) };
    }
  }
}

function offsetAround(local: Temporal.ZonedDateTime): Offset {
  // `previous` of a transition's own instant is the one before it, so one nanosecond later is asked.
  const before = local.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
  const after = local.getTimeZoneTransition('next');
  return {
    fromMs: before?.epochMilliseconds ?? -Infinity,
    untilMs: after?.epochMilliseconds ?? Infinity,
    offsetMs: local.offsetNanoseconds / 1_000_000,
  };
}
