import type { MethodParams, MethodResult } from '@keepwatch/protocol';
import type { PeerSession } from '../peers/sessions.ts';
import { toPeerKey } from '../peers/peer-id.ts';
import { MAX_PROPOSALS } from '../state/state.ts';
import { requireUnsealed } from '../vault/order.ts';
import type { VaultContext } from '../vault/context.ts';
import { submit } from '../vault/submit.ts';
import { refuse } from '../step/step.ts';

/** A key asks to be registered. Asking again changes nothing: one key is one proposal, whoever sends it. */
export async function register(
  vault: VaultContext,
  session: PeerSession,
  params: MethodParams<'peer.register'>,
): Promise<MethodResult<'peer.register'>> {
  const { peer } = session;
  const key = toPeerKey(session.key);
  const submitted = await submit(requireUnsealed(vault), (state) => {
    const known = state.peers.get(peer);
    if (known) {
      const standing = known.revoked === null ? 'registered' : 'revoked';
      // A revoked key stays revoked: its owner makes a new one.
      return { kind: 'accepted', events: [], value: standing };
    }
    if (state.proposals.has(peer)) return { kind: 'accepted', events: [], value: 'proposed' };
    if (state.proposals.size >= MAX_PROPOSALS) return refuse('proposals_full', 'Too many peers wait for approval.');
    const event = { type: 'peer.proposed', peer, role: params.role, name: params.name, key } as const;
    return { kind: 'accepted', events: [event], value: 'proposed' };
  });
  return { peer, state: submitted.value as MethodResult<'peer.register'>['state'] };
}
