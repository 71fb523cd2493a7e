import {
  canonicalJson,
  concat,
  fromLengthPrefixed,
  fromUtf8,
  lengthPrefixed,
  toBase64url,
  utf8,
  type Json,
  type Sha256,
} from '@keepwatch/base';
import { parseGrant, restoreUsage, serialiseUsage, type UsageJson } from '@keepwatch/permission';
import { emptyState, setObserves } from './fold.ts';
import type { NonceBook } from './nonces.ts';
import { answerRows, nonceRows, restoreAnswers, restoreNonces, type Rows } from './request-rows.ts';
import { type Peer, type State, type StoredGrant } from './state.ts';
import { createWalletBook } from './wallet-book.ts';
import { decodeWallets, encodeWallets } from './wallet-columns.ts';

/**
 * The state as bytes and back. A snapshot saves folding history at the start; it is bound by the journal to its
 * sequence, head and fold version, and `journal verify` folds again from the first entry and compares.
 *
 *     snapshot = lengthPrefixed(JSON of everything else, JSON of the answers, of the signed nonces, columns of the wallets)
 *
 * Answers and nonces stand apart because one text does not hold all of it where both are many.
 */
export function encodeSnapshot(state: State): Uint8Array {
  const books = [...state.nonces].map(([key, { signed: _signed, ...book }]) => ({ key, ...book }));
  return lengthPrefixed(
    ...[{ ...restOf(state), nonces: books }, answerRows(state), nonceRows(state.nonces.values())].map(jsonBytes),
    encodeWallets(state.wallets.readings()),
  );
}

const jsonBytes = (value: unknown) => utf8(JSON.stringify(value));

/** One digest for one state, whatever way it came about: from a snapshot, or entry by entry. Base64url. */
export function stateDigest(state: State, sha256: Sha256): string {
  let digest: Uint8Array = new Uint8Array(0);
  const take = (part: unknown) => {
    digest = sha256(concat(digest, utf8(canonicalJson(JSON.parse(JSON.stringify(part)) as Json))));
  };
  const takeAll = (items: Iterable<unknown>) => {
    const list = [...items];
    for (let i = 0; i < list.length; i += AT_ONCE) take(list.slice(i, i + AT_ONCE));
  };
  take({ ...restOf(state), wallets: state.wallets.readings() });
  for (const [key, { signed, ...book }] of state.nonces) {
    take({ key, ...book });
    takeAll(signed);
  }
  for (const [client, answers] of state.answered) {
    take(client);
    takeAll(answers);
  }
  return toBase64url(digest);
}

/** Answers and nonces that are one text: as one, a million would not fit beside themselves. */
const AT_ONCE = 10_000;

/** Without answers, nonces and wallets, and without the indexes, which follow from the rest. */
function restOf(state: State) {
  const { grantIndex: _index, observers: _observers, answerCount: _answerCount, wallets: _wallets, ...kept } = state;
  const { peers, grants, nonces: _nonces, answered: _answered, usage, ...rest } = kept;
  return {
    ...rest,
    peers: [...peers.values()].map((peer) => ({ ...peer, observes: [...peer.observes] })),
    proposals: [...state.proposals.values()],
    grants: [...grants.values()].map(({ grant: _grant, ...stored }) => stored),
    lastPermits: [...state.lastPermits],
    seeds: [...state.seeds],
    approvals: [...state.approvals.values()].map((approval) => ({ ...approval, given: [...approval.given] })),
    unsettled: [...state.unsettled],
    delegated: [...state.delegated],
    usage: serialiseUsage(usage),
  };
}

type Rest = Omit<ReturnType<typeof restOf>, 'usage'> & {
  readonly usage: UsageJson;
  readonly nonces: readonly ({ readonly key: string } & Omit<NonceBook, 'signed'>)[];
};

/** Throws where this is no snapshot. */
export function decodeSnapshot(bytes: Uint8Array): State {
  const [rest, answers, signed, columns] = fromLengthPrefixed(bytes, 4) ?? [];
  if (!rest || !answers || !signed || !columns) throw new TypeError('a snapshot is cut off');
  const saved = fromJson(rest) as Rest;
  const { peers, proposals, grants, nonces, lastPermits, seeds, approvals, ...more } = saved;
  const { unsettled, delegated, usage, ...scalars } = more;
  // A copy, so that the columns do not hold on to all the rest.
  const wallets = createWalletBook(decodeWallets(columns.slice()));
  const state: State = Object.assign(emptyState(), scalars, { wallets });
  for (const peer of peers) {
    const restored: Peer = { ...(peer as Omit<Peer, 'observes'>), observes: new Set() };
    state.peers.set(peer.peer, restored);
    setObserves(state, restored, peer.observes);
  }
  for (const proposal of proposals) state.proposals.set(proposal.peer, proposal);
  for (const stored of grants) restoreGrant(state, stored);
  for (const { key, ...book } of nonces) state.nonces.set(key, { ...book, signed: new Map() });
  const owners = nonces.map(({ key }) => key.slice(0, key.indexOf('/')));
  restoreNonces(fromJson(signed) as Rows, [...state.nonces.values()], owners);
  restoreAnswers(fromJson(answers) as Rows, state);
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

const fromJson = (bytes: Uint8Array): unknown => JSON.parse(fromUtf8(bytes) ?? '');

function restoreGrant(state: State, saved: Omit<StoredGrant, 'grant'>): void {
  const parsed = parseGrant({ id: saved.id, createdSeq: saved.createdSeq, ...saved.draft });
  if (!parsed.ok) throw new TypeError(`snapshot holds an invalid grant ${saved.id}`);
  const stored: StoredGrant = { ...saved, grant: parsed.value };
  state.grants.set(stored.id, stored);
  if (stored.revoked !== null) return;
  state.grantIndex.add(stored.grant);
}
