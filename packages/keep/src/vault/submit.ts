import { CodedError } from '@keepwatch/base';
import type { RecordWrite } from '@keepwatch/journal';
import { ERRORS, isErrorCode } from '@keepwatch/protocol';
import type { VaultEvent } from '../state/events.ts';
import type { State } from '../state/state.ts';
import type { Refusal } from '../step/step.ts';
import type { Unsealed } from './context.ts';
import type { JobResult } from './engine.ts';

/** A refusal of a pure step as the error that the peer gets; the table has the remedy where the step has none. */
export function refusalError(refusal: Refusal): CodedError {
  const remedy = refusal.remedy ?? (isErrorCode(refusal.code) ? ERRORS[refusal.code].remedy : undefined);
  return new CodedError(refusal.code, refusal.message, {
    ...(remedy ? { remedy } : {}),
    ...(refusal.details ? { details: refusal.details } : {}),
  });
}

type Outcome =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | {
      readonly kind: 'accepted';
      readonly events: readonly VaultEvent[];
      readonly value: unknown;
      readonly writes?: readonly RecordWrite[];
    };

export interface Submitted {
  readonly result: JobResult;
  readonly value: unknown;
}

/** Decides in the engine's order, and waits until what was decided is durable. A refusal rejects. */
export function submit(
  unsealed: Unsealed,
  decide: (state: State, nowMs: number) => Outcome,
  tightens = false,
): Promise<Submitted> {
  return new Promise((resolve, reject) => {
    let outcome: Outcome;
    unsealed.engine.submit({
      tightens,
      decide(state, nowMs) {
        outcome = decide(state, nowMs);
        return outcome.kind === 'accepted' ? { events: outcome.events, writes: outcome.writes ?? [] } : { events: [] };
      },
      done(result) {
        if (outcome.kind === 'accepted') resolve({ result, value: outcome.value });
        else reject(refusalError(outcome.refusal));
      },
      failed: reject,
    });
  });
}
