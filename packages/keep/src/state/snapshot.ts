import { setImmediate } from 'node:timers/promises';
import { canonicalJson, concat, fromUtf8, toBase64url, u32be, utf8, type Json, type Sha256 } from '@keepwatch/base';
import { parseGrant, restoreUsage, serialiseUsage, type UsageJson } from '@keepwatch/permission';
import { emptyState, setObserves } from './fold.ts';
import {
  answerRows,
  bookRows,
  nonceRows,
  restoreAnswers,
  restoreBooks,
  restoreNonces,
  type Rows,
} from './request-rows.ts';
import { type Peer, type State, type StoredGrant } from './state.ts';
import { createWalletBook } from './wallet-book.ts';
import { decodeWallets, encodeWallets } from './wallet-columns.ts';

/**
 * The state as bytes and back. A snapshot saves folding history at the start; it is bound by the journal to its
 * sequence, head and fold version, and `journal verify` folds again from the first entry and compares.
 *
 *     snapshot = piece, …      in the order of KINDS
 *     piece    = kind u8 ‖ length u32 ‖ bytes
 *
 * One piece holds all that is not in the others, as JSON; of the wallets each column is one; of books of nonces, signed
 * nonces, and answers each page of rows is one, as JSON.
 */
const KINDS = { rest: 1, wallets: 2, books: 3, nonces: 4, answers: 5 } as const;
type Kind = keyof typeof KINDS;
const PIECE_HEADER = 5;

/**
 * The state as it is now, piece by piece: columns and pages are put together when they are asked for, whatever became of
 * the state by then.
 */
export function encodeSnapshot(state: State): Iterable<Uint8Array> {
  const rest = jsonBytes(restOf(state));
  const others = othersOf(state);
  return pieces();

  function* pieces(): Generator<Uint8Array> {
    yield piece('rest', rest);
    yield* others;
  }
}

/** All but the rest. Equal states have equal pieces, whatever way they came about. */
function othersOf(state: State): Iterable<Uint8Array> {
  const wallets = encodeWallets(state.wallets.readings());
  const books = bookRows(state);
  const nonces = nonceRows(state.nonces.values());
  const answers = answerRows(state);
  return pieces();

  function* pieces(): Generator<Uint8Array> {
    for (const column of wallets) yield piece('wallets', column);
    for (const page of books) yield piece('books', jsonBytes(page));
    for (const page of nonces) yield piece('nonces', jsonBytes(page));
    for (const page of answers) yield piece('answers', jsonBytes(page));
  }
}

const jsonBytes = (value: unknown) => utf8(JSON.stringify(value));

function piece(kind: Kind, bytes: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(KINDS[kind]), u32be(bytes.length), bytes);
}

/**
 * One digest for one state, whatever way it came about: from a snapshot, or entry by entry. Base64url. Of the state as it is
 * now, though other work goes on between its pieces.
 */
export async function stateDigest(state: State, sha256: Sha256): Promise<string> {
  const rest = JSON.stringify(restOf(state));
  const others = othersOf(state);
  let digest = sha256(utf8(canonicalJson(JSON.parse(rest) as Json)));
  for (const bytes of others) {
    digest = sha256(concat(digest, bytes));
    await setImmediate();
  }
  return toBase64url(digest);
}

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

type Rest = Omit<ReturnType<typeof restOf>, 'usage'> & { readonly usage: UsageJson };

/** Throws where this is no snapshot. */
export function decodeSnapshot(bytes: Uint8Array): State {
  const pieces = piecesOf(bytes);
  const [rest] = pieces.rest;
  if (!rest) throw new TypeError('a snapshot lacks a piece');
  const saved = fromJson(rest) as Rest;
  const { peers, proposals, grants, lastPermits, seeds, approvals, ...more } = saved;
  const { unsettled, delegated, usage, ...scalars } = more;
  // Copies, so that the columns do not hold on to all the rest.
  const wallets = createWalletBook(decodeWallets(pieces.wallets.map((column) => column.slice())));
  const state: State = Object.assign(emptyState(), scalars, { wallets });
  for (const peer of peers) {
    const restored: Peer = { ...(peer as Omit<Peer, 'observes'>), observes: new Set() };
    state.peers.set(peer.peer, restored);
    setObserves(state, restored, peer.observes);
  }
  for (const proposal of proposals) state.proposals.set(proposal.peer, proposal);
  for (const stored of grants) restoreGrant(state, stored);
  for (const page of pieces.books) restoreBooks(fromJson(page) as Rows, state);
  const books = [...state.nonces.values()];
  const owners = [...state.nonces.keys()].map((key) => key.slice(0, key.indexOf('/')));
  for (const page of pieces.nonces) restoreNonces(fromJson(page) as Rows, books, owners);
  for (const page of pieces.answers) restoreAnswers(fromJson(page) as Rows, state);
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

function piecesOf(bytes: Uint8Array): Record<Kind, Uint8Array[]> {
  const found: Record<Kind, Uint8Array[]> = { rest: [], wallets: [], books: [], nonces: [], answers: [] };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (at + PIECE_HEADER > bytes.length) throw new TypeError('a snapshot is cut off');
    const number = view.getUint8(at);
    const start = at + PIECE_HEADER;
    at = start + view.getUint32(at + 1);
    if (at > bytes.length) throw new TypeError('a snapshot is cut off');
    const kind = (Object.keys(KINDS) as Kind[]).find((each) => KINDS[each] === number);
    if (kind === undefined) throw new TypeError('a snapshot holds a piece of no known kind');
    found[kind].push(bytes.subarray(start, at));
  }
  return found;
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
