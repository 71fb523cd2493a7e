import type { IntentForm } from '@keepwatch/permission';

/**
 * Requests that wait until enough operators agree. An approval is for very bytes: it binds client, wallet, chain and the
 * digest of what would be signed, and it is used up by the signature. Nothing is reserved while it waits; the request is
 * evaluated anew, with who agreed, when the client asks again.
 */
export interface Approval {
  readonly id: string;
  readonly client: string;
  readonly wallet: string;
  readonly chain: string;
  readonly form: IntentForm;
  /** Keccak-256 of what would be signed, base64url. */
  readonly digest: string;
  /** What it would do, in the words that operators were shown. */
  readonly sentence: string;
  readonly grant: string;
  /** What the sentence does not say, of a transaction: decimal wei at most. Left out where the journal is of before. */
  readonly nonce?: number | null;
  readonly maxFeeWei?: string | null;
  readonly needed: number;
  readonly asked: number;
  readonly expires: number;
  /** Operators who agreed. */
  readonly given: Set<string>;
}

/** How long operators have to agree, and the client to come back after that, in ms. */
export const APPROVAL_LIFETIME_MS = 24 * 3_600_000;
/** Requests of one client that may wait at one time. */
export const MAX_APPROVALS_PER_CLIENT = 32;

export type Approvals = Map<string, Approval>;

/** Those that are not expired. The oldest stand first: they are asked in the order of time and live equally long. */
export function dropExpired(approvals: Approvals, nowMs: number): void {
  for (const [id, { expires }] of approvals) {
    if (expires > nowMs) return;
    approvals.delete(id);
  }
}

export function liveApproval(
  approvals: ReadonlyMap<string, Approval>,
  id: string,
  nowMs: number,
): Approval | undefined {
  const approval = approvals.get(id);
  return approval && approval.expires > nowMs ? approval : undefined;
}

export function waitingOf(approvals: ReadonlyMap<string, Approval>, client: string, nowMs: number): number {
  let count = 0;
  for (const approval of approvals.values()) if (approval.client === client && approval.expires > nowMs) count++;
  return count;
}

/** How many of those who agreed may still command: an operator who was revoked since no longer counts. */
export function agreeing(approval: Approval | undefined, mayCommand: (operator: string) => boolean): number {
  if (!approval) return 0;
  let count = 0;
  for (const operator of approval.given) if (mayCommand(operator)) count++;
  return count;
}
