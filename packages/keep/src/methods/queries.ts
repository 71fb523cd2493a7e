import { describeGrant, usageReport } from '@keepwatch/permission';
import type { GrantInfo, MethodParams, MethodResult, PeerInfo, WalletInfo } from '@keepwatch/protocol';
import type { State, StoredGrant, Wallet } from '../state/state.ts';

/** Answers read from the folded state. Pure: whoever asks has been authenticated, and what it may see comes in. */

export function listPeers(state: State, connected: ReadonlySet<string>): MethodResult<'peer.list'> {
  const peers: PeerInfo[] = [...state.peers.values()].map((peer) => ({
    peer: peer.peer,
    role: peer.role,
    name: peer.name,
    key: peer.key,
    state: peer.revoked === null ? 'registered' : 'revoked',
    since: peer.since,
    observes: [...peer.observes],
    connected: connected.has(peer.peer),
  }));
  for (const proposal of state.proposals.values()) {
    peers.push({
      peer: proposal.peer,
      role: proposal.role,
      name: proposal.name,
      key: proposal.key,
      state: 'proposed',
      since: proposal.since,
      observes: [],
      connected: connected.has(proposal.peer),
    });
  }
  return { peers };
}

/** The wallets that a client has to know of: those of its live grants and those that it may observe. */
export function visibleWallets(state: State, client: string): ReadonlySet<string> {
  const visible = new Set(state.peers.get(client)?.observes ?? []);
  for (const { draft, revoked } of state.grants.values()) {
    if (draft.client === client && revoked === null) visible.add(draft.wallet);
  }
  return visible;
}

const PAGE = 200;

/** Wallets in the order of their ids. `visible` is null for an operator, who sees all. */
export function listWallets(
  state: State,
  visible: ReadonlySet<string> | null,
  params: MethodParams<'wallet.list'>,
): MethodResult<'wallet.list'> {
  const ids = [...(visible ?? state.wallets.keys())].filter((id) => state.wallets.has(id)).sort();
  const start = params.after === undefined ? 0 : firstAfter(ids, params.after);
  const page = ids.slice(start, start + (params.limit ?? PAGE));
  const last = page.at(-1);
  return {
    wallets: page.map((id) => walletInfo(state.wallets.get(id)!)),
    next: last !== undefined && start + page.length < ids.length ? last : null,
  };
}

function firstAfter(sorted: readonly string[], after: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

function walletInfo({ wallet, name, address, publicKey, origin, path, created }: Wallet): WalletInfo {
  return { wallet, name, address, publicKey, origin, path, created };
}

/** Grants with what is left of each limit at `nowMs`; a client (`client` not null) sees its own. */
export function listGrants(
  state: State,
  client: string | null,
  params: MethodParams<'grant.list'>,
  nowMs: number,
): MethodResult<'grant.list'> {
  const grants = [...state.grants.values()].filter(
    ({ draft, revoked }) =>
      (client === null || draft.client === client) && (revoked === null || params.revoked === true),
  );
  return { grants: grants.map((stored) => grantInfo(state, stored, nowMs)) };
}

function grantInfo(state: State, stored: StoredGrant, nowMs: number): GrantInfo {
  const report = usageReport(stored.grant, state.usage, nowMs);
  return {
    grant: stored.id,
    draft: stored.draft,
    created: stored.created,
    revoked: stored.revoked,
    budgets: report.map((line) =>
      line.rule === 'max-fee'
        ? { rule: line.rule, windowSeconds: null, limit: String(line.limit), spent: null, left: null, allFreeAt: null }
        : {
            rule: line.rule,
            windowSeconds: line.windowSeconds,
            limit: String(line.limit),
            spent: String(line.spent),
            left: String(line.remaining),
            allFreeAt: line.allFreeAtMs,
          },
    ),
    sentence: describeGrant(stored.grant),
  };
}
