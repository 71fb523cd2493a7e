import type { BudgetLine, DenyReason } from '../decision.ts';
import type { Cost } from '../kinds/kind.ts';
import type { UsageView } from '../usage.ts';

/** What a rule looks at besides its own constraint. */
export interface RuleContext {
  readonly grantId: string;
  readonly cost: Cost;
  readonly usage: UsageView;
  /** Not before the latest charge: the time that the usage goes by. */
  readonly nowMs: number;
}

/** What a rule says of one intent. */
export type RuleVerdict =
  { readonly pass: true; readonly budget: BudgetLine } | { readonly pass: false; readonly reason: DenyReason };
