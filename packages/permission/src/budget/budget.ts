import { assertNever } from '@keepwatch/base';
import type { Charge } from '../decision.ts';
import type { CalendarUnit } from '@keepwatch/base';
import { MAX_WINDOW_SECONDS } from '../constraint.ts';
import type { Period } from '../zones.ts';
import { addToPeriod, periodUntilAtMost, spentInPeriod, type CalendarBudget } from './calendar-budget.ts';
import {
  addOutstanding,
  createOutstanding,
  outstandingAt,
  outstandingUntilAtMost,
  type OutstandingBudget,
  type OutstandingView,
} from './outstanding-budget.ts';
import {
  addCharge,
  createRollingWindow,
  sumAt,
  timeUntilAtMost,
  type RollingWindow,
  type RollingWindowView,
} from './rolling-window.ts';

/** What one budget of a grant holds. Its key (see `budgetKey`) says which of these it is. */
export type Budget = RollingBudget | EverBudget | CalendarBudget | IntervalBudget | OutstandingBudget;

export interface RollingBudget {
  readonly kind: 'rolling';
  readonly window: RollingWindow;
}

export interface EverBudget {
  readonly kind: 'ever';
  spent: bigint;
}

export interface IntervalBudget {
  readonly kind: 'interval';
  /** The latest charge, in milliseconds since 1970. */
  lastMs: number;
}

export type BudgetView =
  | { readonly kind: 'rolling'; readonly window: RollingWindowView }
  | Readonly<EverBudget>
  | Readonly<CalendarBudget>
  | Readonly<IntervalBudget>
  | OutstandingView;

/** What a budget's key says of it. */
export type BudgetShape =
  | { readonly kind: 'rolling'; readonly seconds: number }
  | { readonly kind: 'calendar'; readonly unit: CalendarUnit; readonly zone: string }
  | { readonly kind: 'ever' | 'interval' | 'outstanding' };

/** The inverse of `budgetKey`, as far as a budget needs it; `undefined`: no budget has this key. */
export function budgetShape(key: string): BudgetShape | undefined {
  if (key === 'min-interval') return { kind: 'interval' };
  const [rule, ...words] = key.split(' ');
  if (rule === 'outstanding') return words.length === 1 && words[0] !== '' ? { kind: 'outstanding' } : undefined;
  if (rule === 'volume') {
    if (words.shift() === '') return undefined;
  } else if (rule !== 'count') return undefined;
  const [first = '', zone, ...rest] = words;
  if (rest.length > 0) return undefined;
  if (zone !== undefined) {
    const isUnit = first === 'day' || first === 'week' || first === 'month';
    return isUnit && zone !== '' ? { kind: 'calendar', unit: first, zone } : undefined;
  }
  if (first === 'ever') return { kind: 'ever' };
  const seconds = /^[1-9][0-9]{0,8}s$/.test(first) ? Number(first.slice(0, -1)) : 0;
  return seconds >= 1 && seconds <= MAX_WINDOW_SECONDS ? { kind: 'rolling', seconds } : undefined;
}

export function createBudget(shape: BudgetShape): Budget {
  switch (shape.kind) {
    case 'rolling':
      return { kind: 'rolling', window: createRollingWindow(shape.seconds) };
    case 'ever':
      return { kind: 'ever', spent: 0n };
    case 'calendar':
      return { kind: 'calendar', periods: [] };
    case 'interval':
      return { kind: 'interval', lastMs: 0 };
    case 'outstanding':
      return createOutstanding();
  }
}

/** Takes a charge from a budget, in place. `ref` names what was signed. */
export function addToBudget(budget: Budget, item: Charge, nowMs: number, ref: string): void {
  switch (budget.kind) {
    case 'rolling':
      if (item.amount > 0n) addCharge(budget.window, item.amount, nowMs);
      return;
    case 'ever':
      budget.spent += item.amount;
      return;
    case 'calendar':
      if (item.amount > 0n) addToPeriod(budget, { fromMs: item.fromMs!, untilMs: item.untilMs! }, item.amount);
      return;
    case 'interval':
      budget.lastMs = nowMs;
      return;
    case 'outstanding': {
      const { amount, holds = 'spent', untilMs = null } = item;
      if (amount > 0n) addOutstanding(budget, ref, { amount, holds, untilMs }, nowMs);
      return;
    }
    default:
      assertNever(budget);
  }
}

/** What a budget holds. For a calendar budget, `period` is the one in question. */
export function spentFrom(budget: BudgetView | undefined, nowMs: number, period: Period | undefined): bigint {
  switch (budget?.kind) {
    case undefined:
    case 'interval':
      return 0n;
    case 'rolling':
      return sumAt(budget.window, nowMs);
    case 'ever':
      return budget.spent;
    case 'calendar':
      return spentInPeriod(budget, period!);
    case 'outstanding':
      return outstandingAt(budget, nowMs);
  }
}

/** When no more than `amount` is held if nothing else is charged, not before `nowMs`; null: not by waiting. */
export function freeAt(
  budget: BudgetView | undefined,
  amount: bigint,
  nowMs: number,
  period: Period | undefined,
): number | null {
  switch (budget?.kind) {
    case undefined:
    case 'interval':
      return nowMs;
    case 'rolling':
      return timeUntilAtMost(budget.window, amount, nowMs);
    case 'ever':
      return budget.spent <= amount ? nowMs : null;
    case 'calendar':
      return Math.max(nowMs, periodUntilAtMost(budget, amount, period!));
    case 'outstanding':
      return outstandingUntilAtMost(budget, amount, nowMs);
  }
}
