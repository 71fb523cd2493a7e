import { remembered, type CalendarUnit } from '@keepwatch/base';
import type { Asset } from './intent.ts';

/** One limit of a grant or a cap. All limits of a grant hold at once. */
export type Constraint =
  | Volume
  | Count
  | MaxValue
  | GasLimit
  | MaxFeePerGas
  | MaxPriorityFee
  | MaxFee
  | Validity
  | Weekly
  | MinInterval
  | Outstanding
  | Quorum;

export type ConstraintType = Constraint['type'];

/**
 * Over which time a budget counts: for ever; any span of so many seconds (1 to 366 days); or a calendar period in a time
 * zone (IANA name), which begins at local midnight, weeks on Monday.
 */
export type Window =
  { readonly ever: true } | { readonly seconds: number } | { readonly calendar: CalendarUnit; readonly zone: string };

/**
 * At most `limit` base units of `asset` may leave in the window, over every route together. Fees count as `native`: a
 * limit that saw the value alone could be emptied by fees.
 */
export interface Volume {
  readonly type: 'volume';
  readonly asset: Asset;
  readonly limit: bigint;
  readonly window: Window;
}

/** At most `limit` signatures in the window. */
export interface Count {
  readonly type: 'count';
  readonly limit: number;
  readonly window: Window;
}

/** One request moves at most `limit` of `asset`, fees excluded. */
export interface MaxValue {
  readonly type: 'max-value';
  readonly asset: Asset;
  readonly limit: bigint;
}

export interface GasLimit {
  readonly type: 'gas-limit';
  readonly limit: bigint;
}

/** Wei per gas. */
export interface MaxFeePerGas {
  readonly type: 'max-fee-per-gas';
  readonly limit: bigint;
}

/** Wei per gas. */
export interface MaxPriorityFee {
  readonly type: 'max-priority-fee';
  readonly limit: bigint;
}

/** The most that the whole transaction can cost, in wei. */
export interface MaxFee {
  readonly type: 'max-fee';
  readonly limit: bigint;
}

/** Milliseconds since 1970, `fromMs` included, `untilMs` not. Null: no bound on that side. */
export interface Validity {
  readonly type: 'validity';
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}

/** Only at these hours of the week, by the wall clock of a time zone (IANA name). */
export interface Weekly {
  readonly type: 'weekly';
  readonly zone: string;
  readonly spans: readonly WeeklySpan[];
}

/** `from` included, `to` not (`24:00`: the end of the day). Where `to` is not after `from` it lies on the next day. */
export interface WeeklySpan {
  readonly days: readonly Weekday[];
  readonly from: string;
  readonly to: string;
}

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

/** At least so many seconds after the last request that was charged to the same grant. */
export interface MinInterval {
  readonly type: 'min-interval';
  readonly seconds: number;
}

/**
 * At most `limit` of `asset` may be signed and unsettled: transactions until somebody with the right says how they
 * ended, allowances until their own end or until they are proven to be zero. It never ages out.
 */
export interface Outstanding {
  readonly type: 'outstanding';
  readonly asset: Asset;
  readonly limit: bigint;
}

/** Beyond this amount of one request, so many operators have to agree. */
export interface Quorum {
  readonly type: 'quorum';
  readonly above: { readonly asset: Asset; readonly amount: bigint };
  readonly approvals: number;
}

/** The constraints that hold what was used. */
export type BudgetConstraint = Volume | Count | MinInterval | Outstanding;

export function isBudgetConstraint(constraint: Constraint): constraint is BudgetConstraint {
  switch (constraint.type) {
    case 'volume':
    case 'count':
    case 'min-interval':
    case 'outstanding':
      return true;
    default:
      return false;
  }
}

/** A window as text: `ever`, `86400s`, `day Europe/Berlin`. */
export const windowText = remembered((window: Window): string => {
  if ('ever' in window) return 'ever';
  return 'seconds' in window ? `${window.seconds}s` : `${window.calendar} ${window.zone}`;
});

/**
 * Which budget of a grant a constraint draws on, as text without line breaks: `volume native 86400s`,
 * `count day Europe/Berlin`, `min-interval`, `outstanding erc20:0x…`. A grant has each at most once. Remembered, for a text
 * made anew is hashed anew by each Map that it is looked up in.
 */
export const budgetKey = remembered((constraint: BudgetConstraint): string => {
  switch (constraint.type) {
    case 'volume':
      return `volume ${constraint.asset} ${windowText(constraint.window)}`;
    case 'count':
      return `count ${windowText(constraint.window)}`;
    case 'min-interval':
      return 'min-interval';
    case 'outstanding':
      return `outstanding ${constraint.asset}`;
  }
});

/** What tells a constraint from others of its grant: two of the same key would leave open which one holds. */
export function constraintKey(constraint: Constraint): string {
  if (isBudgetConstraint(constraint)) return budgetKey(constraint);
  switch (constraint.type) {
    case 'max-value':
      return `max-value ${constraint.asset}`;
    case 'quorum':
      return `quorum ${constraint.above.asset} ${constraint.above.amount}`;
    default:
      return constraint.type;
  }
}

/** The longest rolling window: 366 days. The shortest is one second. */
export const MAX_WINDOW_SECONDS = 366 * 86_400;
