import { createTokenBucket } from '@keepwatch/base';
import type { MethodParams, MethodResult } from '@keepwatch/protocol';
import type { PeerSession } from '../peers/sessions.ts';
import { toPeerKey } from '../peers/peer-id.ts';
import { MAX_PROPOSALS } from '../state/state.ts';
import { requireUnsealed } from '../vault/order.ts';
import type { VaultContext } from '../vault/context.ts';
import { submit } from '../vault/submit.ts';
import { refuse } from '../step/step.ts';

/** Proposals are journaled and come from strangers: few for all of them together. */
const BUDGET = { perSecond: 1 / 30, burst: 64 };
/** Of one network, however many keys it makes: it takes eight of them to fill the room. */
const MAX_PROPOSALS_OF_CROWD = 8;

export type Registration = (
  session: PeerSession,
  params: MethodParams<'peer.register'>,
) => Promise<MethodResult<'peer.register'>>;

/**
 * A key asks to be registered. Asking again changes nothing and costs nothing: one key is one proposal, whoever sends it, and
 * it stays until an operator has decided. Which network it came from is known as long as the keep runs.
 */
export function createRegistration(vault: VaultContext): Registration {
  const monotonicMs = () => vault.deps.clock().monotonicMs;
  const budget = createTokenBucket(BUDGET.perSecond, BUDGET.burst, monotonicMs());
  const crowds = new Map<string, string>();

  return async (session, params) => {
    const { peer, crowd } = session;
    const key = toPeerKey(session.key);
    const submitted = await submit(requireUnsealed(vault), (state) => {
      const known = state.peers.get(peer);
      if (known) {
        const standing = known.revoked === null ? 'registered' : 'revoked';
        // A revoked key stays revoked: its owner makes a new one.
        return { kind: 'accepted', events: [], value: standing };
      }
      if (state.proposals.has(peer)) return { kind: 'accepted', events: [], value: 'proposed' };
      for (const each of crowds.keys()) if (!state.proposals.has(each)) crowds.delete(each);
      const others = [...crowds.values()].filter((each) => each === crowd).length;
      if (state.proposals.size >= MAX_PROPOSALS || others >= MAX_PROPOSALS_OF_CROWD) {
        return refuse('proposals_full', 'Too many peers wait for approval.');
      }
      if (!budget.take(monotonicMs())) return refuse('rate_limited', 'Too many keys ask to be registered at once.');
      crowds.set(peer, crowd);
      const event = { type: 'peer.proposed', peer, role: params.role, name: params.name, key } as const;
      return { kind: 'accepted', events: [event], value: 'proposed' };
    });
    return { peer, state: submitted.value as MethodResult<'peer.register'>['state'] };
  };
}
