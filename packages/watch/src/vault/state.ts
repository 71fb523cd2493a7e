import type { Json } from '@keepwatch/base';
import type { Address } from '@keepwatch/evm';
import type { EvmSpend } from '../evm/spend.ts';
import type { KeySet } from '../key-set.ts';
import { layered, type Layer } from '../layer.ts';
import type { HeldRight, Holder } from './rights.ts';
import type { SignedDelegation } from './signed.ts';

/** What is known of the vaults and of the spends that are compared with their receipts: the fold of the room's events. */
export interface VaultState {
  readonly vaults: Layer<string, VaultRecord>;
  /** By `walletKey`. */
  readonly wallets: Layer<string, VaultWallet>;
  /** By address: the `walletKey`s of who has its key. */
  readonly owners: Layer<Address, readonly string[]>;
  /** By `walletKey`: how many permits are known, and the last one. What they said stands in what follows. */
  readonly permits: Layer<string, { readonly count: number; readonly last: number }>;
  /** Transactions that were signed, by nonce: see `signed.ts`. */
  readonly signed: Layer<string, string>;
  /** By `chainKey`: authorisations (EIP-7702) that were signed. */
  readonly delegations: Layer<string, readonly SignedDelegation[]>;
  /** By `chainKey`: the last permits that could not be read. */
  readonly unread: Layer<string, readonly number[]>;
  /** Rights that were given away, by holder and piece: see `rights.ts`. */
  readonly rights: Layer<string, readonly HeldRight[]>;
  readonly holders: Layer<string, Holder>;
  /** Holders of rights that end, and have not. */
  readonly ending: Layer<string, true>;
  /** By token and piece: who was given rights to it. */
  readonly holdersOf: Layer<string, readonly Address[]>;
  /** By the id of the record, see `spendKey`: while it can be taken back, or nothing was concluded. */
  readonly spends: Layer<string, SpendRecord>;
  /** By `accountKey`: spends on which all was said for good. What is reported of them again is no news. */
  readonly settled: Layer<string, KeySet>;
  /** By `sightingKey`: what a spend that can be taken back took of rights, however many watched wallets report it. */
  readonly taken: Layer<string, { readonly used: readonly UsedRight[]; readonly records: number }>;
  /** By chain: the time of the block at which was settled last, ms. */
  readonly swept: Layer<string, number>;
  /** By `earlierKey`: spends of before the vault had the key. */
  readonly earlier: Layer<string, EarlierSpends>;
  /** Of each spend that was told: the record that it belongs to. */
  readonly members: Layer<string, string>;
  /** Records on which nothing was concluded yet. */
  readonly open: Layer<string, true>;
  /** By `waitingKey`: nonces for which a transaction was signed, and none is in a block. */
  readonly waiting: Layer<string, WaitingNonce>;
  /** How many spends were told. A question that was asked when it was at n was asked after the n-th spend. */
  order: number;
  /** Numbers of conditions: each is given once. */
  counter: number;
}

export interface VaultRecord {
  readonly vault: string;
  /** How far its journal is known, as the follower wrote it down. */
  readonly place: Json;
  readonly phase: 'unknown' | 'uninitialised' | 'sealed' | 'unsealed';
  /** The last entry of its journal when it answered last. */
  readonly lastSeq: number;
  /** Since when it does not answer, ms; null: it does. */
  readonly downSinceMs: number | null;
  readonly words: string;
  /** What was signed and is in no block so long after is told, ms; null: never. */
  readonly unseenMs: number | null;
  /** What it said when it was sealed and answered last; null: it was not sealed then. */
  readonly seal: VaultSeal | null;
  /** Histories that operators gave up for a backup: what was signed in them, nobody knows. */
  readonly lost: readonly LostHistory[];
  /** What is wrong at present and was told, by kind, with the number that its findings carry. */
  readonly conditions: Readonly<Record<string, number>>;
}

