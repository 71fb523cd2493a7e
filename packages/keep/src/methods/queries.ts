import {
  constraintsOf,
  describeConstraint,
  describeGrant,
  permits,
  usageReport,
  type PermittingGrant,
  type Zones,
} from '@keepwatch/permission';
import type { GrantInfo, MethodParams, MethodResult, PeerInfo, WalletInfo } from '@keepwatch/protocol';
import { namesOfGrant } from '../step/grant-names.ts';
import { type State, type StoredGrant, type Wallet } from '../state/state.ts';

/** Answers read from the folded state. Pure: whoever asks has been authenticated, and what it may see comes in. */

export function listPeers(
  state: State,
  connected: ReadonlySet<string>,
  params: MethodParams<'peer.list'>,
): MethodResult<'peer.list'> {
  const peers: PeerInfo[] = [...state.peers.values()].map((peer) => ({
    peer: peer.peer,
    role: peer.role,
    name: peer.name,
    key: peer.key,
    state: peer.revoked === null ? 'registered' : 'revoked',
    since: peer.since,
    observes: [...peer.observes],
    groups: [...peer.groups],
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
      groups: [],
      connected: connected.has(proposal.peer),
    });
  }
  const { items, next } = pageFrom(peers, params.from ?? 0);
  return { peers: items, next };
}

/** Bytes of JSON in one answer, so that it fits one frame. Every single item does. */
const ANSWER_BYTES = 120_000;

/** How much of a frame something takes: not what it has letters, for some are written as four and some as three bytes. */
export function sentBytes(item: unknown): number {
  return Buffer.byteLength(JSON.stringify(item)) + 1;
}

/** The items from a position on that fit one answer, and the position after them. Lists only grow at their end. */
export function pageFrom<T>(all: readonly T[], from: number): { items: T[]; next: number | null } {
  const items: T[] = [];
  let bytes = 0;
  for (let i = from; i < all.length; i++) {
    bytes += sentBytes(all[i]);
    if (items.length > 0 && bytes > ANSWER_BYTES) return { items, next: i };
    items.push(all[i]!);
  }
  return { items, next: null };
}

/** The wallets that a client has to know of: those of its live grants and those that it may observe. */
export function visibleWallets(state: State, client: string): ReadonlySet<string> {
  const visible = new Set(state.peers.get(client)?.observes ?? []);
  for (const { grant, revoked } of state.grants.values()) {
    if (revoked === null && permits(grant) && isFor(grant, state, client)) visible.add(grant.wallet);
  }
  return visible;
}

/** Whether the grant is for the client itself or a group that it belongs to. */
function isFor({ client: party }: PermittingGrant, state: State, client: string): boolean {
  if (typeof party === 'string') return party === client;
  return state.peers.get(client)?.groups.includes(party.group) ?? false;
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
  zones: Zones,
): MethodResult<'grant.list'> {
  const grants = [...state.grants.values()].filter(
    ({ grant, revoked }) =>
      (client === null || (permits(grant) && isFor(grant, state, client))) &&
      (revoked === null || params.revoked === true),
  );
  const from = params.from ?? 0;
  // A grant takes a few hundred characters at the least: no more of them are described than could fit.
  const described = grants.slice(from, from + 1_000).map((stored) => grantInfo(state, stored, nowMs, zones));
  const { items, next } = pageFrom(described, 0);
  const end = from + (next ?? described.length);
  return { grants: items, next: end < grants.length ? end : null };
}

function grantInfo(state: State, stored: StoredGrant, nowMs: number, zones: Zones): GrantInfo {
  const { grant } = stored;
  const constraints = constraintsOf(grant);
  const report = usageReport(grant, state.usage, nowMs, zones);
  return {
    grant: stored.id,
    draft: stored.draft,
    created: stored.created,
    revoked: stored.revoked,
    budgets: report.map((line, i) => ({
      rule: line.rule,
      words: describeConstraint(constraints[i]!, grant.chain),
      asset: line.asset,
      window: line.window,
      limit: textOrNull(line.limit),
      spent: textOrNull(line.spent),
      left: textOrNull(line.remaining),
      allFreeAt: line.allFreeAtMs,
    })),
    sentence: describeGrant(grant, namesOfGrant(state, grant)),
  };
}

const textOrNull = (amount: bigint | null) => (amount === null ? null : amount.toString());
