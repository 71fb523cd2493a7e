import type { Validity, Weekday, Weekly, WeeklySpan } from '../constraint.ts';
import type { WallClock } from '../zones.ts';
import { PASS, type RuleContext, type RuleVerdict } from './rule.ts';

/** `validity`: not before it begins and not after it ends. */
export function checkValidity(
  { fromMs, untilMs }: Validity,
  { grant, nowMs }: Pick<RuleContext, 'grant' | 'nowMs'>,
): RuleVerdict {
  const early = fromMs !== null && nowMs < fromMs;
  if (!early && (untilMs === null || nowMs < untilMs)) return PASS;
  const freeAtMs = early ? fromMs : null;
  return { verdict: 'fail', reason: { code: 'outside_validity', grant, rule: 'validity', atMs: nowMs, freeAtMs } };
}

/** `weekly`: the wall clock of the zone shows one of the spans. */
export function checkWeekly(
  { zone, spans }: Weekly,
  { grant, nowMs, zones }: Pick<RuleContext, 'grant' | 'nowMs' | 'zones'>,
): RuleVerdict {
  const clock = zones.wallClock(zone, nowMs);
  if (clock === undefined) {
    return { verdict: 'fail', reason: { code: 'unknown_zone', grant, rule: 'weekly', asked: zone } };
  }
  if (spans.some((span) => isWithin(span, clock))) return PASS;
  return { verdict: 'fail', reason: { code: 'outside_hours', grant, rule: 'weekly', atMs: nowMs, freeAtMs: null } };
}

const WEEKDAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function isWithin({ days, from, to }: WeeklySpan, { weekday, minute }: WallClock): boolean {
  const start = minuteOf(from);
  const end = minuteOf(to);
  const today = days.includes(WEEKDAYS[weekday]!);
  if (start < end) return today && minute >= start && minute < end;
  const yesterday = days.includes(WEEKDAYS[(weekday + 6) % 7]!);
  return (today && minute >= start) || (yesterday && minute < end);
}

/** Of `HH:MM`. */
export function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}
