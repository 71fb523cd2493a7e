import type { MaxFeeConstraint } from '../grant.ts';
import type { RuleContext, RuleVerdict } from './rule.ts';

/** `max-fee`: the maximum fee of this one transaction is within the limit. It consumes nothing. */
export function checkMaxFee({ limit }: MaxFeeConstraint, { grantId, cost }: RuleContext): RuleVerdict {
  const asked = cost.maxFee;
  if (asked <= limit) {
    return { pass: true, budget: { limit, rule: 'max-fee', spentAfter: asked, spentBefore: 0n, windowSeconds: null } };
  }
  return { pass: false, reason: { code: 'max_fee_exceeded', grant: grantId, rule: 'max-fee', limit, asked } };
}
