import type { BudgetLine, Charge } from './decision.ts';
import type { Jsonified } from './json.ts';

/**
 * Most charges can be told from the budget lines of their decision: a volume or count went up by what was charged to it.
 * What is told there need not be journaled a second time. Others say more than their line: of a calendar period, of an
 * interval, and of what is outstanding.
 */

/** Whether {@link shownCharges} of the lines gives exactly these charges. */
export function areShown(charges: readonly Charge[], lines: readonly BudgetLine[]): boolean {
  let next = 0;
  for (const line of lines) {
    if (!showsCharges(line.rule) || line.spentAfter === line.spentBefore) continue;
    const charge = charges[next++];
    if (charge?.grant !== line.grant || charge.budget !== budgetOf(line)) return false;
    if (charge.amount !== line.spentAfter - line.spentBefore) return false;
    if (charge.fromMs !== undefined || charge.untilMs !== undefined || charge.holds !== undefined) return false;
  }
  return next === charges.length;
}

/** Of a budget line as JSON, what tells of a charge. */
export type ShownLine = Pick<Jsonified<BudgetLine>, 'rule' | 'spentBefore' | 'spentAfter'> & {
  readonly asset?: string | undefined;
  readonly window?: string | undefined;
  /** Left out: the grant that pays. */
  readonly grant?: string | undefined;
};

/** What was charged by lines that were journaled without their charges. `grant` is the one that pays. */
export function shownCharges(lines: readonly ShownLine[], grant: string): Charge[] {
  const charges: Charge[] = [];
  for (const line of lines) {
    if (!showsCharges(line.rule) || line.spentAfter === line.spentBefore) continue;
    const amount = BigInt(line.spentAfter) - BigInt(line.spentBefore);
    charges.push({ grant: line.grant ?? grant, budget: budgetOf(line), amount });
  }
  return charges;
}

const showsCharges = (rule: string) => rule === 'volume' || rule === 'count';

/** As `budgetKey` has it. */
function budgetOf({ rule, asset, window }: Pick<ShownLine, 'rule' | 'asset' | 'window'>): string {
  return rule === 'volume' ? `volume ${asset} ${window}` : `count ${window}`;
}
