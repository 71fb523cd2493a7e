import { budgetKey, isBudgetConstraint, type BudgetConstraint } from '../constraint.ts';
import type { Charge } from '../decision.ts';
import { constraintsOf, type Grant } from '../grant.ts';
import { spentFrom } from './budget.ts';
import { charge, effectiveTime, findBudget, type Usage } from './usage.ts';

/** What shall remain of a grant's budgets, by budget key (`volume native 86400s`). What is not named keeps nothing. */
export type Remaining = Readonly<Record<string, bigint>>;

/** No calendar period is longer: a day, week or month with an hour or two that the clocks were set back. */
const LONGEST_MS = { day: 26, week: 7 * 24 + 2, month: 31 * 24 + 2 };
const HOUR_MS = 3_600_000;

/**
 * Spends, in place, what a grant's or cap's budgets hold beyond `remaining`, and returns what it charged. After an old
 * backup was restored, nobody knows what was signed since: everything counts as spent just now, but for what an operator
 * says remains. It only ever takes: a budget that has less than that keeps what it has. A calendar budget is spent for
 * the length of its period from now on, so that no calendar is needed here. Throws a RangeError where `remaining` names
 * a budget that the grant does not have, or is negative: a mistyped name must not pass for an answer.
 */
export function fillUsage(
  grant: Grant,
  usage: Usage,
  nowMs: number,
  ref: string,
  remaining: Remaining = {},
): readonly Charge[] {
  const now = effectiveTime(usage, nowMs);
  const constraints = constraintsOf(grant).filter(isBudgetConstraint);
  const keys = constraints.map(budgetKey);
  for (const [key, amount] of Object.entries(remaining)) {
    if (!keys.includes(key)) throw new RangeError('the grant has no such budget');
    if (amount < 0n) throw new RangeError('what remains is not negative');
  }
  const charges: Charge[] = [];
  for (const constraint of constraints) {
    const budget = budgetKey(constraint);
    const keep = Object.hasOwn(remaining, budget) ? remaining[budget]! : 0n;
    const item = fillOne(constraint, { grant: grant.id, budget, amount: 0n }, keep, usage, now);
    if (item) charges.push(item);
  }
  charge(usage, charges, now, ref);
  return charges;
}

function fillOne(
  constraint: BudgetConstraint,
  blank: Charge,
  keep: bigint,
  usage: Usage,
  now: number,
): Charge | undefined {
  if (constraint.type === 'min-interval') return blank;
  const held = findBudget(usage, blank.grant, blank.budget);
  const calendar = constraint.type !== 'outstanding' && 'calendar' in constraint.window ? constraint.window : undefined;
  const period = calendar && { fromMs: now, untilMs: now + LONGEST_MS[calendar.calendar] * HOUR_MS };
  const amount = BigInt(constraint.limit) - keep - spentFrom(held, now, period);
  return amount > 0n ? { ...blank, amount, ...period } : undefined;
}