/** A history that was given up: from the last entry that the next one took over, to the beginning of the next one, ms. */
export interface LostHistory {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A sealed vault signs nothing until an operator unseals it. */
export interface VaultSeal {
  /** The last entry of its journal. */
  readonly seq: number;
  /** When it was heard, ms. */
  readonly atMs: number;
  /** Its wallets of which every permit up to that entry is known. */
  readonly wallets: readonly string[];
}

/** Transactions of a vault for one nonce of an account. */
export interface WaitingNonce {
  readonly vault: string;
  readonly wallet: string;
  readonly chainId: bigint;
  readonly nonce: bigint;
  /** The last one that was permitted. */
  readonly permit: number;
  readonly grant: string;
  readonly dueMs: number;
  /** The number of what was told of it; null: nothing yet. */
  readonly told: number | null;
}

export interface VaultWallet {
  readonly vault: string;
  /** The vault's id of it. */
  readonly wallet: string;
  readonly address: Address;
  /** Since when the vault has the key, by the vault's clock. What was spent before is not its business. */
  readonly createdMs: number;
  /** Whether what the monitor had seen leave the account before it knew that the vault has the key was looked through. */
  readonly isPastRead: boolean;
}

export interface SpendRecord {
  readonly key: string;
  readonly order: number;
  /** One transaction of the wallet may spend in several ways: the first stands for all. */
  readonly spend: EvmSpend;
  readonly members: readonly string[];
  readonly sinceMs: number;
  readonly verdict: Verdict;
  /** It was read of the past: nothing is told of it but what the vault did not sign. */
  readonly past: boolean;
  /** The finding that holds at present. */
  readonly told: string | null;
  /** Vaults of which every permit was known when they were asked after the spend. */
  readonly cleared: readonly { readonly vault: string; readonly seq: number; readonly sealed: boolean }[];
  /** The rights that it used: what is left of them is less by so much. */
  readonly used: readonly UsedRight[];
}

/** `open` and `silent`: nothing was concluded yet. */
export type Verdict = 'open' | 'silent' | 'signed' | 'unsigned' | 'unclear';

export interface UsedRight {
  readonly wallet: string;
  readonly permit: number;
  readonly right: number;
  /** Null: the whole spend; so it was written before a spend could use several rights. */
  readonly amount: bigint | null;
  /** Whose right it is, and the piece of his rights that has it. Null: journals of before do not say. */
  readonly to: Address | null;
  readonly piece: number | null;
}

/** Spends of an account from before a vault had its key, which says nothing of who signed them. */
export interface EarlierSpends {
  /** Of the monitor, and `walletKey`. */
  readonly watched: string;
  readonly wallet: string;
  readonly chainId: bigint;
  readonly count: number;
  /** How many of them were told. */
  readonly told: number;
}

/** Unless the owner says otherwise: a transaction that nobody needs within a day was not meant to be. */
export const UNSEEN_MS = 86_400_000;

export const walletKey = (vault: string, wallet: string) => `${vault}/${wallet}`;

/** `wallet`: its `walletKey`. */
export const chainKey = (wallet: string, chainId: bigint) => `${wallet}/${chainId}`;

export const waitingKey = (wallet: string, chainId: bigint, nonce: bigint) => `${wallet}/${chainId}/${nonce}`;

export const earlierKey = (watched: string, wallet: string, chainId: bigint) => `${watched}/${wallet}/${chainId}`;

/** All ways in which one transaction of the wallet spends are one question. */
export function spendKey(id: string, { how, wallet, txHash, block }: EvmSpend): string {
  return how === 'transaction' && txHash !== null ? `${wallet}:${txHash}@${block?.hash ?? 'none'}` : id;
}

export const isOpen = ({ verdict }: SpendRecord) => verdict === 'open' || verdict === 'silent';

export function createVaultState(): VaultState {
  return {
    ...{ vaults: new Map(), wallets: new Map(), owners: new Map(), permits: new Map(), signed: new Map() },
    ...{
      delegations: new Map(),
      unread: new Map(),
      rights: new Map(),
      holders: new Map(),
      ending: new Map(),
      holdersOf: new Map(),
    },
    ...{ spends: new Map(), settled: new Map(), taken: new Map(), swept: new Map(), earlier: new Map() },
    ...{ members: new Map(), open: new Map(), waiting: new Map(), order: 0, counter: 0 },
  };
}

/** Takes all changes of a step itself. */
export function vaultDraftOf(state: VaultState): VaultState {
  const { order, counter } = state;
  return {
    ...{ vaults: layered(state.vaults), wallets: layered(state.wallets), owners: layered(state.owners) },
    ...{ permits: layered(state.permits), signed: layered(state.signed), delegations: layered(state.delegations) },
    ...{
      unread: layered(state.unread),
      rights: layered(state.rights),
      holders: layered(state.holders),
      ending: layered(state.ending),
    },
    ...{ holdersOf: layered(state.holdersOf), spends: layered(state.spends), settled: layered(state.settled) },
    ...{ taken: layered(state.taken), swept: layered(state.swept), earlier: layered(state.earlier) },
    ...{ members: layered(state.members), open: layered(state.open), waiting: layered(state.waiting), order, counter },
  };
}
