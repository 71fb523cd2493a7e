import { assertNever, mapEach } from '@keepwatch/base';
import {
  budgetKey,
  charge,
  constraintsOf,
  createGrantIndex,
  createUsage,
  fillUsage,
  forgetGrant,
  parseGrant,
  permits,
  isBudgetConstraint,
  isOutstanding,
  settle,
  shownCharges,
  type Charge,
  type Remaining,
} from '@keepwatch/permission';
import type {
  Entry,
  RequestAwaiting,
  RequestSettled,
  NewWallet,
  NonceFloor,
  RegisteredPeer,
  RequestDenied,
  RequestPermitted,
  ResumedGrant,
} from './events.ts';
import { answerTo, forgetOldAnswers, rememberAnswer } from './answers.ts';
import { dropExpired } from './approvals.ts';
import { addContract, EMPTY_BOOK, removeContract } from './contract-book.ts';
import { createNonceBook, raiseFloor, signNonce } from './nonces.ts';
import { clientOf, nonceKey, type Peer, type State, type StoredGrant } from './state.ts';
import { sharedNonce } from './shared.ts';
import { createWalletBook } from './wallet-book.ts';

export function emptyState(): State {
  return {
    identity: '',
    vault: '',
    epoch: 1,
    version: 0,
    seq: 0,
    time: 0,
    idleSealSeconds: null,
    tls: null,
    clockFrozen: null,
    signingFrozen: null,
    restoredBy: null,
    peers: new Map(),
    observers: new Map(),
    proposals: new Map(),
    wallets: createWalletBook(),
    grants: new Map(),
    grantIndex: createGrantIndex(),
    usage: createUsage(),
    contracts: EMPTY_BOOK,
    approvals: new Map(),
    unsettled: new Map(),
    delegated: new Set(),
    nonces: new Map(),
    lastPermits: new Map(),
    answered: new Map(),
    answerCount: 0,
    grantCount: 0,
    seeds: new Map(),
  };
}

/**
 * Folds one journal entry into the state, in place. Entries come in order without gaps; the journal has already proved
 * that they are the vault's own.
 */
export function fold(state: State, seq: number, entry: Entry): void {
  pass(state, seq, entry.at);
  switch (entry.type) {
    case 'request.permitted':
      return foldPermitted(state, seq, entry);
    case 'request.denied':
      return foldAnswer(state, seq, entry, 'deny', null);
    case 'request.voided':
      return foldVoided(state, entry.client, entry.key);
    case 'clock.frozen':
      state.clockFrozen = { reason: entry.reason, since: entry.at };
      return;
    case 'signing.frozen':
      state.signingFrozen = { reason: entry.words, since: entry.at };
      return;
    case 'peer.proposed':
      state.proposals.set(entry.peer, {
        peer: entry.peer,
        role: entry.role,
        name: entry.name,
        key: entry.key,
        since: entry.at,
      });
      return;
    case 'vault.sealed':
      return;
    case 'request.awaiting':
      return foldAwaiting(state, entry);
    case 'request.settled':
      return foldSettled(state, entry);
    default:
      state.version++;
      return foldPolicy(state, seq, entry);
  }
}

/** Takes note of an entry's number and time (ms) alone: what time does by itself, and nothing that the entry says. */
export function pass(state: State, seq: number, at: number): void {
  if (seq !== state.seq + 1) throw new RangeError(`entry ${seq} does not follow ${state.seq}`);
  const before = state.time;
  state.seq = seq;
  state.time = Math.max(before, at);
  forgetOldAnswers(state, before);
  dropExpired(state.approvals, state.time);
}

type PolicyEntry = Exclude<
  Entry,
  {
    type:
      | 'request.permitted'
      | 'request.denied'
      | 'request.voided'
      | 'clock.frozen'
      | 'signing.frozen'
      | 'peer.proposed'
      | 'vault.sealed'
      | 'request.awaiting'
      | 'request.settled';
  }
>;

