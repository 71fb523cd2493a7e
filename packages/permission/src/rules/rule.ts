import type { BudgetLine, Charge, DenyReason } from '../decision.ts';
import type { Demand } from '../demand.ts';
import type { UsageView } from '../budget/usage.ts';
import type { Zones } from '../zones.ts';

/** What a rule looks at besides its own constraint. */
export interface RuleContext {
  /** The grant or cap that the constraint belongs to. */
  readonly grant: string;
  readonly demand: Demand;
  readonly usage: UsageView;
  /** Not before the latest charge: the time that the usage goes by. */
  readonly nowMs: number;
  readonly zones: Zones;
  readonly approvals: number;
}

/** What a rule says of one request. */
export type RuleVerdict =
  | {
      readonly verdict: 'pass';
      readonly line?: BudgetLine;
      readonly charges?: readonly Charge[];
    }
  | { readonly verdict: 'needs-approval'; readonly needed: number }
  | { readonly verdict: 'fail'; readonly reason: DenyReason };

export const PASS: RuleVerdict = { verdict: 'pass' };
