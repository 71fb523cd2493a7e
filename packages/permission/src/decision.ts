import type { Asset, Intent } from './intent.ts';

/** What is to be judged: who asks for what, with which wallet. */
export interface PermissionRequest {
  readonly client: string;
  /** The groups that the client is a member of. */
  readonly groups: readonly string[];
  readonly wallet: string;
  /** The wallet's own address on the chain, as intents spell addresses. */
  readonly address: string;
  readonly intent: Intent;
  /** How many different operators have agreed to this very request. */
  readonly approvals: number;
  /** Set where the nonce was signed before and this takes the place of that. */
  readonly replaces: Replaced | null;
}

/**
 * What a request takes the place of. Whether it may (the same intent at a higher fee, or a cancellation: a transfer of
 * nothing to the wallet itself) is for the caller to find out. It is charged to the same grant, and only what its fee
 * adds to the highest total fee so far. Where that grant is no longer in force, any other may pay, and pays for all of it.
 */
export interface Replaced {
  readonly by: 'same-intent' | 'cancellation';
  /** The grant that was charged; null: it is no longer in force for this client. */
  readonly grant: string | null;
  /** The highest total fee that this grant was charged for the nonce so far. */
  readonly maxFeeWei: bigint;
}

/**
 * The answer. A permit names the grant that it charges and everything that it takes, from the grant and from the wallet's
 * caps; the caller charges that before anything is signed. A denial names reasons, oldest grant first.
 */
export type Decision =
  | {
      readonly verdict: 'permit';
      readonly grant: string;
      readonly charges: readonly Charge[];
      readonly budgets: readonly BudgetLine[];
    }
  | {
      readonly verdict: 'needs-approval';
      readonly grant: string;
      /** How many operators have to agree, and how many have. */
      readonly needed: number;
      readonly given: number;
      readonly budgets: readonly BudgetLine[];
    }
  | { readonly verdict: 'deny'; readonly reasons: readonly DenyReason[] };

/** What a permitted request takes from one budget of a grant or cap. Complete enough to be folded without a calendar. */
export interface Charge {
  readonly grant: string;
  /** See `budgetKey`. */
  readonly budget: string;
  /** Base units; for a count 1; for an interval 0. */
  readonly amount: bigint;
  /** The calendar period that it counts in; for an allowance, `untilMs` is when it ends by itself. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** For `outstanding`. */
  readonly holds?: 'spent' | 'allowance';
}

/** One limit before and after this request. What has no window starts at 0. */
export interface BudgetLine {
  readonly grant: string;
  readonly rule: string;
  readonly asset?: Asset;
  /** See `windowText`. */
  readonly window?: string;
  readonly limit: bigint;
  readonly spentBefore: bigint;
  readonly spentAfter: bigint;
}

export type DenyReason =
  | NoGrant
  | Forbidden
  | NotCovered
  | BudgetExceeded
  | LimitExceeded
  | OutsideTime
  | TooSoon
  | UnknownConstraint
  | UnknownZone
  | NotLimited
  | ReplacementRefused;

/** No grant speaks of this client, wallet, chain and kind. */
export interface NoGrant {
  readonly code: 'no_grant';
  readonly grant: null;
  readonly client: string;
  readonly wallet: string;
  readonly chain: string;
  readonly kind: string;
}

/** A deny rule matches. */
export interface Forbidden {
  readonly code: 'forbidden';
  readonly grant: string;
  /** What of the request the rule names. */
  readonly asked: string;
}

export type NotCoveredCode =
  | 'kind_not_granted'
  | 'account_not_granted'
  | 'recipient_not_permitted'
  | 'spender_not_permitted'
  | 'asset_not_granted'
  | 'route_not_granted'
  | 'unlimited_not_granted'
  | 'contract_not_granted'
  | 'function_not_granted'
  | 'condition_not_met'
  | 'delegatecall_not_granted'
  | 'selector_not_granted'
  | 'init_code_not_granted'
  | 'domain_not_granted'
  | 'type_not_granted'
  | 'type_not_registered'
  | 'message_not_granted'
  | 'delegate_not_granted'
  | 'opaque_not_granted';

/** The grant is of the right client, wallet and chain, but does not speak of one of the actions or outflows. */
export interface NotCovered {
  readonly code: NotCoveredCode;
  readonly grant: string;
  /** What the request names and the grant does not. */
  readonly asked: string;
  /** How many the grant names, where it has a list. */
  readonly permitted?: number;
}

/** Base units for `volume` and `outstanding`, signatures for `count`. */
export interface BudgetExceeded {
  readonly code: 'volume_exceeded' | 'count_exceeded' | 'outstanding_exceeded';
  readonly grant: string;
  readonly rule: 'volume' | 'count' | 'outstanding';
  readonly asset?: Asset;
  readonly window?: string;
  readonly limit: bigint;
  readonly asked: bigint | 'unlimited';
  /** What is left of the limit. */
  readonly remaining: bigint;
  /** When enough is free again if nothing else is charged, in milliseconds since 1970; null: not by waiting. */
  readonly freeAtMs: number | null;
}

export interface LimitExceeded {
  readonly code:
    | 'max_value_exceeded'
    | 'gas_limit_exceeded'
    | 'max_fee_per_gas_exceeded'
    | 'max_priority_fee_exceeded'
    | 'max_fee_exceeded'
    | 'too_many_outstanding';
  readonly grant: string;
  readonly rule: string;
  readonly asset?: Asset;
  readonly limit: bigint;
  readonly asked: bigint | 'unlimited';
}

export interface OutsideTime {
  readonly code: 'outside_validity' | 'outside_hours';
  readonly grant: string;
  readonly rule: 'validity' | 'weekly';
  readonly atMs: number;
  /** When it begins, where that lies ahead and is known. */
  readonly freeAtMs: number | null;
}

export interface TooSoon {
  readonly code: 'too_soon';
  readonly grant: string;
  readonly rule: 'min-interval';
  readonly freeAtMs: number;
}

/** The grant holds a constraint that this version does not know. Whatever it restricts, it is not met. */
export interface UnknownConstraint {
  readonly code: 'unknown_constraint';
  readonly grant: string;
  readonly rule: string;
}

/** The time zone database has no such zone. */
export interface UnknownZone {
  readonly code: 'unknown_zone';
  readonly grant: string;
  readonly rule: string;
  readonly asked: string;
}

/** Nothing in the grant limits how much of this may leave, or what fees may cost. */
export interface NotLimited {
  readonly code: 'no_volume_limit' | 'no_fee_limit';
  readonly grant: string;
  readonly asset: Asset;
}

/** A replacement is charged to the grant of what it replaces, and to no other while that one is in force. */
export interface ReplacementRefused {
  readonly code: 'replacement_of_other_grant';
  readonly grant: string;
}
