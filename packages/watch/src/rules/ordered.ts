import { parse } from '@bufbuild/cel';
import { SEVERITIES } from '../finding.ts';

export type Expr = NonNullable<ReturnType<typeof parse>['expr']>;

/** Fields whose words have an order of their own, which is not that of their letters: what is least comes first. */
export const ORDERED: Readonly<Record<string, readonly string[]>> = {
  'finding.severity': SEVERITIES,
  'finding.grade': ['', 'claimed', 'valid', 'relayed', 'confirmed'],
};

/** Each operator of order, and what it is when its sides are exchanged. */
const MIRRORED: Readonly<Record<string, string>> = { '_<_': '_>_', '_<=_': '_>=_', '_>_': '_<_', '_>=_': '_<=_' };
const HOLDS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '_<_': (a, b) => a < b,
  '_<=_': (a, b) => a <= b,
  '_>_': (a, b) => a > b,
  '_>=_': (a, b) => a >= b,
};

export const isOrdering = (operator: string): boolean => Object.hasOwn(MIRRORED, operator);

/** `finding.kind`, where it is written so. */
export function pathOf({ exprKind: kind }: Expr): string | null {
  if (kind.case !== 'selectExpr' || kind.value.testOnly) return null;
  const { operand, field } = kind.value;
  return operand?.exprKind.case === 'identExpr' ? `${operand.exprKind.value.name}.${field}` : null;
}

/** The text that stands there in quotes. */
export function textOf({ exprKind: kind }: Expr): string | null {
  if (kind.case !== 'constExpr' || kind.value.constantKind.case !== 'stringValue') return null;
  return kind.value.constantKind.value;
}

/**
 * Of `finding.severity >= "warning"`, or the same the other way round: the field, and the words of it that satisfy the
 * comparison. Null: it is no comparison of an ordered field with one of its words.
 */
export function orderedComparison(operator: string, args: readonly Expr[]) {
  const [one, other] = args;
  if (!isOrdering(operator) || !one || !other) return null;
  return comparisonOf(operator, one, other) ?? comparisonOf(MIRRORED[operator]!, other, one);
}

function comparisonOf(operator: string, field: Expr, word: Expr) {
  const path = pathOf(field) ?? '';
  const words = ORDERED[path];
  const bound = words?.indexOf(textOf(word) ?? 'no word') ?? -1;
  if (!words || bound < 0) return null;
  return { path, met: words.filter((_, i) => HOLDS[operator]!(i, bound)) };
}

/**
 * Changes an expression so that ordered fields are compared by their order: CEL compares texts by their letters, by which
 * “critical” is less than “warning”. A comparison that nothing meets stays as it is: new rules are refused with it, and
 * what was taken before may not fall silent.
 */
export function compareByOrder(expr: Expr | undefined): void {
  if (!expr) return;
  const { exprKind: kind } = expr;
  switch (kind.case) {
    case 'selectExpr':
      return compareByOrder(kind.value.operand);
    case 'callExpr': {
      const { function: name, target, args } = kind.value;
      const found = orderedComparison(name, args);
      if (found && found.met.length > 0) {
        expr.exprKind = parse(`${found.path} in ${JSON.stringify(found.met)}`).expr!.exprKind;
        return;
      }
      for (const each of [target, ...args]) compareByOrder(each);
      return;
    }
    case 'listExpr':
      for (const each of kind.value.elements) compareByOrder(each);
      return;
    case 'structExpr':
      for (const { keyKind, value } of kind.value.entries) {
        if (keyKind.case === 'mapKey') compareByOrder(keyKind.value);
        compareByOrder(value);
      }
      return;
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result, iterVar, iterVar2 } = kind.value;
      compareByOrder(iterRange);
      compareByOrder(accuInit);
      // There it is an item of the list, and no finding.
      if (iterVar === 'finding' || iterVar2 === 'finding') return;
      for (const each of [loopCondition, loopStep, result]) compareByOrder(each);
      return;
    }
    default:
      return;
  }
}
