import { err, ok, type Result } from '@keepwatch/base';
import { budgetShape, createBudget, type Budget, type BudgetView } from './budget.ts';
import type { CalendarBudget } from './calendar-budget.ts';
import { addOutstanding, MAX_OUTSTANDING, type OutstandingBudget } from './outstanding-budget.ts';
import { marksOf, MAX_MARKS, type RollingWindow } from './rolling-window.ts';
import { createUsage, isTime, type Usage, type UsageView } from './usage.ts';

/**
 * Usage as it stands in a snapshot: times in milliseconds, amounts as decimal strings, everything in a fixed order. What
 * a budget holds depends on its key: `[time, amount]` marks of a rolling window, `[from, until, amount]` of calendar
 * periods, `[reference, items]` of what is outstanding; one amount, or one time.
 */
export interface UsageJson {
  readonly version: 2;
  readonly lastMs: number;
  readonly grants: readonly {
    readonly id: string;
    readonly budgets: readonly (readonly [key: string, held: BudgetJson])[];
  }[];
}

type BudgetJson =
  | string
  | number
  | readonly (readonly [timeMs: number, amount: string])[]
  | readonly (readonly [fromMs: number, untilMs: number, amount: string])[]
  | readonly (readonly [ref: string, items: readonly ItemJson[]])[];

type ItemJson = readonly [holds: 'spent' | 'allowance', amount: string, untilMs: number | null];

/** The same usage gives the same JSON, whatever the order in which it came about. */
export function serialiseUsage(usage: UsageView): UsageJson {
  const grants = [...usage.grants].sort(byKey).map(([id, budgets]) => ({
    id,
    budgets: [...budgets].sort(byKey).map(([key, budget]) => [key, heldBy(budget)] as const),
  }));
  return { version: 2, lastMs: usage.lastMs, grants };
}

function heldBy(budget: BudgetView): BudgetJson {
  switch (budget.kind) {
    case 'rolling':
      return marksOf(budget.window).map(([timeMs, amount]) => [timeMs, amount.toString()] as const);
    case 'ever':
      return budget.spent.toString();
    case 'calendar':
      return budget.periods.map(({ fromMs, untilMs, spent }) => [fromMs, untilMs, spent.toString()] as const);
    case 'interval':
      return budget.lastMs;
    case 'outstanding':
      return [...budget.items]
        .sort(byKey)
        .map(
          ([ref, items]) =>
            [
              ref,
              items.map(({ holds, amount, untilMs }) => [holds, amount.toString(), untilMs] satisfies ItemJson),
            ] as const,
        );
  }
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

/** The inverse of {@link serialiseUsage}. `invalid_usage`: no usage would have been serialised to this. */
export function restoreUsage(json: unknown): Result<Usage, 'invalid_usage'> {
  if (!isRecord(json) || json['version'] !== 2 || !isTime(json['lastMs'])) return err('invalid_usage');
  const usage = createUsage();
  usage.lastMs = json['lastMs'];
  if (!Array.isArray(json['grants'])) return err('invalid_usage');
  for (const grant of json['grants'] as unknown[]) {
    if (!isRecord(grant) || typeof grant['id'] !== 'string' || usage.grants.has(grant['id'])) {
      return err('invalid_usage');
    }
    const budgets = restoreBudgets(grant['budgets'], usage.lastMs);
    if (budgets === undefined) return err('invalid_usage');
    usage.grants.set(grant['id'], budgets);
  }
  return ok(usage);
}

function restoreBudgets(json: unknown, lastMs: number): Map<string, Budget> | undefined {
  if (!Array.isArray(json)) return undefined;
  const budgets = new Map<string, Budget>();
  for (const item of json as unknown[]) {
    if (!Array.isArray(item) || item.length !== 2) return undefined;
    const [key, held] = item as [unknown, unknown];
    if (typeof key !== 'string' || budgets.has(key)) return undefined;
    const shape = budgetShape(key);
    if (shape === undefined) return undefined;
    const budget = createBudget(shape);
    if (!restoreHeld(budget, held, lastMs)) return undefined;
    budgets.set(key, budget);
  }
  return budgets;
}

function restoreHeld(budget: Budget, held: unknown, lastMs: number): boolean {
  switch (budget.kind) {
    case 'rolling':
      return restoreMarks(budget.window, held, lastMs);
    case 'ever': {
      const spent = parseAmount(held);
      if (spent !== undefined) budget.spent = spent;
      return spent !== undefined;
    }
    case 'calendar':
      return restorePeriods(budget, held);
    case 'interval':
      if (!isTime(held) || held > lastMs) return false;
      budget.lastMs = held;
      return true;
    case 'outstanding':
      return restoreItems(budget, held);
  }
}

function restoreMarks(window: RollingWindow, marks: unknown, lastMs: number): boolean {
  if (!Array.isArray(marks) || marks.length > MAX_MARKS) return false;
  let previous = -1;
  let total = 0n;
  for (const mark of marks as unknown[]) {
    if (!Array.isArray(mark) || mark.length !== 2) return false;
    const [timeMs, text] = mark as [unknown, unknown];
    const amount = parseAmount(text);
    if (!isTime(timeMs) || timeMs <= previous || timeMs > lastMs || amount === undefined || amount === 0n) return false;
    previous = timeMs;
    total += amount;
    window.times.push(timeMs);
    window.totals.push(total);
  }
  return true;
}

function restorePeriods(budget: CalendarBudget, periods: unknown): boolean {
  if (!Array.isArray(periods)) return false;
  for (const period of periods as unknown[]) {
    if (!Array.isArray(period) || period.length !== 3) return false;
    const [fromMs, untilMs, text] = period as [unknown, unknown, unknown];
    const spent = parseAmount(text);
    if (!isTime(fromMs) || !isTime(untilMs) || fromMs >= untilMs || spent === undefined || spent === 0n) return false;
    const last = budget.periods.at(-1);
    if (last && (untilMs < last.untilMs || (untilMs === last.untilMs && fromMs <= last.fromMs))) return false;
    budget.periods.push({ fromMs, untilMs, spent });
  }
  return true;
}

function restoreItems(budget: OutstandingBudget, entries: unknown): boolean {
  if (!Array.isArray(entries) || entries.length > MAX_OUTSTANDING) return false;
  for (const entry of entries as unknown[]) {
    if (!Array.isArray(entry) || entry.length !== 2) return false;
    const [ref, items] = entry as [unknown, unknown];
    if (typeof ref !== 'string' || budget.items.has(ref) || !Array.isArray(items) || items.length === 0) return false;
    for (const item of items as unknown[]) {
      if (!Array.isArray(item) || item.length !== 3) return false;
      const [holds, text, untilMs] = item as [unknown, unknown, unknown];
      const amount = parseAmount(text);
      if (holds !== 'spent' && holds !== 'allowance') return false;
      if (amount === undefined || amount === 0n || (untilMs !== null && !isTime(untilMs))) return false;
      // At time 0 nothing has ended: everything comes back as it was written.
      addOutstanding(budget, ref, { holds, amount, untilMs }, 0);
    }
  }
  return true;
}

/** Sums may be larger than one amount can be, so these are not bounded by 2^256. */
function parseAmount(text: unknown): bigint | undefined {
  return typeof text === 'string' && /^(0|[1-9][0-9]{0,99})$/.test(text) ? BigInt(text) : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
