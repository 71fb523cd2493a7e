import { parse } from '@bufbuild/cel';
import { FINDING_KINDS } from '../codec/finding.ts';
import { isOrdering, ORDERED, orderedComparison, pathOf, textOf, type Expr } from './ordered.ts';

/** What the fields of a finding and of a wallet hold. */
type Sort = 'text' | 'number' | 'truth' | 'list';

const FIELDS: Readonly<Record<'finding' | 'wallet', Readonly<Record<string, Sort>>>> = {
  finding: {
    ...{ id: 'text', kind: 'text', severity: 'text', late: 'truth', sats: 'number', txid: 'text', height: 'number' },
    ...{ grade: 'text', direction: 'text', over: 'truth', source: 'text', channel: 'text', depth: 'number' },
    ...{ blocksLeft: 'number', secondsLeft: 'number', chain: 'number', token: 'text', symbol: 'text' },
    ...{ known: 'truth', how: 'text', amount: 'number', units: 'number' },
  },
  wallet: { id: 'text', name: 'text', owner: 'text', tags: 'list' },
};

/** Texts of which there are only these: a condition that compares with another one never holds. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  'finding.kind': FINDING_KINDS,
  ...ORDERED,
  'finding.direction': ['', 'received', 'spent', 'self-transfer', 'watched'],
};

const COMPARISONS = ['_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_'];
const TRUTHS = [...COMPARISONS, '_&&_', '_||_', '!_', '@in', 'startsWith', 'endsWith', 'contains', 'matches'];
const SORTS = { text: 'a text', number: 'a number', truth: 'true or false', list: 'a list' } as const;

/**
 * What is certainly wrong with a condition that can be read, in words; null where nothing is seen. CEL finds such things out
 * when it is asked, and then a field that there is not counts as met each time, and a word that there is not never holds.
 */
export function mistakeIn(condition: string): string | null {
  const { expr } = parse(condition);
  if (!expr) return null;
  const sort = sortOf(expr);
  if (sort !== null && sort !== 'truth') return `It is ${SORTS[sort]}, where true or false is expected.`;
  return mistakeAt(expr, []);
}

/** `names`: of the items of the lists around it. */
function mistakeAt(expr: Expr, names: readonly string[]): string | null {
  const { exprKind: kind } = expr;
  switch (kind.case) {
    case 'identExpr': {
      const { name } = kind.value;
      if (Object.hasOwn(FIELDS, name) || names.includes(name) || name.startsWith('@') || CEL_TYPES.includes(name))
        return null;
      return `There is no “${name}”: a condition is about finding and wallet, and a text stands in quotes.`;
    }
    case 'selectExpr': {
      const { operand, field } = kind.value;
      const fields = fieldsOf(operand, names);
      if (fields && !Object.hasOwn(fields.of, field)) {
        return `${fields.name} has no “${field}”: it has ${Object.keys(fields.of).join(', ')}.`;
      }
      return operand ? mistakeAt(operand, names) : null;
    }
    case 'callExpr': {
      const { function: name, target, args } = kind.value;
      return first([...(target ? [target] : []), ...args], within(names)) ?? mistakeOfCall(name, args);
    }
    case 'listExpr':
      return first(kind.value.elements, within(names));
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result, iterVar, iterVar2, accuVar } = kind.value;
      const inside = [...names, iterVar, iterVar2, accuVar];
      return (
        first(only([iterRange, accuInit]), within(names)) ??
        first(only([loopCondition, loopStep, result]), within(inside))
      );
    }
    default:
      return null;
  }
}

function first(each: readonly Expr[], find: (expr: Expr) => string | null): string | null {
  for (const expr of each) {
    const found = find(expr);
    if (found !== null) return found;
  }
  return null;
}

const within = (names: readonly string[]) => (expr: Expr) => mistakeAt(expr, names);
const only = (each: readonly (Expr | undefined)[]): Expr[] => each.filter((expr) => expr !== undefined);

/** Names of types, by which CEL converts: `double(finding.sats)` calls one, `type(x) == int` names one. */
const CEL_TYPES = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'type', 'null_type', 'google'];

