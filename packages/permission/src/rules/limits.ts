import type { GasLimit, MaxFee, MaxFeePerGas, MaxPriorityFee, MaxValue, Quorum } from '../constraint.ts';
import type { LimitExceeded } from '../decision.ts';
import type { Amount, Fee } from '../intent.ts';
import { PASS, type RuleContext, type RuleVerdict } from './rule.ts';

/** `max-value`: one request moves no more than the limit. */
export function checkMaxValue({ asset, limit }: MaxValue, { grant, demand }: RuleContext): RuleVerdict {
  return atMost('max_value_exceeded', { grant, rule: 'max-value', asset, limit }, demand.totals.get(asset) ?? 0n);
}

/** Limits of what one transaction may cost. They consume nothing, and a request without a fee meets them. */
export function checkFee(
  { type, limit }: GasLimit | MaxFeePerGas | MaxPriorityFee | MaxFee,
  { grant, demand: { fee } }: RuleContext,
): RuleVerdict {
  if (fee === null) return PASS;
  const { code, of } = FEES[type];
  return atMost(code, { grant, rule: type, limit }, of(fee));
}

const FEES = {
  'gas-limit': { code: 'gas_limit_exceeded', of: (fee: Fee) => fee.gasLimit },
  'max-fee-per-gas': { code: 'max_fee_per_gas_exceeded', of: (fee: Fee) => fee.maxFeePerGas },
  'max-priority-fee': { code: 'max_priority_fee_exceeded', of: (fee: Fee) => fee.maxPriorityFeePerGas },
  'max-fee': { code: 'max_fee_exceeded', of: (fee: Fee) => fee.maxFeeWei },
} as const;

function atMost(code: LimitExceeded['code'], facts: Omit<LimitExceeded, 'code' | 'asked'>, asked: Amount): RuleVerdict {
  if (asked === 'unlimited' || asked > facts.limit) return { verdict: 'fail', reason: { code, ...facts, asked } };
  return { verdict: 'pass', line: { ...facts, spentBefore: 0n, spentAfter: asked } };
}

/** `quorum`: beyond the amount, enough operators have agreed. */
export function checkQuorum({ above, approvals }: Quorum, { demand, approvals: given }: RuleContext): RuleVerdict {
  const moved = demand.totals.get(above.asset) ?? 0n;
  if ((moved !== 'unlimited' && moved <= above.amount) || given >= approvals) return PASS;
  return { verdict: 'needs-approval', needed: approvals };
}
