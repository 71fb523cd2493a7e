import type { Constraint } from '../constraint.ts';
import { checkInterval, checkOutstanding, checkWindow } from './budgets.ts';
import { checkFee, checkMaxValue, checkQuorum } from './limits.ts';
import type { RuleContext, RuleVerdict } from './rule.ts';
import { checkValidity, checkWeekly } from './times.ts';

/** A new type of constraint is one more case. What is not known is not met: a later version's grant denies here. */
export function checkConstraint(constraint: Constraint, context: RuleContext): RuleVerdict {
  switch (constraint.type) {
    case 'volume':
    case 'count':
      return checkWindow(constraint, context);
    case 'outstanding':
      return checkOutstanding(constraint, context);
    case 'min-interval':
      return checkInterval(constraint, context);
    case 'max-value':
      return checkMaxValue(constraint, context);
    case 'gas-limit':
    case 'max-fee-per-gas':
    case 'max-priority-fee':
    case 'max-fee':
      return checkFee(constraint, context);
    case 'validity':
      return checkValidity(constraint, context);
    case 'weekly':
      return checkWeekly(constraint, context);
    case 'quorum':
      return checkQuorum(constraint, context);
    default:
      return unknownConstraint(constraint, context.grant);
  }
}

function unknownConstraint(constraint: never, grant: string): RuleVerdict {
  const { type } = constraint as { readonly type: unknown };
  return { verdict: 'fail', reason: { code: 'unknown_constraint', grant, rule: String(type) } };
}
