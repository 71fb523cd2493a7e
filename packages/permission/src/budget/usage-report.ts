import { budgetKey, windowText, type BudgetConstraint, type Constraint, type Window } from '../constraint.ts';
import { constraintsOf, type Grant } from '../grant.ts';
import type { Period, Zones } from '../zones.ts';
import { freeAt, spentFrom } from './budget.ts';
import { effectiveTime, findBudget, type UsageView } from './usage.ts';

/**
 * How one constraint of a grant stands. Amounts are base units, for `count` signatures; null where the constraint has no
 * such number.
 */
export interface UsageLine {
  readonly rule: Constraint['type'];
  readonly asset: string | null;
  /** See `windowText`. */
  readonly window: string | null;
  readonly limit: bigint | null;
  readonly spent: bigint | null;
  readonly remaining: bigint | null;
  /** When the whole limit is free again if nothing more is charged, ms since 1970; null: not by waiting, or no limit. */
  readonly allFreeAtMs: number | null;
}

/** What is left of each constraint of `grant` at `nowMs`, in the grant's order. */
export function usageReport(grant: Grant, usage: UsageView, nowMs: number, zones: Zones): UsageLine[] {
  const now = effectiveTime(usage, nowMs);
  return constraintsOf(grant).map((constraint) => usageLine(grant.id, constraint, usage, now, zones));
}

function usageLine(grantId: string, constraint: Constraint, usage: UsageView, now: number, zones: Zones): UsageLine {
  const nothing = { asset: null, window: null, limit: null, spent: null, remaining: null, allFreeAtMs: null };
  switch (constraint.type) {
    case 'volume':
    case 'count':
    case 'outstanding': {
      const period = 'window' in constraint ? periodOf(constraint.window, zones, now) : undefined;
      if (period === 'unknown') return { ...nothing, rule: constraint.type, limit: BigInt(constraint.limit) };
      return { ...nothing, rule: constraint.type, ...held(grantId, constraint, usage, now, period) };
    }
    case 'max-value':
      return { ...nothing, rule: constraint.type, asset: constraint.asset, limit: constraint.limit };
    case 'gas-limit':
    case 'max-fee-per-gas':
    case 'max-priority-fee':
    case 'max-fee':
      return { ...nothing, rule: constraint.type, limit: constraint.limit };
    case 'min-interval': {
      const budget = findBudget(usage, grantId, budgetKey(constraint));
      const free = budget?.kind === 'interval' ? Math.max(now, budget.lastMs + constraint.seconds * 1000) : now;
      return { ...nothing, rule: constraint.type, allFreeAtMs: free };
    }
    case 'validity':
    case 'weekly':
    case 'quorum':
      return { ...nothing, rule: constraint.type };
  }
}

function held(
  grantId: string,
  constraint: Exclude<BudgetConstraint, { type: 'min-interval' }>,
  usage: UsageView,
  now: number,
  period: Period | undefined,
) {
  const limit = BigInt(constraint.limit);
  const budget = findBudget(usage, grantId, budgetKey(constraint));
  const spent = spentFrom(budget, now, period);
  return {
    asset: constraint.type === 'count' ? null : constraint.asset,
    window: constraint.type === 'outstanding' ? null : windowText(constraint.window),
    limit,
    spent,
    remaining: spent < limit ? limit - spent : 0n,
    allFreeAtMs: freeAt(budget, 0n, now, period),
  };
}

/** The calendar period that a window means now; `undefined` for windows that have none. */
export function periodOf(window: Window, zones: Zones, nowMs: number): Period | undefined | 'unknown' {
  if (!('calendar' in window)) return undefined;
  return zones.period(window.zone, window.calendar, nowMs) ?? 'unknown';
}
