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
    if (found === undefined || found.length === 0) return true;
    const meets = testOf(condition, request);
    return !found.every(meets);
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

function testOf(condition: Condition, { address }: PermissionRequest): (value: Value) => boolean {
  switch (condition.test) {
    case 'equals':
      return (value) => spell(value) === condition.value;
    case 'one-of': {
      // A thousand values may be permitted, and a list in a request hold thousands that are to be among them.
      const permitted = new Set(condition.values);
      return (value) => {
        const text = spell(value);
        return text !== undefined && permitted.has(text);
      };
    }
    case 'range': {
      const { min, max } = condition;
      return (value) => typeof value === 'bigint' && (min === null || value >= min) && (max === null || value <= max);
    }
    case 'prefix':
      return (value) => typeof value === 'string' && value.startsWith(condition.value);
    case 'is-wallet':
      return (value) => value === address;
    default:
      return () => false;
  }
}

/** A value as conditions write it. Lists and tuples are named by their members. */
function spell(value: Value): string | boolean | undefined {
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}
