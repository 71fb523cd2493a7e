import type { PermissionRequest } from '../decision.ts';
import type { Condition } from '../grant.ts';
import type { NamedValue, Value } from '../intent.ts';

/** The first condition that these arguments or fields do not meet. What a path does not find meets nothing. */
export function firstUnmet(
  where: readonly Condition[],
  values: readonly NamedValue[],
  request: PermissionRequest,
): Condition | undefined {
  return where.find((condition) => {
    const found = resolve(values, condition.path.slice(1).split('/'));
    return found === undefined || found.length === 0 || !found.every((value) => meets(condition, value, request));
  });
}

/** The values at a path; `undefined` where it leads nowhere or could mean two things. */
function resolve(values: readonly NamedValue[], path: readonly string[]): readonly Value[] | undefined {
  let found: readonly Value[] = [values];
  for (const step of path) {
    const next: Value[] = [];
    for (const value of found) {
      const inner = stepInto(value, step);
      if (inner === undefined) return undefined;
      next.push(...inner);
    }
    found = next;
  }
  return found;
}

function stepInto(value: Value, step: string): readonly Value[] | undefined {
  if (typeof value !== 'object') return undefined;
  const items = value as readonly (Value | NamedValue)[];
  if (step === '*') return items.length > 0 ? items.map(bare) : undefined;
  if (/^-?[0-9]+$/.test(step)) {
    const item = items.at(Number(step));
    return item === undefined ? undefined : [bare(item)];
  }
  const named = items.filter((item) => isNamed(item) && item.name === step);
  return named.length === 1 ? [bare(named[0]!)] : undefined;
}

function isNamed(item: Value | NamedValue): item is NamedValue {
  return typeof item === 'object' && !Array.isArray(item);
}

function bare(item: Value | NamedValue): Value {
  return isNamed(item) ? item.value : item;
}

function meets(condition: Condition, value: Value, { address }: PermissionRequest): boolean {
  switch (condition.test) {
    case 'equals':
      return spell(value) === condition.value;
    case 'one-of': {
      const text = spell(value);
      return text !== undefined && condition.values.includes(text);
    }
    case 'range': {
      const { min, max } = condition;
      return typeof value === 'bigint' && (min === null || value >= min) && (max === null || value <= max);
    }
    case 'prefix':
      return typeof value === 'string' && value.startsWith(condition.value);
    case 'is-wallet':
      return value === address;
    default:
      return false;
  }
}

/** A value as conditions write it. Lists and tuples are named by their members. */
function spell(value: Value): string | boolean | undefined {
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}