function foldPolicy(state: State, seq: number, entry: PolicyEntry): void {
  switch (entry.type) {
    case 'vault.initialised':
      state.identity = entry.identity;
      state.vault = entry.vault;
      return;
    case 'vault.unsealed':
    case 'clock.confirmed':
      state.clockFrozen = null;
      return;
    case 'vault.configured':
      state.idleSealSeconds = entry.idleSealSeconds;
      return;
    case 'vault.password-changed':
    case 'vault.root-rotated':
    case 'vault.backed-up':
    case 'wallet.backed-up':
      return;
    case 'vault.tls-rotated':
      state.tls = { fingerprint: entry.to, counter: entry.counter, statement: entry.statement };
      return;
    case 'vault.restored':
      return foldRestored(state, entry);
    case 'vault.resumed':
      return foldResumed(state, entry);
    case 'peer.registered':
      return registerPeer(state, entry.peer, entry.at);
    case 'peer.rejected':
      state.proposals.delete(entry.peer);
      return;
    case 'peer.renamed': {
      const peer = state.peers.get(entry.peer);
      if (peer) peer.name = entry.name;
      return;
    }
    case 'peer.revoked':
      return revokePeer(state, entry.peer, entry.at);
    case 'peer.observing': {
      const peer = state.peers.get(entry.peer);
      if (peer) setObserves(state, peer, entry.wallets);
      return;
    }
    case 'wallets.added':
      for (const wallet of entry.wallets) addWallet(state, wallet, entry.at);
      return raiseFloors(state, entry.nonceFloors);
    case 'wallet.floored':
      return raiseFloors(state, [entry]);
    case 'wallet.renamed':
      return state.wallets.rename(entry.wallet, entry.name);
    case 'grant.created':
      return addGrant(state, seq, entry);
    case 'grant.revoked':
    case 'grant.lifted': {
      const grant = state.grants.get(entry.grant);
      if (grant) revokeGrant(state, grant, entry.at);
      return;
    }
    case 'peer.grouped': {
      const peer = state.peers.get(entry.peer);
      if (peer) peer.groups = entry.groups;
      return;
    }
    case 'wallet.delegated': {
      const key = nonceKey(entry.wallet, entry.chain);
      if (entry.delegated) state.delegated.add(key);
      else state.delegated.delete(key);
      return;
    }
    case 'contract.registered':
      state.contracts = addContract(state.contracts, entry.entry);
      return;
    case 'contract.removed':
      state.contracts = removeContract(state.contracts, entry.chain, entry.address);
      return;
    case 'approval.given':
      state.approvals.get(entry.approval)?.given.add(entry.by);
      return;
    case 'approval.rejected':
      state.approvals.delete(entry.approval);
      return;
    default:
      assertNever(entry);
  }
}

function foldPermitted(state: State, seq: number, entry: Entry & RequestPermitted): void {
  const charges: Charge[] = [];
  for (const item of chargesOf(entry)) if (state.grants.get(item.grant)?.revoked === null) charges.push(item);
  charge(state.usage, charges, entry.at, String(seq));
  if (entry.nonce !== null && entry.core !== null && entry.fees !== null) {
    const book = nonceBook(state, entry.wallet, entry.chain);
    const { digest, key: answer, client, grant, core, fees } = entry;
    signNonce(book, entry.nonce, sharedNonce(entry.wallet, { digest, answer, client, grant, core, fees }));
  }
  if (entry.approval !== null) state.approvals.delete(entry.approval);
  if (entry.form === 'delegation') state.delegated.add(nonceKey(entry.wallet, entry.chain));
  if (charges.some(({ holds }) => holds !== undefined)) {
    state.unsettled.set(seq, { client: entry.client, wallet: entry.wallet });
  }
  state.lastPermits.set(entry.wallet, seq);
  foldAnswer(state, seq, entry, 'permit', entry.grant);
}

function chargesOf({ charges, budgets, grant }: RequestPermitted): readonly Charge[] {
  if (charges === null) return shownCharges(budgets, grant);
  return mapEach(charges, (item) => ({ ...item, amount: BigInt(item.amount) }));
}

function foldAnswer(
  state: State,
  seq: number,
  entry: Entry & (RequestPermitted | RequestDenied),
  verdict: 'permit' | 'deny',
  grant: string | null,
): void {
  rememberAnswer(state, entry.client, entry.key, {
    request: entry.request,
    seq,
    at: entry.at,
    verdict,
    wallet: entry.wallet,
    chain: entry.chain,
    nonce: entry.nonce,
    grant,
  });
}

function foldAwaiting(state: State, entry: Entry & RequestAwaiting): void {
  const { approval: id, client, wallet, chain, form, digest, asks: sentence, grant, needed, at, expires } = entry;
  const named = { id, client, wallet, chain, form, digest, sentence, grant, needed };
  const { maxFeeWei, nonce } = entry;
  // An entry of before folds as it always did: snapshots of it were made.
  const costs = maxFeeWei === undefined ? {} : { maxFeeWei, nonce };
  state.approvals.set(id, { ...named, ...costs, asked: at, expires, given: new Set() });
}

function foldSettled(state: State, { entry, outcome }: RequestSettled): void {
  settle(state.usage, String(entry), outcome);
  if (!isOutstanding(state.usage, String(entry))) state.unsettled.delete(entry);
}

function foldVoided(state: State, client: string, key: string): void {
  const answered = answerTo(state, client, key);
  if (answered) rememberAnswer(state, client, key, { ...answered, verdict: 'void' });
}

function nonceBook(state: State, wallet: string, chain: string) {
  const key = nonceKey(wallet, chain);
  const known = state.nonces.get(key);
  if (known) return known;
  const book = createNonceBook();
  state.nonces.set(key, book);
  return book;
}

function raiseFloors(state: State, floors: readonly NonceFloor[]): void {
  for (const { wallet, chain, floor } of floors) {
    const book = nonceBook(state, wallet, chain);
    raiseFloor(book, floor);
    book.epoch = state.epoch;
  }
}

