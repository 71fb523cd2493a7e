import { fromUtf8 } from '@keepwatch/base';
import type { ContractEntry } from '@keepwatch/evm';
import type { Charge, DenyReason, IntentForm, Jsonified, Outcome, ShownLine } from '@keepwatch/permission';
import type { ReplacementFault, SignedFees } from './nonces.ts';
import type { GrantDraft, PeerKey, Role } from '@keepwatch/protocol';

/**
 * What the journal remembers: each event is a fact that has happened, in the past tense, complete enough that folding
 * all of them from the first gives the vault's state again. An event never holds a secret. `at` is the keep's time in
 * ms; `command` is the operator's signed command (JWS) that caused it.
 */
export type VaultEvent =
  | ({ type: 'vault.initialised'; identity: string; vault: string } & ByCommand)
  /** `zones`: version of the time zone database by which limits are judged from now on, such as `2026c`. */
  | ({ type: 'vault.unsealed'; time: number; zones: string } & ByCommand)
  | { type: 'vault.sealed'; reason: SealReason; by: string | null; command: string | null }
  | ({ type: 'vault.configured'; idleSealSeconds: number | null } & ByCommand)
  | ({ type: 'vault.password-changed' } & ByCommand)
  | ({ type: 'vault.root-rotated' } & ByCommand)
  | ({ type: 'vault.tls-rotated'; from: string; to: string; counter: number; statement: string } & ByCommand)
  | ({ type: 'vault.backed-up' } & ByCommand)
  | ({ type: 'vault.restored'; identity: string; epoch: number; operator: RegisteredPeer } & ByCommand)
  | ({
      type: 'vault.resumed';
      epoch: number;
      peers: readonly string[];
      grants: readonly ResumedGrant[];
      nonceFloors: readonly NonceFloor[];
      /** What became of those that were not named; left out: revoked. */
      others?: ResumedOthers;
    } & ByCommand)
  | { type: 'clock.frozen'; reason: string; wallMs: number; expectedMs: number }
  | ({ type: 'clock.confirmed'; time: number } & ByCommand)
  | { type: 'signing.frozen'; reason: 'restored' | 'rollback'; words: string }
  | { type: 'peer.proposed'; peer: string; role: Role; name: string; key: PeerKey }
  | {
      type: 'peer.registered';
      via: 'bootstrap' | 'approval';
      by: string | null;
      command: string | null;
      peer: RegisteredPeer;
    }
  | ({ type: 'peer.rejected'; peer: string } & ByCommand)
  | ({ type: 'peer.renamed'; peer: string; name: string } & ByCommand)
  | ({ type: 'peer.revoked'; peer: string } & ByCommand)
  | ({ type: 'peer.observing'; peer: string; wallets: readonly string[] } & ByCommand)
  | ({ type: 'wallets.added'; wallets: readonly NewWallet[]; nonceFloors: readonly NonceFloor[] } & ByCommand)
  | ({ type: 'wallet.floored' } & NonceFloor & ByCommand)
  | ({ type: 'wallet.renamed'; wallet: string; name: string } & ByCommand)
  | ({ type: 'wallet.backed-up'; wallet: string } & ByCommand)
  | ({ type: 'grant.created'; grant: string; draft: GrantDraft } & ByCommand)
  | ({ type: 'grant.revoked'; grant: string } & ByCommand)
  | ({ type: 'grant.lifted'; grant: string } & ByCommand)
  | ({ type: 'peer.grouped'; peer: string; groups: readonly string[] } & ByCommand)
  | ({ type: 'wallet.delegated'; wallet: string; chain: string; delegated: boolean } & ByCommand)
  | ({ type: 'contract.registered'; entry: ContractEntry } & ByCommand)
  | ({ type: 'contract.removed'; chain: string; address: string } & ByCommand)
  | ({ type: 'approval.given'; approval: string; client: string; given: number; needed: number } & ByCommand)
  | ({ type: 'approval.rejected'; approval: string; client: string } & ByCommand)
  | RequestAwaiting
  | RequestSettled
  | RequestPermitted
  | RequestDenied
  | { type: 'request.voided'; client: string; key: string; seq: number; reason: string };

export interface ByCommand {
  /** The operator's peer id. */
  readonly by: string;
  /** The command as the operator signed it (compact JWS). */
  readonly command: string;
}

export type SealReason = 'command' | 'idle' | 'sleep' | 'resume-from-sleep' | 'shutdown' | 'storage';

export interface RegisteredPeer {
  readonly peer: string;
  readonly role: Role;
  readonly name: string;
  readonly key: PeerKey;
}

export interface NewWallet {
  readonly wallet: string;
  readonly name: string;
  /** Compressed secp256k1 public key, hex. */
  readonly publicKey: string;
  /** Lower-case hex with 0x. */
  readonly address: string;
  readonly origin: 'mnemonic' | 'derived' | 'random' | 'imported-key' | 'imported-mnemonic';
  /** The HD seed this wallet was derived from, and where. */
  readonly seed: string | null;
  readonly path: string | null;
}

