import type { Zones } from './zones.ts';

/** `HH:MM` as minutes since midnight; `undefined` where it is no time of day. */
export function minuteOfDay(time: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  return match ? Number(match[1]) * 60 + Number(match[2]) : undefined;
}

type Calendar = Pick<Zones, 'period' | 'wallClock'>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * The moment of a local day at which the wall clock first shows a minute, or the first after it where the clocks skip it.
 * Without a zone of that name, UTC: what is an hour off is better than what never comes.
 */
export function timeOnDay(minute: number, zone: string, dayMs: number, zones: Calendar): number {
  const day = zones.period(zone, 'day', dayMs);
  if (!day) return Math.floor(dayMs / DAY_MS) * DAY_MS + minute * MINUTE_MS;
  // The clocks move by at most some hours: the wall clock at the naive moment says by how much.
  const naive = day.fromMs + minute * MINUTE_MS;
  const last = day.untilMs - MINUTE_MS;
  for (const shift of [-120, -60, -30, 0, 30, 60, 120]) {
    const at = naive + shift * MINUTE_MS;
    if (at < day.fromMs || at > last) continue;
    if (zones.wallClock(zone, at)?.minute === minute) return at;
  }
  // Skipped: the first moment whose wall clock shows more.
  for (let at = day.fromMs; at <= last; at += MINUTE_MS) {
    if ((zones.wallClock(zone, at)?.minute ?? 0) >= minute) return at;
  }
  return last;
}

/** The last moment up to now at which the wall clock of a zone first showed a minute of its day. */
export function lastTimeOfDay(minute: number, zone: string, nowMs: number, zones: Calendar): number {
  const { today, isPast, fromMs } = aboutToday(minute, zone, nowMs, zones);
  return isPast ? today : timeOnDay(minute, zone, fromMs - 1, zones);
}

/** The next moment after now at which it does. */
export function nextTimeOfDay(minute: number, zone: string, nowMs: number, zones: Calendar): number {
  const { today, isPast, untilMs } = aboutToday(minute, zone, nowMs, zones);
  return isPast ? timeOnDay(minute, zone, untilMs, zones) : today;
}

/** The moment of today, whether it has come, and where the day begins and ends. */
function aboutToday(minute: number, zone: string, nowMs: number, zones: Calendar) {
  const today = timeOnDay(minute, zone, nowMs, zones);
  return { today, isPast: today <= nowMs, ...dayOf(zone, nowMs, zones) };
}

function dayOf(zone: string, atMs: number, zones: Calendar) {
  const fromMs = Math.floor(atMs / DAY_MS) * DAY_MS;
  return zones.period(zone, 'day', atMs) ?? { fromMs, untilMs: fromMs + DAY_MS };
}
