import { budgetKey, windowText, type Count, type MinInterval, type Outstanding, type Volume } from '../constraint.ts';
import type { BudgetExceeded, BudgetLine, Charge } from '../decision.ts';
import { dueOf, NATIVE } from '../demand.ts';
import type { Amount } from '../intent.ts';
import { freeAt, spentFrom, type BudgetView } from '../budget/budget.ts';
import { MAX_OUTSTANDING } from '../budget/outstanding-budget.ts';
import { findBudget } from '../budget/usage.ts';
import { periodOf } from '../budget/usage-report.ts';
import type { Period } from '../zones.ts';
import { PASS, type RuleContext, type RuleVerdict } from './rule.ts';

/** `volume` and `count`: what is asked and what is already spent do not exceed the limit together. */
export function checkWindow(constraint: Volume | Count, context: RuleContext): RuleVerdict {
  const { grant, demand, zones, nowMs } = context;
  const period = periodOf(constraint.window, zones, nowMs);
  if (period === 'unknown') {
    const asked = 'zone' in constraint.window ? constraint.window.zone : '';
    return { verdict: 'fail', reason: { code: 'unknown_zone', grant, rule: constraint.type, asked } };
  }
  const asked = constraint.type === 'volume' ? dueOf(demand, constraint.asset) : BigInt(demand.counts);
  return checkAmount(constraint, asked, period, context, (amount) => [
    { grant, budget: budgetKey(constraint), amount, ...period },
  ]);
}

/**
 * An allowance ends when the chain's clock says so. Blocks may be late and their time may lie behind ours, so ours waits
 * for so long after it.
 */
const CHAIN_CLOCK_MS = 3_600_000;

/** `outstanding`: what is signed and not settled, this request included, is within the limit. */
export function checkOutstanding(constraint: Outstanding, context: RuleContext): RuleVerdict {
  const { grant, demand, usage } = context;
  const { asset } = constraint;
  const budget = budgetKey(constraint);
  const asked = dueOf(demand, asset);
  const held = findBudget(usage, grant, budget);
  if (asked !== 0n && held?.kind === 'outstanding' && held.items.size >= MAX_OUTSTANDING) {
    const limit = BigInt(MAX_OUTSTANDING);
    const reason = {
      code: 'too_many_outstanding',
      grant,
      rule: 'outstanding',
      asset,
      limit,
      asked: limit + 1n,
    } as const;
    return { verdict: 'fail', reason };
  }
  return checkAmount(constraint, asked, undefined, context, () => {
    let spent = asset === NATIVE ? demand.feeDue : 0n;
    const charges: Charge[] = [];
    for (const outflow of demand.outflows) {
      if (outflow.asset !== asset || outflow.amount === 'unlimited') continue;
      if (outflow.holds === 'spent') spent += outflow.amount;
      else {
        const end = outflow.untilMs === null ? {} : { untilMs: outflow.untilMs + CHAIN_CLOCK_MS };
        charges.push({ grant, budget, amount: outflow.amount, holds: 'allowance', ...end });
      }
    }
    return spent > 0n ? [{ grant, budget, amount: spent, holds: 'spent' }, ...charges] : charges;
  });
}

function checkAmount(
  constraint: Volume | Count | Outstanding,
  asked: Amount,
  period: Period | undefined,
  { grant, usage, nowMs }: RuleContext,
  chargesFor: (amount: bigint) => readonly Charge[],
): RuleVerdict {
  const limit = BigInt(constraint.limit);
  const budget = findBudget(usage, grant, budgetKey(constraint));
  const spentBefore = spentFrom(budget, nowMs, period);
  if (asked !== 'unlimited' && (asked === 0n || spentBefore + asked <= limit)) {
    const line = lineOf(constraint, grant, limit, spentBefore, spentBefore + asked);
    return { verdict: 'pass', line, charges: asked === 0n ? [] : chargesFor(asked) };
  }
  const reason: BudgetExceeded = {
    code: CODES[constraint.type],
    grant,
    ...factsOf(constraint),
    limit,
    asked,
    remaining: spentBefore < limit ? limit - spentBefore : 0n,
    freeAtMs: whenFree(budget, asked, limit, nowMs, period),
  };
  return { verdict: 'fail', reason };
}

const CODES = {
  volume: 'volume_exceeded',
  count: 'count_exceeded',
  outstanding: 'outstanding_exceeded',
} as const;

/** Member by member, because each permit has one for each limit: spreading {@link factsOf} takes five times as long. */
function lineOf(
  constraint: Volume | Count | Outstanding,
  grant: string,
  limit: bigint,
  spentBefore: bigint,
  spentAfter: bigint,
): BudgetLine {
  switch (constraint.type) {
    case 'volume': {
      const { type: rule, asset, window } = constraint;
      return { grant, rule, asset, window: windowText(window), limit, spentBefore, spentAfter };
    }
    case 'count': {
      const { type: rule, window } = constraint;
      return { grant, rule, window: windowText(window), limit, spentBefore, spentAfter };
    }
    case 'outstanding': {
      const { type: rule, asset } = constraint;
      return { grant, rule, asset, limit, spentBefore, spentAfter };
    }
  }
}

function factsOf(constraint: Volume | Count | Outstanding) {
  switch (constraint.type) {
    case 'volume':
      return { rule: constraint.type, asset: constraint.asset, window: windowText(constraint.window) };
    case 'count':
      return { rule: constraint.type, window: windowText(constraint.window) };
    case 'outstanding':
      return { rule: constraint.type, asset: constraint.asset };
  }
}

function whenFree(
  budget: BudgetView | undefined,
  asked: Amount,
  limit: bigint,
  nowMs: number,
  period: Period | undefined,
): number | null {
  return asked === 'unlimited' || asked > limit ? null : freeAt(budget, limit - asked, nowMs, period);
}

/** `min-interval`: the latest request of the same grant lies long enough back. */
export function checkInterval(constraint: MinInterval, { grant, demand, usage, nowMs }: RuleContext): RuleVerdict {
  if (demand.counts === 0) return PASS;
  const key = budgetKey(constraint);
  const budget = findBudget(usage, grant, key);
  const freeAtMs = budget?.kind === 'interval' ? budget.lastMs + constraint.seconds * 1000 : 0;
  if (nowMs < freeAtMs) {
    return { verdict: 'fail', reason: { code: 'too_soon', grant, rule: 'min-interval', freeAtMs } };
  }
  return { verdict: 'pass', charges: [{ grant, budget: key, amount: 0n }] };
}
