import { parseGrant, restoreUsage, serialiseUsage, type UsageJson } from '@keepwatch/permission';
import { emptyState, setObserves } from './fold.ts';
import { grantKey, type Answered, type Peer, type State, type StoredGrant } from './state.ts';

/**
 * The state as bytes and back. A snapshot saves folding history at the start; it is bound by the journal to its
 * sequence, head and fold version, and `journal verify` folds again from the first entry and compares.
 */
export function encodeSnapshot(state: State): Uint8Array {
  return Buffer.from(JSON.stringify(snapshotOf(state)));
}

function snapshotOf(state: State) {
  const {
    peers,
    grants,
    nonces,
    usage,
    grantIndex: _index,
    walletNames: _names,
    observers: _observers,
    ...rest
  } = state;
  return {
    ...rest,
    peers: [...peers.values()].map((peer) => ({ ...peer, observes: [...peer.observes] })),
    proposals: [...state.proposals.values()],
    wallets: [...state.wallets.values()],
    grants: [...grants.values()].map(({ grant: _grant, ...stored }) => stored),
    nonces: [...nonces].map(([key, { signed, ...book }]) => ({ key, ...book, signed: [...signed] })),
    answered: [...state.answered],
    seeds: [...state.seeds],
    usage: serialiseUsage(usage),
  };
}

type Snapshot = Omit<ReturnType<typeof snapshotOf>, 'usage'> & { usage: UsageJson };

export function decodeSnapshot(bytes: Uint8Array): State {
  const saved = JSON.parse(Buffer.from(bytes).toString()) as Snapshot;
  const { peers, proposals, wallets, grants, nonces, answered, seeds, usage, ...scalars } = saved;
  const state: State = Object.assign(emptyState(), scalars);
  for (const peer of peers) {
    const restored: Peer = { ...(peer as Omit<Peer, 'observes'>), observes: new Set() };
    state.peers.set(peer.peer, restored);
    setObserves(state, restored, peer.observes);
  }
  for (const proposal of proposals) state.proposals.set(proposal.peer, proposal);
  for (const wallet of wallets) {
    state.wallets.set(wallet.wallet, wallet);
    state.walletNames.set(wallet.name, wallet.wallet);
  }
  for (const stored of grants) restoreGrant(state, stored);
  for (const { key, signed, ...book } of nonces) state.nonces.set(key, { ...book, signed: new Map(signed) });
  for (const [key, answer] of answered) state.answered.set(key, answer as Answered);
  for (const [key, seed] of seeds) state.seeds.set(key, seed);
  const restored = restoreUsage(usage);
  if (!restored.ok) throw new TypeError('snapshot holds no valid usage');
  state.usage = restored.value;
  return state;
}

function restoreGrant(state: State, saved: Omit<StoredGrant, 'grant'>): void {
  const parsed = parseGrant({ id: saved.id, createdSeq: saved.createdSeq, ...saved.draft });
  if (!parsed.ok) throw new TypeError(`snapshot holds an invalid grant ${saved.id}`);
  const stored: StoredGrant = { ...saved, grant: parsed.value };
  state.grants.set(stored.id, stored);
  if (stored.revoked !== null) return;
  const key = grantKey(stored.draft.client, stored.draft.wallet, stored.draft.chain);
  state.grantIndex.set(key, [...(state.grantIndex.get(key) ?? []), stored]);
}
