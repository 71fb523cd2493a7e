import type { Json, Keccak256 } from '@keepwatch/base';
import type { Intent, Zones } from '@keepwatch/permission';
import type { Registries } from './registries.ts';
import type { VaultEvent } from '../state/events.ts';

/** What the pure steps are given besides state and input: hash functions and the calendar, no I/O, no clock. */
export interface StepDeps {
  readonly keccak256: Keccak256;
  readonly zones: Zones;
  readonly registries: Registries;
}

/** A refusal: nothing has happened, and the caller learns why. `details` is plain JSON. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly details?: Readonly<Record<string, Json>>;
}

export function refuse(
  code: string,
  message: string,
  remedy?: string,
  details?: Readonly<Record<string, Json>>,
): { readonly kind: 'refused'; readonly refusal: Refusal } {
  const refusal = { code, message, ...(remedy ? { remedy } : {}), ...(details ? { details } : {}) };
  return { kind: 'refused', refusal };
}

/** The approval that a signer needs: it binds the very bytes, their digest, what they mean and the policy's version. */
export interface SignEffect {
  readonly type: 'sign';
  readonly wallet: string;
  /** The unsigned transaction whose Keccak-256 is `digest`; the signer computes it again. */
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
  /** What was judged: the meaning of these bytes. */
  readonly intent: Intent;
  /** The state version of the policy that was evaluated. */
  readonly version: number;
}

export type SignOutcome =
  | ReturnType<typeof refuse>
  /** A new decision: journal the event; after that perform the effect, if there is one, and answer. */
  | { readonly kind: 'decided'; readonly event: VaultEvent; readonly effect: SignEffect | null }
  /** Decided before: answer from the journal entry `seq`, and sign the same bytes again if it was a permit. */
  | { readonly kind: 'repeat'; readonly seq: number; readonly effect: SignEffect | null }
  /** Decided before, but what carried the decision is gone: journal that it will not be signed. */
  | { readonly kind: 'void'; readonly event: VaultEvent }
  /** Operators have to agree first. `event`: null where that was journaled before. */
  | { readonly kind: 'waiting'; readonly event: VaultEvent | null; readonly details: WaitingDetails };

/** What a client learns of a request that waits. `expires`: ms. */
export interface WaitingDetails {
  readonly approval: string;
  readonly needed: number;
  readonly given: number;
  readonly expires: number;
}
