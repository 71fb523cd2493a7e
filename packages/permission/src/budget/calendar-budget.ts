import type { Period } from '../zones.ts';

/**
 * What was charged by calendar period. The periods come with the charges, so folding them again needs no calendar.
 *
 * A charge counts until its own period has ended, and in every period that overlaps it: where a new version of the time
 * zone database moves a border, budget comes back late and never early.
 */
export interface CalendarBudget {
  readonly kind: 'calendar';
  /** Ascending by their end; each once. */
  periods: PeriodTotal[];
}

export interface PeriodTotal extends Period {
  readonly spent: bigint;
}

export function addToPeriod(budget: CalendarBudget, period: Period, amount: bigint): void {
  const rest = budget.periods.filter((each) => each.untilMs > period.fromMs);
  const same = rest.findIndex(({ fromMs, untilMs }) => fromMs === period.fromMs && untilMs === period.untilMs);
  if (same >= 0) rest[same] = { ...rest[same]!, spent: rest[same]!.spent + amount };
  else rest.push({ fromMs: period.fromMs, untilMs: period.untilMs, spent: amount });
  budget.periods = rest.sort((a, b) => a.untilMs - b.untilMs || a.fromMs - b.fromMs);
}

export function spentInPeriod(budget: Readonly<CalendarBudget>, period: Period): bigint {
  let sum = 0n;
  for (const { untilMs, spent } of budget.periods) if (untilMs > period.fromMs) sum += spent;
  return sum;
}

/** When no more than `amount` is spent if nothing else is charged. */
export function periodUntilAtMost(budget: Readonly<CalendarBudget>, amount: bigint, period: Period): number {
  let sum = spentInPeriod(budget, period);
  let at = period.fromMs;
  for (const { untilMs, spent } of budget.periods) {
    if (sum <= amount) return at;
    if (untilMs <= period.fromMs) continue;
    sum -= spent;
    // Within the present period everything that overlaps it counts to its end.
    at = Math.max(untilMs, period.untilMs);
  }
  return at;
}
