import type { Charge } from '../decision.ts';
import { addToBudget, budgetShape, createBudget, type Budget, type BudgetView } from './budget.ts';
import { settleOutstanding, type Outcome } from './outstanding-budget.ts';
import { cloneRollingWindow } from './rolling-window.ts';

/**
 * What the budgets of all grants and caps hold. **It is changed in place** by {@link charge}, {@link settle} and
 * {@link forgetGrant}; everything else only reads it, so that a refusal leaves no trace and a replay of the same changes
 * gives the same usage again.
 *
 * Time does not go backwards in it: a time before the latest charge is taken for the time of that charge.
 */
export interface Usage {
  /** The latest time at which anything was charged, in milliseconds since the Unix epoch. */
  lastMs: number;
  /** By grant id, then by budget key. */
  readonly grants: Map<string, Map<string, Budget>>;
}

/** Usage that the holder cannot change. */
export interface UsageView {
  readonly lastMs: number;
  readonly grants: ReadonlyMap<string, ReadonlyMap<string, BudgetView>>;
}

/** The largest time that is taken, in the year 255,000: every window's end is still a valid date. */
const MAX_TIME_MS = 8_000_000_000_000_000;

export function createUsage(): Usage {
  return { lastMs: 0, grants: new Map() };
}

/** The time that `usage` goes by at `nowMs`. Throws a RangeError where `nowMs` is not a whole number of milliseconds. */
export function effectiveTime(usage: UsageView, nowMs: number): number {
  if (!isTime(nowMs)) throw new RangeError('a time is a whole number of milliseconds since 1970');
  return Math.max(nowMs, usage.lastMs);
}

/**
 * Takes the charges of a permitted request, in place. `ref` names what was signed (the number of its journal entry), so
 * that it can be settled later. The caller has just evaluated the request at the same time: `charge` does not look at
 * limits. Throws a RangeError for a negative amount or a budget that cannot be, before it charges anything.
 */
export function charge(usage: Usage, charges: readonly Charge[], nowMs: number, ref: string): void {
  const now = effectiveTime(usage, nowMs);
  for (const item of charges) checkCharge(usage, item);
  usage.lastMs = now;
  for (const item of charges) addToBudget(budgetFor(usage, item), item, now, ref);
}

function checkCharge(usage: Usage, { grant, budget, amount, fromMs, untilMs }: Charge): void {
  if (amount < 0n) throw new RangeError('a charge is not negative');
  // A budget that is there has shown that its key says what it is.
  const shape = findBudget(usage, grant, budget) ?? budgetShape(budget);
  if (shape === undefined) throw new RangeError(`no budget has the key ${budget}`);
  if (shape.kind === 'calendar' && (!isTime(fromMs) || !isTime(untilMs) || fromMs >= untilMs)) {
    throw new RangeError('a charge of a calendar budget names its period');
  }
}

function budgetFor(usage: Usage, { grant, budget: key }: Charge): Budget {
  let budgets = usage.grants.get(grant);
  if (budgets === undefined) usage.grants.set(grant, (budgets = new Map()));
  let budget = budgets.get(key);
  if (budget === undefined) budgets.set(key, (budget = createBudget(budgetShape(key)!)));
  return budget;
}

/** Says how something signed ended, in place. Only `outstanding` budgets change; whether any did. */
export function settle(usage: Usage, ref: string, outcome: Outcome): boolean {
  let changed = false;
  for (const budgets of usage.grants.values()) {
    for (const budget of budgets.values()) {
      if (budget.kind === 'outstanding' && settleOutstanding(budget, ref, outcome)) changed = true;
    }
  }
  return changed;
}

/** Whether something of this signature is unsettled still. */
export function isOutstanding(usage: UsageView, ref: string): boolean {
  for (const budgets of usage.grants.values()) {
    for (const budget of budgets.values()) if (budget.kind === 'outstanding' && budget.items.has(ref)) return true;
  }
  return false;
}

/** One budget of one grant, where anything was ever charged to it. */
export function findBudget(usage: UsageView, grantId: string, key: string): BudgetView | undefined {
  return usage.grants.get(grantId)?.get(key);
}

/** Drops, in place, what a revoked grant used. Grant ids are never used again. */
export function forgetGrant(usage: Usage, grantId: string): void {
  usage.grants.delete(grantId);
}

export function cloneUsage(usage: UsageView): Usage {
  const grants: Usage['grants'] = new Map();
  for (const [grantId, budgets] of usage.grants) {
    grants.set(grantId, new Map([...budgets].map(([key, budget]) => [key, cloneBudget(budget)])));
  }
  return { lastMs: usage.lastMs, grants };
}

function cloneBudget(budget: BudgetView): Budget {
  switch (budget.kind) {
    case 'rolling':
      return { kind: 'rolling', window: cloneRollingWindow(budget.window) };
    case 'calendar':
      return { kind: 'calendar', periods: [...budget.periods] };
    case 'outstanding':
      return { ...budget, items: new Map(budget.items), ending: new Set(budget.ending) };
    default:
      return { ...budget };
  }
}

export function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_TIME_MS;
}
