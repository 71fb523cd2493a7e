import { coded, type PeerSession } from '../peers/sessions.ts';
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

/** Decides in the engine's order, where the state version is compared once more: two operators may race. */
export async function decideAt(order: Order, decide: Parameters<typeof submit>[1]): Promise<Submitted> {
  const { expects } = order;
  if (expects !== null && order.vault.deps.reserve.low()) throw coded('storage_full');
  return submit(
    requireUnsealed(order.vault),
    (state, nowMs) =>
      expects !== null && state.version !== expects
        ? { kind: 'refused', refusal: conflictRefusal(state.version, expects) }
        : decide(state, nowMs),
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
  if (!vault.unsealed) throw coded('vault_sealed');
  return vault.unsealed;
}
