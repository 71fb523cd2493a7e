import type { StoredBatch } from '@keepwatch/journal';
import type { MethodParams, MethodResult, SignedHeadJson } from '@keepwatch/protocol';
import { lastPermitOf, readSealedStanding } from '../boot/sealed-standing.ts';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { phaseOf } from '../vault/lifecycle.ts';
import type { VaultContext } from '../vault/context.ts';
import { requireUnsealed } from '../vault/order.ts';
import { headJson, mayObserve } from '../vault/vault.ts';
import { listContracts } from './desk.ts';

/** What lets an observer tell that it knows everything: where the journal ends, and that it is still the same journal. */

/** How the vault stands with some wallets, sealed or not. The answer holds for the moment in which it is given. */
export function readStanding(
  vault: VaultContext,
  session: PeerSession,
  { wallets }: MethodParams<'observer.standing'>,
): MethodResult<'observer.standing'> {
  const { deps, unsealed } = vault;
  const last = deps.store.lastBatch() as StoredBatch | undefined;
  const head = last ? headJson(vault, last) : null;
  if (unsealed) {
    const { state } = unsealed;
    for (const wallet of wallets) {
      if (session.caller !== 'operator' && !mayObserve(vault, session.peer, wallet)) throw coded('not_allowed');
    }
    return { phase: 'unsealed', head, last: wallets.map((wallet) => ({ wallet, seq: lastPermitOf(state, wallet) })) };
  }
  const known = head && readSealedStanding(deps.store, deps.boot.cipher, head.lastSeq, session.peer);
  return { phase: phaseOf(vault), head, last: wallets.map((wallet) => ({ wallet, seq: known?.get(wallet) ?? null })) };
}

/** Heads in one answer: some fifty kilobytes. */
const HEADS = 100;

/** The heads from the one on that covers `from`: each names the hash of the one before it. */
export async function readHeads(
  vault: VaultContext,
  { from }: MethodParams<'observer.heads'>,
): Promise<MethodResult<'observer.heads'>> {
  const heads: SignedHeadJson[] = [];
  for await (const batch of vault.deps.store.batches(Math.max(1, from))) {
    heads.push(headJson(vault, batch));
    if (heads.length === HEADS) break;
  }
  return { heads };
}

/** The registered contracts: an observer reads by them what was signed, as this vault did. */
export function readContracts(
  vault: VaultContext,
  session: PeerSession,
  params: MethodParams<'contract.list'>,
): MethodResult<'contract.list'> {
  const { state } = requireUnsealed(vault);
  const observes = state.peers.get(session.peer)?.observes.size ?? 0;
  if (session.caller !== 'operator' && observes === 0) throw coded('not_allowed');
  return listContracts(state, params);
}
