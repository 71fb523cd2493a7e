import type { CalendarUnit, Period, Zones } from '@keepwatch/permission';

/** Time zones by the database that comes with Node (`process.versions.tz`). */
export function createZones(): Zones {
  const periods = new Map<string, Period>();
  const offsets = new Map<string, Offset>();

  return {
    version: process.versions.tz ?? 'unknown',
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
