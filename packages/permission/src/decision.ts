import type { Charge, Constraint } from './grant.ts';
import type { Intent } from './intent.ts';

/** What is to be judged: who asks for what, with which wallet. */
export interface PermissionRequest {
  readonly client: string;
  readonly wallet: string;
  readonly intent: Intent;
}

/**
 * The answer. A permit names the grant that it charges and what it takes from it; the caller charges it before anything is
 * signed. A denial names a reason for each grant that could have permitted the request, oldest grant first.
 */
export type Decision =
  | {
      readonly verdict: 'permit';
      readonly grant: string;
      readonly charges: readonly Charge[];
      readonly budgets: readonly BudgetLine[];
    }
  | { readonly verdict: 'deny'; readonly reasons: readonly DenyReason[] };

/**
 * One constraint of the charged grant, before and after this request. For `max-fee`, which has no window, nothing is spent
 * before and this request's maximum fee after.
 */
export interface BudgetLine {
  readonly rule: Constraint['type'];
  readonly windowSeconds: number | null;
  readonly limit: bigint;
  readonly spentBefore: bigint;
  readonly spentAfter: bigint;
}

export type DenyReason =
  NoGrant | RecipientNotPermitted | WindowExceeded | MaxFeeExceeded | UnknownConstraint | Unlimited;

/** No grant speaks of this client, wallet, chain and kind. */
export interface NoGrant {
  readonly code: 'no_grant';
  readonly grant: null;
  readonly client: string;
  readonly wallet: string;
  readonly chain: string;
  readonly kind: string;
}

export interface RecipientNotPermitted {
  readonly code: 'recipient_not_permitted';
  readonly grant: string;
  readonly rule: 'recipients';
  readonly asked: string;
  /** How many recipients the grant permits. */
  readonly permitted: number;
}

/** Amounts are base units for `volume` and transactions for `count`. */
export interface WindowExceeded {
  readonly code: 'volume_exceeded' | 'count_exceeded';
  readonly grant: string;
  readonly rule: 'volume' | 'count';
  readonly windowSeconds: number;
  readonly limit: bigint;
  readonly asked: bigint;
  /** What is left of the limit. */
  readonly remaining: bigint;
  /** When enough is free again if nothing else is charged, in milliseconds since 1970; `null`: it asks for too much ever. */
  readonly freeAtMs: number | null;
}

export interface MaxFeeExceeded {
  readonly code: 'max_fee_exceeded';
  readonly grant: string;
  readonly rule: 'max-fee';
  readonly limit: bigint;
  readonly asked: bigint;
}

/** The grant holds a constraint that this version does not know. Whatever it restricts, it is not met. */
export interface UnknownConstraint {
  readonly code: 'unknown_constraint';
  readonly grant: string;
  readonly rule: string;
}

/** The grant does not limit what may leave the wallet. `parseGrant` lets no such grant come about. */
export interface Unlimited {
  readonly code: 'no_volume_limit';
  readonly grant: string;
}
