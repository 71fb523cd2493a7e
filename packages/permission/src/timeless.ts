import type { UsageView } from './budget/usage.ts';
import type { Constraint } from './constraint.ts';
import type { Decision, PermissionRequest } from './decision.ts';
import { forbiddenBy } from './deny-match.ts';
import { evaluate } from './evaluate.ts';
import { constraintsOf, type Grant } from './grant.ts';
import { scopeOf, type GrantLookup, type Scope } from './grant-index.ts';
import type { Zones } from './zones.ts';

/**
 * Whether it takes a clock to know if the constraint holds. `outstanding` does, for allowances end by themselves, and so
 * does a quorum, for what operators agreed to expires. What is not known does.
 */
function needsTime(constraint: Constraint): boolean {
  switch (constraint.type) {
    case 'max-value':
    case 'gas-limit':
    case 'max-fee-per-gas':
    case 'max-priority-fee':
    case 'max-fee':
      return false;
    case 'volume':
    case 'count':
      return !('ever' in constraint.window);
    default:
      return true;
  }
}

/** Whether a grant or cap can be judged only by a clock that can be trusted. A deny rule knows no time. */
const dependsOnTime = (grant: Grant) => constraintsOf(grant).some(needsTime);

/**
 * What {@link evaluate} would decide whatever the time is; `'depends-on-time'` where that cannot be said. A grant that does
 * not depend on time permits what it permits, also where an older one that does would have been charged. A cap that
 * depends on time holds back all of its wallet.
 */
export function evaluateTimeless(
  request: PermissionRequest,
  grants: GrantLookup,
  usage: UsageView,
  nowMs: number,
  zones: Zones,
): Decision | 'depends-on-time' {
  if (grants.caps(request.wallet, request.intent.chain).some(dependsOnTime)) return 'depends-on-time';
  const timeless = {
    get: grants.get,
    inScope: (scope: Scope) => grants.inScope(scope).filter((grant) => !dependsOnTime(grant)),
    candidates: (asked: PermissionRequest) => grants.candidates(asked).filter((grant) => !dependsOnTime(grant)),
    denials: grants.denials,
    caps: grants.caps,
  };
  const decision = evaluate(request, timeless, usage, nowMs, zones);
  if (decision.verdict === 'permit') return decision;
  const isForbidden = grants.denials(request).some((rule) => forbiddenBy(rule, request) !== undefined);
  return !isForbidden && grants.inScope(scopeOf(request)).some(dependsOnTime) ? 'depends-on-time' : decision;
}
