import { isWindowConstraint, windowOf, type Constraint, type Grant } from './grant.ts';
import { timeUntilAtMost } from './rolling-window.ts';
import { effectiveTime, findWindow, spent, type UsageView } from './usage.ts';

/** How one constraint of a grant stands. Amounts are base units, for `count` transactions. */
export type UsageLine =
  | {
      readonly rule: 'volume' | 'count';
      readonly windowSeconds: number;
      readonly limit: bigint;
      readonly spent: bigint;
      readonly remaining: bigint;
      /** When the whole limit is free again if nothing more is charged, in milliseconds since 1970. */
      readonly allFreeAtMs: number;
    }
  | { readonly rule: 'max-fee'; readonly limit: bigint };

/** What is left of each constraint of `grant` at `nowMs`, in the grant's order. */
export function usageReport(grant: Grant, usage: UsageView, nowMs: number): UsageLine[] {
  return grant.constraints.map((constraint) => usageLine(grant.id, constraint, usage, nowMs));
}

function usageLine(grantId: string, constraint: Constraint, usage: UsageView, nowMs: number): UsageLine {
  if (!isWindowConstraint(constraint)) return { rule: constraint.type, limit: constraint.limit };
  const now = effectiveTime(usage, nowMs);
  const id = windowOf(constraint);
  const limit = BigInt(constraint.limit);
  const used = spent(usage, grantId, id, now);
  const window = findWindow(usage, grantId, id);
  return {
    ...id,
    limit,
    spent: used,
    remaining: used < limit ? limit - used : 0n,
    allFreeAtMs: window === undefined ? now : timeUntilAtMost(window, 0n, now),
  };
}
