import { err, ok, type Result, type Sats } from '@keepwatch/base';

/**
 * A feerate in sat per 1000 virtual bytes, as nodes keep it: exact to 0.001 sat/vB, so that rates below 1 sat/vB have a
 * value too. Fees are rounded up and rates down: what is computed here is never better than what a node will compute.
 */
export type Feerate = bigint & { readonly __brand: 'Feerate' };

/** What every node relays by default at least: 1 sat/vB (`-minrelaytxfee` of releases before 29.1; later ones take 0.1). */
export const MIN_RELAY_FEERATE = 1000n as Feerate;
/** What an output must be worth by default, measured by the fee to spend it (`-dustrelayfee`): 3 sat/vB. */
export const DUST_FEERATE = 3000n as Feerate;

/** A feerate from sat/vB such as `12` or `1.5`. More than three decimals is an error, never rounded. */
export function parseFeerate(text: string): Result<Feerate, 'not_a_feerate' | 'too_many_decimals'> {
  const match = /^(0|[1-9][0-9]{0,8})(?:\.([0-9]+))?$/.exec(text);
  if (!match) return err('not_a_feerate');
  const fraction = match[2] ?? '';
  if (fraction.length > 3) return err('too_many_decimals');
  return ok((BigInt(match[1]!) * 1000n + BigInt(fraction.padEnd(3, '0'))) as Feerate);
}

/** sat/vB with no digit lost: 1500 → `1.5`. */
export function formatFeerate(feerate: Feerate): string {
  const fraction = (feerate % 1000n).toString().padStart(3, '0').replace(/0+$/, '');
  return `${feerate / 1000n}${fraction ? `.${fraction}` : ''}`;
}

/** The fee for so many virtual bytes, rounded up to a whole sat. */
export function feeAt(feerate: Feerate, vsize: number): Sats {
  return ((feerate * BigInt(vsize) + 999n) / 1000n) as Sats;
}

/** The rate that a fee amounts to, rounded down. `vsize` is at least 1. */
export function feerateOf(fee: Sats, vsize: number): Feerate {
  return ((fee * 1000n) / BigInt(vsize)) as Feerate;
}

/** A transaction, as far as fees go. `vsize` in virtual bytes. */
export interface FeeAndSize {
  readonly fee: Sats;
  readonly vsize: number;
}

/** Negative where `a` pays less per virtual byte than `b`, positive where it pays more. Compared by products: exact. */
export function compareFeerates(a: FeeAndSize, b: FeeAndSize): number {
  const left = a.fee * BigInt(b.vsize);
  const right = b.fee * BigInt(a.vsize);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What a package pays as a whole: all fees over all sizes (a child lifts its parents, BIP331). */
export function packageFeerate(members: readonly FeeAndSize[]): Feerate {
  const fee = members.reduce((sum, member) => sum + member.fee, 0n);
  const vsize = members.reduce((sum, member) => sum + member.vsize, 0);
  return feerateOf(fee as Sats, vsize);
}

/** Weight (BIP141) of a serialisation without (`base`) and with witness (`total`), in bytes. */
export function weightOf(base: number, total: number): number {
  return base * 3 + total;
}

/** A node counts each unit of signature-operation cost (BIP141) as at least so many weight units (`-bytespersigop`). */
const WEIGHT_PER_SIGOP = 20;

/** Virtual size: weight over four, rounded up. With a cost in signature operations: as relay and mempools count it. */
export function vsizeOf(weight: number, sigopCost = 0): number {
  return Math.ceil(Math.max(weight, sigopCost * WEIGHT_PER_SIGOP) / 4);
}