function addWallet(state: State, wallet: NewWallet, at: number): void {
  const fresh = wallet.origin === 'random' || wallet.origin === 'mnemonic';
  const floorEpoch = fresh || state.epoch === 1 ? 0 : state.epoch;
  state.wallets.add({ ...wallet, created: at, floorEpoch });
  if (wallet.seed === null || wallet.path === null) return;
  const cut = wallet.path.lastIndexOf('/');
  const next = Number.parseInt(wallet.path.slice(cut + 1), 10) + 1;
  const seed = state.seeds.get(wallet.seed);
  if (seed) seed.next = Math.max(seed.next, next);
  else state.seeds.set(wallet.seed, { prefix: wallet.path.slice(0, cut), next });
}

function addGrant(state: State, seq: number, entry: Extract<PolicyEntry, { type: 'grant.created' }>): void {
  const parsed = parseGrant({ id: entry.grant, createdSeq: seq, ...entry.draft });
  if (!parsed.ok) throw new TypeError(`journaled grant ${entry.grant} is not valid: ${parsed.error.code}`);
  const stored: StoredGrant = {
    id: entry.grant,
    draft: entry.draft,
    grant: parsed.value,
    createdSeq: seq,
    created: entry.at,
    revoked: null,
  };
  state.grantCount++;
  state.grants.set(stored.id, stored);
  state.grantIndex.add(parsed.value);
}

function revokeGrant(state: State, stored: StoredGrant, at: number): void {
  if (stored.revoked !== null) return;
  stored.revoked = at;
  state.grantIndex.remove(stored.id);
  forgetGrant(state.usage, stored.id);
}

/** Whoever is registered begins anew, without the rights that the same key may have had before. */
function registerPeer(state: State, registered: RegisteredPeer, at: number): void {
  const before = state.peers.get(registered.peer);
  if (before) setObserves(state, before, []);
  state.proposals.delete(registered.peer);
  state.peers.set(registered.peer, { ...registered, since: at, revoked: null, observes: new Set(), groups: [] });
}

function revokePeer(state: State, id: string, at: number): void {
  const peer = state.peers.get(id);
  if (!peer || peer.revoked !== null) return;
  peer.revoked = at;
  peer.groups = [];
  setObserves(state, peer, []);
  for (const stored of state.grants.values()) {
    // What forbids something to the client stays: the same key may be registered again.
    if (permits(stored.grant) && clientOf(stored.grant) === id) revokeGrant(state, stored, at);
  }
}

/** Changes what a peer may observe, and the index by wallet with it. */
export function setObserves(state: Pick<State, 'observers'>, peer: Peer, wallets: readonly string[]): void {
  for (const wallet of peer.observes) {
    const observers = state.observers.get(wallet);
    observers?.delete(peer.peer);
    if (observers?.size === 0) state.observers.delete(wallet);
  }
  peer.observes = new Set(wallets);
  for (const wallet of peer.observes) {
    const observers = state.observers.get(wallet) ?? new Set();
    state.observers.set(wallet, observers.add(peer.peer));
  }
}

/** A restored vault has a new identity and one operator; nothing is signed until that operator resumes it. */
function foldRestored(state: State, entry: Extract<PolicyEntry, { type: 'vault.restored' }>): void {
  state.identity = entry.identity;
  state.epoch = entry.epoch;
  // Another installation, with a TLS key of its own.
  state.tls = null;
  state.clockFrozen = null;
  state.restoredBy = entry.operator.peer;
  registerPeer(state, entry.operator, entry.at);
  state.signingFrozen = {
    reason: 'restored from a backup: what was signed after it is unknown',
    since: entry.at,
  };
}

function foldResumed(state: State, entry: Extract<PolicyEntry, { type: 'vault.resumed' }>): void {
  state.epoch = entry.epoch;
  const kept = new Set(entry.peers);
  if (entry.others?.peers !== 'kept') {
    for (const id of state.peers.keys()) if (!kept.has(id)) revokePeer(state, id, entry.at);
  }
  const resumed = new Map(entry.grants.map((grant) => [grant.grant, grant]));
  for (const stored of state.grants.values()) {
    if (stored.revoked !== null) continue;
    const terms: ResumedGrant | undefined = resumed.get(stored.id);
    // What only restricts stays in force; of its budgets nothing remains but what is named.
    if (terms || !permits(stored.grant) || entry.others?.grants === 'spent') {
      fillUsage(stored.grant, state.usage, entry.at, String(state.seq), terms ? remainingOf(stored, terms) : {});
    } else revokeGrant(state, stored, entry.at);
  }
  // In the history that is lost they may have been used up, or taken back.
  state.approvals.clear();
  for (const wallet of state.wallets.values()) wallet.floorEpoch = entry.epoch;
  raiseFloors(state, entry.nonceFloors);
  state.signingFrozen = null;
  state.restoredBy = null;
}

function remainingOf(stored: StoredGrant, terms: ResumedGrant): Remaining {
  const constraints = constraintsOf(stored.grant);
  const remaining: Record<string, bigint> = {};
  for (const { constraint, left } of terms.remaining) {
    const limited = constraints[constraint];
    if (limited && isBudgetConstraint(limited)) remaining[budgetKey(limited)] = BigInt(left);
  }
  return remaining;
}
