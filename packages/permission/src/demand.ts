import type { PermissionRequest } from './decision.ts';
import type { Amount, Asset, Fee, Outflow } from './intent.ts';

/** What a request asks of budgets. The rules see nothing else of it: no action, no address, no chain. */
export interface Demand {
  /** What may leave at most, by asset, fees excluded. */
  readonly totals: ReadonlyMap<Asset, Amount>;
  /** The same for what is charged now: nothing where the request takes the place of one that the same grant was charged for. */
  readonly due: ReadonlyMap<Asset, Amount>;
  readonly outflows: readonly Outflow[];
  readonly fee: Fee | null;
  /** The part of the fee that is charged now. */
  readonly feeDue: bigint;
  /** 1, or 0 where it takes the place of one that was counted there. */
  readonly counts: 0 | 1;
}

const NOTHING: ReadonlyMap<Asset, Amount> = new Map();

/** Throws a RangeError for a negative amount: charging it would give budget back. */
export function demandOf({ intent, replaces }: PermissionRequest): Demand {
  const { fee, outflows } = intent;
  if (fee !== null && fee.maxFeeWei < 0n) throw new RangeError('a fee is not negative');
  const totals = new Map<Asset, Amount>();
  for (const { asset, amount } of outflows) {
    if (amount !== 'unlimited' && amount < 0n) throw new RangeError('an outflow is not negative');
    const before = totals.get(asset) ?? 0n;
    totals.set(asset, amount === 'unlimited' || before === 'unlimited' ? 'unlimited' : before + amount);
  }
  const maxFee = fee?.maxFeeWei ?? 0n;
  if (replaces === null || replaces.grant === null) {
    return { totals, due: totals, outflows, fee, feeDue: maxFee, counts: 1 };
  }
  const feeDue = maxFee > replaces.maxFeeWei ? maxFee - replaces.maxFeeWei : 0n;
  return { totals, due: NOTHING, outflows: [], fee, feeDue, counts: 0 };
}

/** How much of an asset a budget is asked for: fees are native. */
export function dueOf({ due, feeDue }: Demand, asset: Asset): Amount {
  const amount = due.get(asset) ?? 0n;
  return asset !== 'native' || amount === 'unlimited' ? amount : amount + feeDue;
}

/** The chain's own coin, in which fees are paid. */
export const NATIVE: Asset = 'native';
