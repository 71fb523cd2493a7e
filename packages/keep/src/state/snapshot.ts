import { canonicalJson, concat, fromUtf8, toBase64url, u32be, utf8, type Json, type Sha256 } from '@keepwatch/base';
import { parseGrant, restoreUsage, serialiseUsage, type UsageJson } from '@keepwatch/permission';
import { rememberAnswer } from './answers.ts';
import { emptyState, setObserves } from './fold.ts';
import type { SignedNonce } from './nonces.ts';
import { sharedNonce } from './shared.ts';
import { type Answered, type Peer, type State, type StoredGrant } from './state.ts';
import { createWalletBook } from './wallet-book.ts';
import { decodeWallets, encodeWallets } from './wallet-columns.ts';

/**
 * The state as bytes and back. A snapshot saves folding history at the start; it is bound by the journal to its
 * sequence, head and fold version, and `journal verify` folds again from the first entry and compares.
 *
 *     snapshot = length u32 ‖ JSON of everything else ‖ length u32 ‖ JSON of the answers ‖ columns of the wallets
 *
 * Lengths are in bytes. The answers stand apart because one text does not hold them and the nonces where both are many.
 */
export function encodeSnapshot(state: State): Uint8Array {
  const { answered, ...rest } = restOf(state);
  const texts = [rest, answered].map((each) => utf8(JSON.stringify(each)));
  return concat(...texts.flatMap((text) => [u32be(text.length), text]), encodeWallets(state.wallets.readings()));
}

/** One digest for one state, whatever way it came about: from a snapshot, or entry by entry. Base64url. */
export function stateDigest(state: State, sha256: Sha256): string {
  const { answered, nonces, ...rest } = restOf(state);
  let digest: Uint8Array = new Uint8Array(0);
  const take = (part: unknown) => {
    digest = sha256(concat(digest, utf8(canonicalJson(JSON.parse(JSON.stringify(part)) as Json))));
  };
  take({ ...rest, wallets: state.wallets.readings() });
  for (const { signed, ...book } of nonces) {
    take(book);
    for (let i = 0; i < signed.length; i += AT_ONCE) take(signed.slice(i, i + AT_ONCE));
  }
  for (const [client, answers] of answered) {
    take(client);
    for (let i = 0; i < answers.length; i += AT_ONCE) take(answers.slice(i, i + AT_ONCE));
  }
  return toBase64url(digest);
}

/** Answers and nonces that are one text: as one, a million would not fit beside themselves. */
const AT_ONCE = 10_000;

/** Without the indexes, which follow from it. */
function restOf(state: State) {
  const { grantIndex: _index, observers: _observers, answerCount: _answerCount, wallets: _wallets, ...kept } = state;
  const { peers, grants, nonces, usage, ...rest } = kept;
  return {
    ...rest,
    peers: [...peers.values()].map((peer) => ({ ...peer, observes: [...peer.observes] })),
    proposals: [...state.proposals.values()],
    grants: [...grants.values()].map(({ grant: _grant, ...stored }) => stored),
    nonces: [...nonces].map(([key, { signed, ...book }]) => ({ key, ...book, signed: [...signed] })),
    answered: [...state.answered].map(([client, answers]) => [client, [...answers]] as const),
    lastPermits: [...state.lastPermits],
    seeds: [...state.seeds],
    approvals: [...state.approvals.values()].map((approval) => ({ ...approval, given: [...approval.given] })),
    unsettled: [...state.unsettled],
    delegated: [...state.delegated],
    usage: serialiseUsage(usage),
  };
}

type Rest = Omit<ReturnType<typeof restOf>, 'usage' | 'answered'> & { usage: UsageJson };

export function decodeSnapshot(bytes: Uint8Array): State {
  const [saved, restEnd] = readText(bytes, 0) as [Rest, number];
  const [answered, end] = readText(bytes, restEnd) as [[string, [string, Answered][]][], number];
  const { peers, proposals, grants, nonces, lastPermits, seeds, approvals, ...more } = saved;
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
  for (const { key, signed, ...book } of nonces) state.nonces.set(key, { ...book, signed: sharedNonces(key, signed) });
  for (const [client, answers] of answered) {
    for (const [key, answer] of answers) rememberAnswer(state, client, key, answer);
  }
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

/** `key`: of their book. */
function sharedNonces(key: string, signed: readonly (readonly [number, SignedNonce | null])[]) {
  const wallet = key.slice(0, key.indexOf('/'));
  const shared = new Map<number, SignedNonce | null>();
  for (const [nonce, known] of signed) shared.set(nonce, known && sharedNonce(wallet, known));
  return shared;
}

/** The value of the text that stands at `from`, and where it ends. */
function readText(bytes: Uint8Array, from: number): [value: unknown, end: number] {
  const end = from + 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(from);
  return [JSON.parse(fromUtf8(bytes.subarray(from + 4, end)) ?? ''), end];
}

function restoreGrant(state: State, saved: Omit<StoredGrant, 'grant'>): void {
  const parsed = parseGrant({ id: saved.id, createdSeq: saved.createdSeq, ...saved.draft });
  if (!parsed.ok) throw new TypeError(`snapshot holds an invalid grant ${saved.id}`);
  const stored: StoredGrant = { ...saved, grant: parsed.value };
  state.grants.set(stored.id, stored);
  if (stored.revoked !== null) return;
  state.grantIndex.add(stored.grant);
}
