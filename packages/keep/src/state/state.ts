import type { Grant, GrantIndex, Usage } from '@keepwatch/permission';
import type { GrantDraft, PeerKey, Role } from '@keepwatch/protocol';
import type { TlsState } from '../boot/boot-table.ts';
import type { Approvals } from './approvals.ts';
import type { ContractBook } from './contract-book.ts';
import type { NonceBook } from './nonces.ts';
import type { NewWallet } from './events.ts';
import type { WalletBook } from './wallet-book.ts';

/** Rises when folding the same journal gives another state, or a snapshot another form: snapshots of other versions are then passed over. */
export const FOLD_VERSION = 13;

/**
 * How long a request's answer is kept for repeats, in ms, counted by the time inside the idempotency key. A key older
 * than this is refused, so a forgotten request can never run as a new one.
 */
export const KEY_MAX_AGE_MS = 2 * 3_600_000;
/** How far a key's time may lie ahead of the keep's, in ms. */
export const KEY_MAX_AHEAD_MS = 5 * 60_000;
export const REQUEST_RETENTION_MS = KEY_MAX_AGE_MS + KEY_MAX_AHEAD_MS;

/** The most proposals that wait for an operator at one time. */
export const MAX_PROPOSALS = 64;

export interface Peer {
  readonly peer: string;
  readonly role: Role;
  readonly key: PeerKey;
  readonly since: number;
  name: string;
  revoked: number | null;
  observes: ReadonlySet<string>;
  /** Groups of clients that grants may name. */
  groups: readonly string[];
}

export interface Proposal {
  readonly peer: string;
  readonly role: Role;
  readonly name: string;
  readonly key: PeerKey;
  readonly since: number;
}

export interface Wallet extends Omit<NewWallet, 'name'> {
  name: string;
  readonly created: number;
  /**
   * After a restore nobody knows which nonces the lost tail used: nothing is signed on a chain whose nonce floor no
   * operator has confirmed in this epoch or later. The same goes for keys that come from elsewhere than this journal
   * in a vault that was once restored: they may have signed in the lost tail. 0 for all others.
   */
  floorEpoch: number;
}

export interface StoredGrant {
  readonly id: string;
  readonly draft: GrantDraft;
  /** The draft as the engine takes it. */
  readonly grant: Grant;
  readonly createdSeq: number;
  readonly created: number;
  revoked: number | null;
}

/** The first answer to a request, for its repeats. */
export interface Answered {
  readonly request: string;
  readonly seq: number;
  readonly at: number;
  readonly verdict: 'permit' | 'deny' | 'void';
  readonly wallet: string;
  readonly chain: string;
  readonly nonce: number | null;
  readonly grant: string | null;
}

export interface SeedAccounts {
  /** Derivation path without its last component, such as m/44'/60'/0'/0. */
  readonly prefix: string;
  next: number;
}

export interface Freeze {
  readonly reason: string;
  readonly since: number;
}

export interface Unsettled {
  readonly client: string;
  readonly wallet: string;
}

/** The vault's state: the fold of its journal. Changed by `fold` alone, in place, because a batch is folded per tick. */
export interface State {
  identity: string;
  vault: string;
  epoch: number;
  /** Rises with every change of policy; operators' commands name the version that they expect. */
  version: number;
  /** Sequence of the last folded entry; 0 before the first. */
  seq: number;
  /** Time of the last folded entry, ms. The keep's time never goes behind it. */
  time: number;
  idleSealSeconds: number | null;
  /** The last rotation of the edge's TLS key that was journaled by this installation, as the boot table has it. */
  tls: TlsState | null;
  clockFrozen: Freeze | null;
  signingFrozen: Freeze | null;
  /** Between a restore and its resume: the operator who restored. Who else the backup calls an operator is unknown. */
  restoredBy: string | null;
  readonly peers: Map<string, Peer>;
  /** Peers with the observer's right, by wallet. */
  readonly observers: Map<string, Set<string>>;
  readonly proposals: Map<string, Proposal>;
  readonly wallets: WalletBook;
  readonly grants: Map<string, StoredGrant>;
  /** Live grants, deny rules and caps. */
  readonly grantIndex: GrantIndex;
  usage: Usage;
  /** What operators said of contracts. */
  contracts: ContractBook;
  /** Requests that wait for operators, oldest first. */
  readonly approvals: Approvals;
  /** Who asked for what is signed and unsettled, by the entry that permitted it: whoever asked does not settle. */
  readonly unsettled: Map<number, Unsettled>;
  /** `wallet/chain` where the wallet's account may run code of a delegate (EIP-7702). */
  readonly delegated: Set<string>;
  /** By `wallet/chain`. */
  readonly nonces: Map<string, NonceBook>;
  /** The last permit of each wallet, by its entry. */
  readonly lastPermits: Map<string, number>;
  /** By client, and of each client by the key of the request, oldest first. */
  readonly answered: Map<string, Map<string, Answered>>;
  /** How many of them there are. */
  answerCount: number;
  /** How many grants have been made: the next one's number. */
  grantCount: number;
  /** HD seeds: where their accounts lie and the next one's index. */
  readonly seeds: Map<string, SeedAccounts>;
}

/**
 * Whether this peer may have a session. Between a restore and its resume the restoring operator alone may: whoever else
 * the backup knows may have been revoked after it.
 */
export function mayConnect(state: State, id: string): boolean {
  const peer = state.peers.get(id);
  if (!peer || peer.revoked !== null) return false;
  return state.restoredBy === null || state.restoredBy === id;
}

/** Whether this peer may command the vault. */
export function mayCommand(state: State, id: string): boolean {
  return state.peers.get(id)?.role === 'operator' && mayConnect(state, id);
}

/** The one client that a grant is for; null where it is for a group, or for nobody in particular. */
export function clientOf(grant: Grant): string | null {
  return grant.kind === 'cap' || typeof grant.client !== 'string' ? null : grant.client;
}

export const nonceKey = (wallet: string, chain: string) => `${wallet}/${chain}`;
