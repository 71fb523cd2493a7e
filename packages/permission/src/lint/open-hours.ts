import type { Constraint } from '../constraint.ts';
import { checkWeekly } from '../rules/times.ts';
import type { Zones } from '../zones.ts';

const MINUTE = 60_000;
/** After so long each span of a week has come, however clocks were changed meanwhile. */
const LONG_ENOUGH_MS = 15 * 86_400_000;

/** Time zones of the constraints that are not known here: a constraint with one is never met. */
export function unknownZones(constraints: readonly Constraint[], nowMs: number, zones: Zones): string[] {
  const named = constraints.flatMap((each) => {
    if ('zone' in each) return [each.zone];
    return 'window' in each && 'zone' in each.window ? [each.window.zone] : [];
  });
  return [...new Set(named)].filter((zone) => zones.wallClock(zone, nowMs) === undefined);
}

/**
 * Whether `validity` ends before any hour of `weekly` comes. Looked for minute by minute, for it is the wall clock of a
 * time zone that decides, and no rule of time zones is known here.
 */
export function neverOpen(constraints: readonly Constraint[], nowMs: number, zones: Zones): boolean {
  const validity = constraints.find((each) => each.type === 'validity');
  const weekly = constraints.find((each) => each.type === 'weekly');
  if (validity?.type !== 'validity' || weekly?.type !== 'weekly' || validity.untilMs === null) return false;
  const from = Math.max(validity.fromMs ?? nowMs, nowMs);
  if (validity.untilMs - from >= LONG_ENOUGH_MS) return false;
  // Spans begin with a minute of the wall clock, and that with one of ours: all zones are whole minutes away from UTC.
  for (let at = from; at < validity.untilMs; at = (Math.floor(at / MINUTE) + 1) * MINUTE) {
    if (checkWeekly(weekly, { grant: '', nowMs: at, zones }).verdict === 'pass') return false;
  }
  return true;
}
