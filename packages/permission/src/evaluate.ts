import type { BudgetLine, Decision, DenyReason, PermissionRequest } from './decision.ts';
import { isWindowConstraint, type Charge, type Grant } from './grant.ts';
import type { Intent } from './intent.ts';
import type { Cost } from './kinds/kind.ts';
import { costOf, rulesOfKind } from './kinds/table.ts';
import { checkConstraint } from './rules/table.ts';
import { windowCharge } from './rules/window.ts';
import { effectiveTime, type UsageView } from './usage.ts';

/**
 * Whether one of `grants` permits the request at `nowMs` (milliseconds since 1970), with what `usage` says is spent.
 *
 * It starts at *deny*: without grants, without a grant of this client, wallet, chain and kind, and at whatever is not known.
 * Several grants may permit; the first by `createdSeq`, then by id, is the one that is charged. The order of `grants`
 * decides nothing. Nothing is changed: the caller charges a permit at the same `nowMs`.
 *
 * The work is linear in `grants`, so the caller passes the grants of this client, wallet and chain (see
 * `createGrantIndex`); others among them are ignored. Throws a RangeError for an invalid time or a negative amount.
 */
export function evaluate(
  request: PermissionRequest,
  grants: readonly Grant[],
  usage: UsageView,
  nowMs: number,
): Decision {
  const { client, wallet, intent } = request;
  const now = effectiveTime(usage, nowMs);
  const candidates = grants.filter(
    (grant) =>
      grant.client === client && grant.wallet === wallet && grant.chain === intent.chain && grant.kind === intent.kind,
  );
  if (candidates.length === 0) {
    const { chain, kind } = intent;
    return { verdict: 'deny', reasons: [{ code: 'no_grant', grant: null, client, wallet, chain, kind }] };
  }
  const cost = costOf(intent);
  const reasons: DenyReason[] = [];
  for (const grant of candidates.sort(byAge)) {
    const verdict = judge(grant, intent, cost, usage, now);
    if (verdict.permits) {
      return { verdict: 'permit', grant: grant.id, charges: chargesFor(grant, cost), budgets: verdict.budgets };
    }
    reasons.push(...verdict.reasons);
  }
  return { verdict: 'deny', reasons };
}

/** The order in which grants are charged: the oldest first. */
export function byAge(a: Grant, b: Grant): number {
  if (a.createdSeq !== b.createdSeq) return a.createdSeq - b.createdSeq;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

/** What permitting `intent` under `grant` takes from the grant's windows. */
export function chargesOf(grant: Grant, intent: Intent): Charge[] {
  return chargesFor(grant, costOf(intent));
}

function chargesFor(grant: Grant, cost: Cost): Charge[] {
  return grant.constraints.filter(isWindowConstraint).map((constraint) => windowCharge(constraint, cost));
}

type GrantVerdict =
  | { readonly permits: true; readonly budgets: readonly BudgetLine[] }
  | { readonly permits: false; readonly reasons: readonly DenyReason[] };

function judge(grant: Grant, intent: Intent, cost: Cost, usage: UsageView, nowMs: number): GrantVerdict {
  const mismatch = rulesOfKind(intent.kind).mismatch(grant, intent);
  if (mismatch !== undefined) {
    return { permits: false, reasons: [{ code: 'recipient_not_permitted', grant: grant.id, ...mismatch }] };
  }
  const context = { grantId: grant.id, cost, usage, nowMs };
  const budgets: BudgetLine[] = [];
  const reasons: DenyReason[] = [];
  for (const constraint of grant.constraints) {
    const verdict = checkConstraint(constraint, context);
    if (verdict.pass) budgets.push(verdict.budget);
    else reasons.push(verdict.reason);
  }
  if (!grant.constraints.some(({ type }) => type === 'volume')) {
    reasons.push({ code: 'no_volume_limit', grant: grant.id });
  }
  return reasons.length === 0 ? { permits: true, budgets } : { permits: false, reasons };
}
