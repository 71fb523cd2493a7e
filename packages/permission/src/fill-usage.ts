import { isWindowConstraint, windowKey, windowOf, type Charge, type Grant } from './grant.ts';
import { charge, spent, type Usage } from './usage.ts';

/** What shall remain of a grant's windows, by window key (`volume/86400`). A window that is not named keeps nothing. */
export type Remaining = Readonly<Record<string, bigint>>;

/**
 * Spends, in place, what a grant's windows hold beyond `remaining`, and returns what it charged. After an old backup was
 * restored, nobody knows what was signed since: everything counts as spent just now, but for what an operator says
 * remains. It only ever takes: a window that has less than that keeps what it has. Throws a RangeError where `remaining`
 * names a window that the grant does not have, or is negative: a mistyped name must not pass for an answer.
 */
export function fillUsage(grant: Grant, usage: Usage, nowMs: number, remaining: Remaining = {}): Charge[] {
  const windows = grant.constraints.filter(isWindowConstraint);
  const keys = windows.map((constraint) => windowKey(windowOf(constraint)));
  for (const [key, amount] of Object.entries(remaining)) {
    if (!keys.includes(key)) throw new RangeError('the grant has no such window');
    if (amount < 0n) throw new RangeError('what remains is not negative');
  }
  const charges: Charge[] = [];
  for (const constraint of windows) {
    const id = windowOf(constraint);
    const keep = Object.hasOwn(remaining, windowKey(id)) ? remaining[windowKey(id)]! : 0n;
    const amount = BigInt(constraint.limit) - keep - spent(usage, grant.id, id, nowMs);
    if (amount > 0n) charges.push({ ...id, amount });
  }
  charge(usage, grant.id, charges, nowMs);
  return charges;
}
