import { canonicalJson, concat, fromUtf8, u32be, utf8, type Json } from '@keepwatch/base';
import { parseGrant, restoreUsage, serialiseUsage, type UsageJson } from '@keepwatch/permission';
import { emptyState, setObserves } from './fold.ts';
import { type Answered, type Peer, type State, type StoredGrant } from './state.ts';
import { createWalletBook } from './wallet-book.ts';
import { decodeWallets, encodeWallets } from './wallet-columns.ts';

/**
 * The state as bytes and back. A snapshot saves folding history at the start; it is bound by the journal to its
 * sequence, head and fold version, and `journal verify` folds again from the first entry and compares.
 *
 *     snapshot = length u32 ‖ JSON of everything but the wallets, that many bytes ‖ columns of the wallets
 */
export function encodeSnapshot(state: State): Uint8Array {
  const rest = utf8(JSON.stringify(restOf(state)));
  return concat(u32be(rest.length), rest, encodeWallets(state.wallets.readings()));
}

/** One text for one state, whatever way it came about: from a snapshot, or entry by entry. */
export function canonicalState(state: State): string {
  const whole = { ...restOf(state), wallets: state.wallets.readings() };
  return canonicalJson(JSON.parse(JSON.stringify(whole)) as Json);
}

/** Without the indexes, which follow from it. */
function restOf(state: State) {
  const { peers, grants, nonces, usage, grantIndex: _index, observers: _observers, wallets: _wallets, ...rest } = state;
  return {
    ...rest,
    peers: [...peers.values()].map((peer) => ({ ...peer, observes: [...peer.observes] })),
    proposals: [...state.proposals.values()],
    grants: [...grants.values()].map(({ grant: _grant, ...stored }) => stored),
    nonces: [...nonces].map(([key, { signed, ...book }]) => ({ key, ...book, signed: [...signed] })),
    answered: [...state.answered],
    lastPermits: [...state.lastPermits],
    seeds: [...state.seeds],
    approvals: [...state.approvals.values()].map((approval) => ({ ...approval, given: [...approval.given] })),
    unsettled: [...state.unsettled],
    delegated: [...state.delegated],
    usage: serialiseUsage(usage),
  };
}

type Rest = Omit<ReturnType<typeof restOf>, 'usage'> & { usage: UsageJson };

export function decodeSnapshot(bytes: Uint8Array): State {
  const end = 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0);
  const saved = JSON.parse(fromUtf8(bytes.subarray(4, end)) ?? '') as Rest;
  const { peers, proposals, grants, nonces, answered, lastPermits, seeds, approvals, ...more } = saved;
  const { unsettled, delegated, usage, ...scalars } = more;
  // A copy, so that the columns do not hold on to all the rest.
  const wallets = createWalletBook(decodeWallets(bytes.slice(end)));
  const state: State = Object.assign(emptyState(), scalars, { wallets });
  for (const peer of peers) {
    const restored: Peer = { ...(peer as Omit<Peer, 'observes'>), observes: new Set() };
    state.peers.set(peer.peer, restored);
    setObserves(state, restored, peer.observes);
  }
  for (const proposal of proposals) state.proposals.set(proposal.peer, proposal);
  for (const stored of grants) restoreGrant(state, stored);
  for (const { key, signed, ...book } of nonces) state.nonces.set(key, { ...book, signed: new Map(signed) });
  for (const [key, answer] of answered) state.answered.set(key, answer as Answered);
  for (const [wallet, seq] of lastPermits) state.lastPermits.set(wallet, seq);
  for (const [key, seed] of seeds) state.seeds.set(key, seed);
  for (const approval of approvals) state.approvals.set(approval.id, { ...approval, given: new Set(approval.given) });
  for (const [seq, who] of unsettled) state.unsettled.set(seq, who);
  for (const key of delegated) state.delegated.add(key);
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
  state.grantIndex.add(stored.grant);
}
