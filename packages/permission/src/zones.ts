import type { CalendarUnit } from './constraint.ts';

/**
 * Time zones, from outside: the engine knows no calendar. Every answer holds for a stretch of time, so that whoever asks
 * often may remember it. `undefined`: no such zone, which counts as a constraint that is not met.
 */
export interface Zones {
  /** Version of the time zone database, such as `2026c`: the keep journals it. */
  readonly version: string;
  /** The calendar period around a time, `fromMs` included, `untilMs` not. */
  period(zone: string, unit: CalendarUnit, atMs: number): Period | undefined;
  /** The wall clock at a time. */
  wallClock(zone: string, atMs: number): WallClock | undefined;
}

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
