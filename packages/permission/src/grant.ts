import type { IntentKind } from './intent.ts';

/**
 * A grant: an operator's word that a client may do one kind of thing with one wallet on one chain, within constraints.
 * Grants are never edited: an operator revokes one and creates another. Values come from `parseGrant` alone, which
 * refuses whatever is not valid.
 */
export interface Grant {
  readonly id: string;
  /** Position in the order in which grants were created: the older grant is charged first. */
  readonly createdSeq: number;
  readonly client: string;
  readonly wallet: string;
  /** CAIP-2, for instance `eip155:1`. */
  readonly chain: string;
  readonly kind: IntentKind;
  /** To whom. `[]` permits nobody; that anybody is permitted has to be said: `'any'`. */
  readonly recipients: readonly string[] | 'any';
  /** All of them hold at once. At least one is a `volume`: what is not limited is not granted. */
  readonly constraints: readonly Constraint[];
  /** A name for people. It decides nothing. */
  readonly label?: string;
}

export type Constraint = VolumeConstraint | CountConstraint | MaxFeeConstraint;

/**
 * At most `limit` base units (wei) may leave the wallet in any `windowSeconds`. The charge is the value *and* the maximum
 * fee: ether leaves by both ways, and a limit that saw the value alone could be emptied by fees.
 */
export interface VolumeConstraint {
  readonly type: 'volume';
  readonly limit: bigint;
  readonly windowSeconds: number;
}

/** At most `limit` transactions in any `windowSeconds`. */
export interface CountConstraint {
  readonly type: 'count';
  readonly limit: number;
  readonly windowSeconds: number;
}

/** The maximum fee of each transaction is at most `limit` base units (wei). */
export interface MaxFeeConstraint {
  readonly type: 'max-fee';
  readonly limit: bigint;
}

/** The constraints that consume a budget over a rolling window. */
export type WindowConstraint = VolumeConstraint | CountConstraint;

/** The longest rolling window: 366 days. The shortest is one second. */
export const MAX_WINDOW_SECONDS = 366 * 86_400;

/** Which of a grant's rolling windows is meant: a grant has at most one of each. */
export interface WindowId {
  readonly rule: WindowConstraint['type'];
  readonly windowSeconds: number;
}

/** What one permitted request takes from one rolling window: base units for `volume`, 1 for `count`. */
export interface Charge extends WindowId {
  readonly amount: bigint;
}

export function windowOf(constraint: WindowConstraint): WindowId {
  return { rule: constraint.type, windowSeconds: constraint.windowSeconds };
}

/** The id of a window as text, for instance `volume/86400`. */
export function windowKey(window: WindowId): string {
  return `${window.rule}/${window.windowSeconds}`;
}

export function isWindowConstraint(constraint: Constraint): constraint is WindowConstraint {
  return constraint.type === 'volume' || constraint.type === 'count';
}
