/**
 * Local time, from outside: this package knows no calendar. What permission calls `Zones` has this shape, so one
 * implementation serves both. `undefined`: no such zone.
 */
export interface LocalTime {
  /** From local midnight to the next, however long the clocks make the day. */
  period(zone: string, unit: 'day', atMs: number): { readonly fromMs: number; readonly untilMs: number } | undefined;
  /** Minutes since local midnight by the wall clock, 0 to 1439; weekday 0 is Monday. */
  wallClock(zone: string, atMs: number): { readonly weekday: number; readonly minute: number } | undefined;
}

/** `HH:MM` as minutes since midnight; `undefined` where it is no time of day. */
export function minuteOfDay(time: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  return match ? Number(match[1]) * 60 + Number(match[2]) : undefined;
}

const MINUTE_MS = 60_000;

/**
 * The moment of a local day at which the wall clock first shows a time, or the first after it where the clocks skip it.
 * Without a zone of that name, UTC: a schedule that is an hour off is better than one that never runs.
 */
export function timeOnDay(time: string, zone: string, dayMs: number, local: LocalTime): number {
  const wanted = minuteOfDay(time) ?? 0;
  const day = local.period(zone, 'day', dayMs);
  if (!day) return Math.floor(dayMs / 86_400_000) * 86_400_000 + wanted * MINUTE_MS;
  // The clocks move by at most some hours: the wall clock at the naive moment says by how much.
  const naive = day.fromMs + wanted * MINUTE_MS;
  const last = day.untilMs - MINUTE_MS;
  for (const shift of [0, -120, -60, -30, 30, 60, 120].sort((a, b) => a - b)) {
    const at = naive + shift * MINUTE_MS;
    if (at < day.fromMs || at > last) continue;
    if (local.wallClock(zone, at)?.minute === wanted) return at;
  }
  // Skipped: the first moment whose wall clock shows more.
  for (let at = day.fromMs; at <= last; at += MINUTE_MS) {
    if ((local.wallClock(zone, at)?.minute ?? 0) >= wanted) return at;
  }
  return last;
}
