import { windowOf, type Charge, type WindowConstraint } from '../grant.ts';
import type { Cost } from '../kinds/kind.ts';
import { sumAt, timeUntilAtMost } from '../rolling-window.ts';
import { findWindow } from '../usage.ts';
import type { RuleContext, RuleVerdict } from './rule.ts';

/** What an intent of this cost takes from the constraint's window. */
export function windowCharge(constraint: WindowConstraint, cost: Cost): Charge {
  return { amount: constraint.type === 'volume' ? cost.leaves : 1n, ...windowOf(constraint) };
}

/** `volume` and `count`: what is asked and what is already spent do not exceed the limit together. */
export function checkWindow(constraint: WindowConstraint, context: RuleContext): RuleVerdict {
  const { grantId, cost, usage, nowMs } = context;
  const { rule, windowSeconds, amount: asked } = windowCharge(constraint, cost);
  const limit = BigInt(constraint.limit);
  const window = findWindow(usage, grantId, { rule, windowSeconds });
  const spentBefore = window === undefined ? 0n : sumAt(window, nowMs);
  const spentAfter = spentBefore + asked;
  // Members in the order of canonical JSON, as in which a budget is journaled.
  if (spentAfter <= limit) return { pass: true, budget: { limit, rule, spentAfter, spentBefore, windowSeconds } };
  const affordable = asked <= limit && window !== undefined;
  return {
    pass: false,
    reason: {
      code: rule === 'volume' ? 'volume_exceeded' : 'count_exceeded',
      grant: grantId,
      rule,
      windowSeconds,
      limit,
      asked,
      remaining: spentBefore < limit ? limit - spentBefore : 0n,
      freeAtMs: affordable ? timeUntilAtMost(window, limit - asked, nowMs) : null,
    },
  };
}
