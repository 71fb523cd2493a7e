import { mapEach } from '@keepwatch/base';
import { effectiveTime, type UsageView } from './budget/usage.ts';
import type { Decision, DenyReason, PermissionRequest } from './decision.ts';
import { demandOf } from './demand.ts';
import { forbiddenBy } from './deny-match.ts';
import type { DenyRule, PermittingGrant } from './grant.ts';
import { scopeOf, type GrantLookup } from './grant-index.ts';
import {
  approvalsNeeded,
  chargesOf,
  judgeCap,
  judgeGrant,
  linesOf,
  reasonsOf,
  type JudgeContext,
  type Judgement,
} from './judge.ts';
import type { Zones } from './zones.ts';

/**
 * Whether the grants permit the request at `nowMs` (milliseconds since 1970), with what `usage` says is spent.
 *
 * It starts at *deny*: without grants, without a grant of this client, wallet, chain and kind, and at whatever is not
 * known. A deny rule that matches ends it, and so does a cap of the wallet that does not hold. Several grants may permit;
 * the first by `createdSeq`, then by id, is the one that is charged. Where none permits but one would with the approval of
 * operators, the first such is named. The order in which grants were added decides nothing, and nothing is changed: the
 * caller charges a permit at the same `nowMs`.
 *
 * Throws a RangeError for an invalid time or a negative amount.
 */
export function evaluate(
  request: PermissionRequest,
  grants: GrantLookup,
  usage: UsageView,
  nowMs: number,
  zones: Zones,
): Decision {
  const scope = grants.inScope(scopeOf(request));
  // Without any grant the answer is the same whatever else is wrong: a stranger learns nothing of the wallet.
  if (scope.length === 0) return deny([noGrant(request)]);
  const rules = grants.denials(request);
  const forbidden = rules.length === 0 ? [] : rules.flatMap((rule) => denialOf(rule, request));
  if (forbidden.length > 0) return deny(forbidden);
  const context = { request, demand: demandOf(request), usage, nowMs: effectiveTime(usage, nowMs), zones };
  const caps = mapEach(grants.caps(request.wallet, request.intent.chain), (cap) => judgeCap(cap, context));
  if (caps.some(({ verdict }) => verdict === 'fail')) return deny(reasonsOf(caps));

  let second: Judgement | undefined;
  const failed: Judgement[] = [];
  for (const grant of candidatesFor(request, grants)) {
    const judgement = judgeGrant(grant, context);
    if (judgement.verdict === 'pass') return permit(judgement, caps, request);
    if (judgement.verdict === 'fail') failed.push(judgement);
    else second ??= judgement;
  }
  if (second) return permit(second, caps, request);
  const reasons = failed.length > 0 ? reasonsOf(failed) : reasonsInScope(scope, context);
  return deny(reasons.slice(0, MAX_REASONS));
}

/**
 * A cancellation is no action of any kind: it is charged to the grant whose request it takes back. Where that has ended, to
 * any that pays for fees.
 */
function candidatesFor(request: PermissionRequest, grants: GrantLookup): readonly PermittingGrant[] {
  const { replaces } = request;
  if (replaces === null) return grants.candidates(request);
  const { by, grant } = replaces;
  if (grant === null && by === 'same-intent') return grants.candidates(request);
  const scope = grants.inScope(scopeOf(request));
  return grant === null ? scope : scope.filter(({ id }) => id === grant);
}

/** A denial names so many reasons at most. */
const MAX_REASONS = 32;

/** Why the grants that name something else do not cover this: those of the same kind, oldest first. */
function reasonsInScope(scope: readonly PermittingGrant[], context: JudgeContext): readonly DenyReason[] {
  const kind = context.request.intent.actions[0]?.kind;
  const same = scope.filter((grant) => grant.kind === kind).slice(0, MAX_REASONS);
  return same.length === 0 ? [noGrant(context.request)] : reasonsOf(same.map((grant) => judgeGrant(grant, context)));
}

function noGrant({ client, wallet, intent }: PermissionRequest): DenyReason {
  return {
    code: 'no_grant',
    grant: null,
    client,
    wallet,
    chain: intent.chain,
    kind: intent.actions[0]?.kind ?? intent.form,
  };
}

export function denialOf(rule: DenyRule, request: PermissionRequest): DenyReason[] {
  const asked = forbiddenBy(rule, request);
  return asked === undefined ? [] : [{ code: 'forbidden', grant: rule.id, asked }];
}

function deny(reasons: readonly DenyReason[]): Decision {
  return { verdict: 'deny', reasons };
}

/** A permit, or what is missing for one. */
function permit(judgement: Judgement, caps: readonly Judgement[], request: PermissionRequest): Decision {
  const all = caps.length === 0 ? [judgement] : [judgement, ...caps];
  const { grant } = judgement;
  const needed = approvalsNeeded(all);
  const budgets = linesOf(all);
  if (needed > 0) return { verdict: 'needs-approval', grant, needed, given: request.approvals, budgets };
  return { verdict: 'permit', grant, charges: chargesOf(all), budgets };
}
