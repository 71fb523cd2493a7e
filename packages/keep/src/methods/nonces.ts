import type { MethodParams, MethodResult } from '@keepwatch/protocol';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { nextNonce } from '../state/nonces.ts';
import { nonceKey } from '../state/state.ts';
import { scopeOf } from '../step/sign.ts';
import { requireUnsealed } from '../vault/order.ts';
import type { VaultContext } from '../vault/context.ts';

/** How long a nonce that was given out is not given to anybody else, in ms: enough to build a transaction and ask. */
const HELD_MS = 60_000;
/** Nonces of one wallet on one chain that one client may hold at one time. */
const MAX_HELD = 64;

interface Hold {
  readonly client: string;
  readonly until: number;
}

/**
 * Gives out nonces, so that clients who share a wallet do not choose the same. This is a convenience and holds nothing
 * back: that no nonce is signed twice is decided when the request to sign comes, by the journal alone. So holds live in
 * memory and end with a restart.
 */
export function createNonceDesk(vault: VaultContext) {
  const held = new Map<string, Map<number, Hold>>();

  return function next(session: PeerSession, params: MethodParams<'nonce.next'>): MethodResult<'nonce.next'> {
    const { state } = requireUnsealed(vault);
    const { wallet, chain, atLeast = 0 } = params;
    // So there are no more lists of holds than grants name wallets and chains, whatever chains clients make up.
    const scope = { ...scopeOf(state, session.peer, wallet), chain };
    if (state.grantIndex.inScope(scope).length === 0) throw coded('wallet_unknown', { wallet });
    const now = vault.deps.clock().monotonicMs;
    const key = nonceKey(wallet, chain);
    const taken = held.get(key) ?? new Map<number, Hold>();
    for (const [nonce, { until }] of taken) if (until <= now) taken.delete(nonce);
    const own = [...taken.values()].filter(({ client }) => client === session.peer);
    if (own.length >= MAX_HELD) throw coded('rate_limited');
    const nonce = nextNonce(state.nonces.get(key), atLeast, taken);
    if (nonce === undefined) throw coded('params_invalid', { issues: ['atLeast: no nonce is left above it'] });
    held.set(key, taken.set(nonce, { client: session.peer, until: now + HELD_MS }));
    return { nonce, heldMs: HELD_MS };
  };
}
