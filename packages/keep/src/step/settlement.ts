import type { Settlement } from '@keepwatch/protocol';
import type { State } from '../state/state.ts';
import { accept, type CommandOutcome } from './command-outcome.ts';
import { refuse } from './step.ts';

/**
 * Somebody says how a signed request ended, which gives back what was outstanding of it. That is for operators and for
 * observers of the wallet, and never for the client that asked: it could free its own limit by a word.
 */
export function settleRequest(
  state: State,
  { wallet, seq, outcome }: Settlement,
  by: string,
  command: string | null,
): CommandOutcome {
  const unsettled = state.unsettled.get(seq);
  if (!unsettled || unsettled.wallet !== wallet) {
    return refuse('settlement_unknown', `Entry ${seq} permitted nothing of this wallet that is unsettled.`);
  }
  if (unsettled.client === by) return refuse('settlement_by_requester', 'Whoever asked for it does not settle it.');
  return accept({ type: 'request.settled', wallet, entry: seq, outcome, by, command });
}
