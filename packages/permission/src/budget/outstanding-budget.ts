/**
 * What was signed and is not settled, by the reference of the signature. It never ages out: an item leaves when somebody
 * who may says how it ended, or, for an allowance with an end, when that has passed.
 */
export interface OutstandingBudget {
  readonly kind: 'outstanding';
  readonly items: Map<string, readonly OutstandingItem[]>;
  /** The sum of the items that have no end. */
  lasting: bigint;
  /** References of items that have one. */
  readonly ending: Set<string>;
}

export type OutstandingView = Omit<OutstandingBudget, 'items' | 'ending'> & {
  readonly items: ReadonlyMap<string, readonly OutstandingItem[]>;
  readonly ending: ReadonlySet<string>;
};

export interface OutstandingItem {
  readonly holds: 'spent' | 'allowance';
  readonly amount: bigint;
  readonly untilMs: number | null;
}

/**
 * How something signed ended. `executed`: it is in the chain for good, so what it spent is settled and what it allowed
 * still stands; `never`: its nonce is used up by something else, or it expired unused; `allowance-ended`: what it
 * allowed is proven to be zero, and cannot rise again by it.
 */
export type Outcome = 'executed' | 'never' | 'allowance-ended';

/** The most signatures that one `outstanding` limit keeps apart. */
export const MAX_OUTSTANDING = 4096;

export function createOutstanding(): OutstandingBudget {
  return { kind: 'outstanding', items: new Map(), lasting: 0n, ending: new Set() };
}

export function addOutstanding(budget: OutstandingBudget, ref: string, item: OutstandingItem, nowMs: number): void {
  for (const each of budget.ending) keepItems(budget, each, (old) => old.untilMs === null || old.untilMs > nowMs);
  keepItems(budget, ref, () => true, item);
}

/** Whether anything changed. */
export function settleOutstanding(budget: OutstandingBudget, ref: string, outcome: Outcome): boolean {
  const before = budget.items.get(ref);
  if (before === undefined) return false;
  keepItems(budget, ref, ({ holds }) => {
    if (outcome === 'never') return false;
    return outcome === 'executed' ? holds === 'allowance' : holds === 'spent';
  });
  return budget.items.get(ref)?.length !== before.length;
}

export function outstandingAt(budget: OutstandingView, nowMs: number): bigint {
  let sum = budget.lasting;
  for (const ref of budget.ending) {
    for (const { amount, untilMs } of budget.items.get(ref) ?? []) {
      if (untilMs !== null && untilMs > nowMs) sum += amount;
    }
  }
  return sum;
}

/** When no more than `amount` is outstanding by waiting alone; null: never. */
export function outstandingUntilAtMost(budget: OutstandingView, amount: bigint, nowMs: number): number | null {
  const ending = [...budget.ending]
    .flatMap((ref) => budget.items.get(ref) ?? [])
    .filter(({ untilMs }) => untilMs !== null && untilMs > nowMs)
    .sort((a, b) => a.untilMs! - b.untilMs!);
  let sum = outstandingAt(budget, nowMs);
  if (sum <= amount) return nowMs;
  for (const item of ending) {
    sum -= item.amount;
    if (sum <= amount) return item.untilMs;
  }
  return null;
}

function keepItems(
  budget: OutstandingBudget,
  ref: string,
  keep: (item: OutstandingItem) => boolean,
  added?: OutstandingItem,
): void {
  const before = budget.items.get(ref) ?? [];
  const after = before.filter(keep);
  if (added) after.push(added);
  budget.lasting += lastingSum(after) - lastingSum(before);
  if (after.length > 0) budget.items.set(ref, after);
  else budget.items.delete(ref);
  if (after.some(({ untilMs }) => untilMs !== null)) budget.ending.add(ref);
  else budget.ending.delete(ref);
}

function lastingSum(items: readonly OutstandingItem[]): bigint {
  let sum = 0n;
  for (const { amount, untilMs } of items) if (untilMs === null) sum += amount;
  return sum;
}
