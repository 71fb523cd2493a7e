import type { Constraint } from '../grant.ts';
import { checkMaxFee } from './max-fee.ts';
import type { RuleContext, RuleVerdict } from './rule.ts';
import { checkWindow } from './window.ts';

/** A new type of constraint is one more case. What is not known is not met: a later version's grant denies here. */
export function checkConstraint(constraint: Constraint, context: RuleContext): RuleVerdict {
  switch (constraint.type) {
    case 'volume':
    case 'count':
      return checkWindow(constraint, context);
    case 'max-fee':
      return checkMaxFee(constraint, context);
    default:
      return unknownConstraint(constraint, context.grantId);
  }
}

function unknownConstraint(constraint: never, grantId: string): RuleVerdict {
  const { type } = constraint as { readonly type: unknown };
  return { pass: false, reason: { code: 'unknown_constraint', grant: grantId, rule: String(type) } };
}