function mistakeOfCall(name: string, args: readonly Expr[]): string | null {
  if (['_&&_', '_||_', '!_'].includes(name)) {
    const sort = args.map(sortOf).find((each) => each !== null && each !== 'truth');
    return sort ? `${SORTS[sort]} stands where true or false is expected.` : null;
  }
  if (name === '@in' && args.length === 2) {
    const list = args[1]!.exprKind;
    return list.case === 'listExpr' ? mistakeOfWords(args[0]!, list.value.elements) : null;
  }
  if (!COMPARISONS.includes(name) || args.length !== 2) return null;
  const [one, other] = args as [Expr, Expr];
  const [a, b] = [sortOf(one), sortOf(other)];
  if (a !== null && b !== null && a !== b) return `${SORTS[a]} is compared with ${SORTS[b]}, and so is never equal.`;
  return mistakeOfWords(one, [other]) ?? mistakeOfWords(other, [one]) ?? mistakeOfOrder(name, args);
}

/** Words have no order by their letters that anybody means; some have one of their own. */
function mistakeOfOrder(name: string, args: readonly Expr[]): string | null {
  const path = isOrdering(name) ? first(args, valuedBy) : null;
  if (path === null) return null;
  const order = ORDERED[path];
  const found = orderedComparison(name, args);
  if (found?.met.length === 0) return `It never holds: ${path} goes from “${order![0]}” to “${order!.at(-1)}”.`;
  if (found) return null;
  const [one, other] = order?.slice(-2) ?? WORDS[path]!.filter((word) => word !== '');
  const instead = `${path} in ["${one}", "${other}"]`;
  return order
    ? `What is more and less is known of ${path} and one of its words, as in ${path} >= "${one}"; or write ${instead}.`
    : `The words of ${path} have no order: write which are meant, as in ${instead}.`;
}

/** The field with words of its own that an expression may have as its value. */
function valuedBy(expr: Expr): string | null {
  const path = pathOf(expr);
  if (path !== null && path in WORDS) return path;
  if (expr.exprKind.case !== 'callExpr') return null;
  const { function: name, args } = expr.exprKind.value;
  if (name === '_?_:_') return first(args.slice(1), valuedBy);
  return name === 'string' || name === 'dyn' ? first(args, valuedBy) : null;
}

function mistakeOfWords(of: Expr, others: readonly Expr[]): string | null {
  const path = pathOf(of);
  const words = WORDS[path ?? ''];
  if (!words) return null;
  for (const other of others) {
    const value = textOf(other);
    if (value !== null && !words.includes(value)) return `${path} is never “${value}”.`;
  }
  return null;
}

function fieldsOf(operand: Expr | undefined, names: readonly string[]) {
  if (operand?.exprKind.case !== 'identExpr') return undefined;
  const { name } = operand.exprKind.value;
  // An item of a list may have been given the same name.
  if (names.includes(name) || (name !== 'finding' && name !== 'wallet')) return undefined;
  return { name, of: FIELDS[name] };
}

/** Null: it is not known. */
function sortOf(expr: Expr): Sort | null {
  const { exprKind: kind } = expr;
  switch (kind.case) {
    case 'constExpr':
      switch (kind.value.constantKind.case) {
        case 'stringValue':
          return 'text';
        case 'int64Value':
        case 'uint64Value':
        case 'doubleValue':
          return 'number';
        case 'boolValue':
          return 'truth';
        default:
          return null;
      }
    case 'selectExpr': {
      if (kind.value.testOnly) return 'truth';
      return fieldsOf(kind.value.operand, [])?.of[kind.value.field] ?? null;
    }
    case 'callExpr': {
      const { function: name, args } = kind.value;
      if (TRUTHS.includes(name)) return 'truth';
      if (name === 'size') return 'number';
      const sums = ['_+_', '_-_', '_*_', '_/_', '_%_', '-_'];
      return sums.includes(name) && args.every((each) => sortOf(each) === 'number') ? 'number' : null;
    }
    case 'listExpr':
      return 'list';
    default:
      return null;
  }
}
