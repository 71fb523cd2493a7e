import { coded, type PeerSession } from '../peers/sessions.ts';
import { ERRORS } from '@keepwatch/protocol';
import { mayCommand } from '../state/state.ts';
import { refuse } from '../step/step.ts';
import type { ByCommand } from '../state/events.ts';
import type { Unsealed, VaultContext } from './context.ts';
import type { JobResult } from './engine.ts';
import { submit, type Submitted } from './submit.ts';

/** One operator's command under way. Its authority and freshness have been checked. */
export interface Order {
  readonly vault: VaultContext;
  readonly session: PeerSession;
  readonly by: ByCommand;
  /** The state version that must still hold when the command is decided; null where it only tightens. */
  readonly expects: number | null;
  readonly wallMs: number;
}

export interface CarriedOut {
  readonly result: JobResult | null;
  readonly value: unknown;
}

/**
 * Decides in the engine's order, where authority and state version are compared once more: two operators may race, and
 * a session may outlive for a moment what let it in.
 */
export async function decideAt(order: Order, decide: Parameters<typeof submit>[1]): Promise<Submitted> {
  const { expects } = order;
  if (expects !== null && order.vault.deps.reserve.low()) throw coded('storage_full');
  return submit(
    requireUnsealed(order.vault),
    (state, nowMs) => {
      if (!mayCommand(state, order.by.by)) return refuse('not_allowed', ERRORS.not_allowed.message);
      return expects !== null && state.version !== expects
        ? { kind: 'refused', refusal: conflictRefusal(state.version, expects) }
        : decide(state, nowMs);
    },
    expects === null,
  );
}

function conflictRefusal(version: number, expected: number) {
  return {
    code: 'version_conflict',
    message: `The vault is at version ${version}, the command expects ${expected}.`,
    details: { version, expected },
  };
}

export function requireUnsealed(vault: VaultContext): Unsealed {
  if (!vault.unsealed || vault.unsealed.closing) throw coded('vault_sealed');
  return vault.unsealed;
}
