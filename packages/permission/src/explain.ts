import { effectiveTime, type UsageView } from './budget/usage.ts';
import type { Decision, DenyReason, PermissionRequest } from './decision.ts';
import { demandOf } from './demand.ts';
import { denialOf, evaluate } from './evaluate.ts';
import { scopeOf, type GrantLookup } from './grant-index.ts';
import { judgeCap, judgeGrant, type Finding } from './judge.ts';
import type { Zones } from './zones.ts';

/** Every verdict of every rule that has a say in a request, and what would be decided. Nothing is consumed. */
export interface Explanation {
  readonly decision: Decision;
  /** Deny rules that match; each of them ends it. */
  readonly forbidden: readonly DenyReason[];
  /** Caps of the wallet: all of them have to hold. */
  readonly caps: readonly Explained[];
  /** The grants of this client, wallet and chain, oldest first: the first that holds is charged. */
  readonly grants: readonly Explained[];
}

export interface Explained {
  readonly grant: string;
  readonly verdict: 'pass' | 'needs-approval' | 'fail';
  readonly rules: readonly Finding[];
}

/** What {@link evaluate} would decide, with the reasons of every rule of every grant that could have had a say. */
export function explain(
  request: PermissionRequest,
  grants: GrantLookup,
  usage: UsageView,
  nowMs: number,
  zones: Zones,
): Explanation {
  const decision = evaluate(request, grants, usage, nowMs, zones);
  const scope = grants.inScope(scopeOf(request));
  // Who has no grant learns nothing of the wallet.
  if (scope.length === 0) return { decision, forbidden: [], caps: [], grants: [] };
  const context = { request, demand: demandOf(request), usage, nowMs: effectiveTime(usage, nowMs), zones };
  const explained = ({ grant, verdict, findings }: ReturnType<typeof judgeGrant>): Explained => {
    return { grant, verdict, rules: findings };
  };
  return {
    decision,
    forbidden: grants.denials(request).flatMap((rule) => denialOf(rule, request)),
    caps: grants.caps(request.wallet, request.intent.chain).map((cap) => explained(judgeCap(cap, context))),
    grants: scope.map((grant) => explained(judgeGrant(grant, context))),
  };
}
