import { isWindowConstraint, windowKey, windowOf, type Charge, type Constraint, type Grant } from './grant.ts';
import { timeUntilAtMost } from './rolling-window.ts';
import { charge, effectiveTime, findWindow, spent, type Usage, type UsageView } from './usage.ts';

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

/** What shall remain of a grant's windows, by window key (`volume/86400`). A window that is not named keeps nothing. */
export type Remaining = Readonly<Record<string, bigint>>;

/**
 * Spends, in place, what a grant's windows hold beyond `remaining`, and returns what it charged. After an old backup was
 * restored, nobody knows what was signed since: everything counts as spent just now, but for what an operator says
 * remains. It only ever takes: a window that has less than that keeps what it has. Throws a RangeError where `remaining`
 * names a window that the grant does not have, or is negative: a mistyped name must not pass for an answer.
 */
export function fillUsage(grant: Grant, usage: Usage, nowMs: number, remaining: Remaining = {}): Charge[] {
  const windows = grant.constraints.filter(isWindowConstraint);
  const keys = windows.map((constraint) => windowKey(windowOf(constraint)));
  for (const [key, amount] of Object.entries(remaining)) {
    if (!keys.includes(key)) throw new RangeError('the grant has no such window');
    if (amount < 0n) throw new RangeError('what remains is not negative');
  }
  const charges: Charge[] = [];
  for (const constraint of windows) {
    const id = windowOf(constraint);
    const keep = Object.hasOwn(remaining, windowKey(id)) ? remaining[windowKey(id)]! : 0n;
    const amount = BigInt(constraint.limit) - keep - spent(usage, grant.id, id, nowMs);
    if (amount > 0n) charges.push({ ...id, amount });
  }
  charge(usage, grant.id, charges, nowMs);
  return charges;
}