export interface NonceFloor {
  readonly wallet: string;
  readonly chain: string;
  /** The lowest nonce that may still be signed. */
  readonly floor: number;
}

/** What is left of a grant after a restore: per constraint (by position) a decimal string; not named means spent. */
export interface ResumedGrant {
  readonly grant: string;
  readonly remaining: readonly { readonly constraint: number; readonly left: string }[];
}

export interface ResumedOthers {
  readonly peers: 'revoked' | 'kept';
  /** `spent`: kept where their client is, with nothing left of their limits. */
  readonly grants: 'revoked' | 'spent';
}

/** What every decision on a request records of it. */
export interface RequestFacts {
  readonly client: string;
  readonly wallet: string;
  readonly chain: string;
  /** Idempotency key (UUIDv7). */
  readonly key: string;
  /** SHA-256 of the request's canonical body, base64url. */
  readonly request: string;
  /** Keccak-256 of the very bytes that are to be signed, base64url. */
  readonly digest: string;
  readonly form: IntentForm;
  /**
   * What was handed in to be signed: unsigned bytes as hex with 0x, typed data as its JSON, or a text. Null where it is
   * too long.
   */
  readonly payload: string | null;
  /** What it would do, in words. */
  readonly asks: string;
  /** Null for what takes up none: typed data and messages. */
  readonly nonce: number | null;
}

export interface RequestPermitted extends RequestFacts {
  readonly type: 'request.permitted';
  readonly grant: string;
  /** What it does apart from its fees, where it takes up a nonce: a replacement does the same. */
  readonly core: string | null;
  readonly fees: SignedFees | null;
  /** Whether it takes the place of what was signed for the nonce before. */
  readonly replaces: 'same-intent' | 'cancellation' | null;
  /** The approval of operators that it used up. */
  readonly approval: string | null;
  /**
   * The wallet's permit before this one, by its entry; 0: this is its first. So who has all permits up to the last one can
   * show that none is missing.
   */
  readonly prior: number;
  /** The state version of the policy that was evaluated. */
  readonly version: number;
  /** Null: those that its budgets show, see `shownCharges`. */
  readonly charges: readonly Jsonified<Charge>[] | null;
  readonly budgets: readonly JournaledLine[];
}

/** A limit of a grant or cap, and what was spent of it: decimal strings. `grant` is left out where it is the one that pays. */
export interface JournaledLine extends ShownLine {
  readonly limit: string;
}

export interface RequestDenied extends RequestFacts {
  readonly type: 'request.denied';
  readonly reasons: readonly Jsonified<DenyReason | KeepReason>[];
  readonly sentences: readonly string[];
}

/** A request that operators have to agree to. Nothing is reserved, and nothing signed. */
export interface RequestAwaiting extends RequestFacts {
  readonly type: 'request.awaiting';
  readonly approval: string;
  readonly grant: string;
  readonly needed: number;
  readonly expires: number;
  /** What it may cost at most, decimal; null: nothing. Journals of before name none. */
  readonly maxFeeWei?: string | null;
}

/** Somebody who may said how a signed request ended. `entry`: the one that permitted it. */
export interface RequestSettled {
  readonly type: 'request.settled';
  readonly wallet: string;
  readonly entry: number;
  readonly outcome: Outcome;
  readonly by: string;
  /** The operator's signed command; null where an observer said so in its session. */
  readonly command: string | null;
}

/** Why a request is denied before any grant is asked. Amounts are nonces. */
export type KeepReason =
  | { readonly code: 'nonce_used'; readonly grant: null; readonly asked: number }
  | { readonly code: 'nonce_below_floor'; readonly grant: null; readonly asked: number; readonly floor: number }
  | { readonly code: 'nonce_floor_unconfirmed'; readonly grant: null; readonly asked: number }
  | {
      readonly code: 'replacement_refused';
      readonly grant: null;
      readonly asked: number;
      readonly why: ReplacementFault;
    };

/** An event with its time and salt: the plaintext of a journal entry. */
export type Entry = VaultEvent & { readonly at: number; readonly salt: string };

/** The event with its time (ms) and salt: the same object, for a copy of one so large takes long. */
export function stampEntry(event: VaultEvent, at: number, salt: string): Entry {
  const entry = event as VaultEvent & { at: number; salt: string };
  entry.at = at;
  entry.salt = salt;
  return entry;
}

/** The journal holds only what this keep wrote and authenticated, so a malformed entry is a bug, not an input. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const text = fromUtf8(bytes);
  if (text === undefined) throw new TypeError('journal entry is not UTF-8');
  return JSON.parse(text) as Entry;
}
