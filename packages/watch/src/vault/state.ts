import type { Json } from '@keepwatch/base';
import type { Address } from '@keepwatch/evm';
import type { EvmSpend } from '../evm/spend.ts';
import { layered, type Layer } from '../layer.ts';
import type { VaultPermit } from './permit.ts';

/** What is known of the vaults and of the spends that are compared with their receipts: the fold of the room's events. */
export interface VaultState {
  readonly vaults: Layer<string, VaultRecord>;
  /** By `walletKey`. */
  readonly wallets: Layer<string, VaultWallet>;
  /** By address: the `walletKey`s of who has its key. */
  readonly owners: Layer<Address, readonly string[]>;
  /** By `walletKey`: in the order of the journal. */
  readonly permits: Layer<string, readonly VaultPermit[]>;
  /** By the id of the record: see `spendKey`. */
  readonly spends: Layer<string, SpendRecord>;
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
  /** What is wrong at present and was told, by kind, with the number that its findings carry. */
  readonly conditions: Readonly<Record<string, number>>;
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
}

export interface SpendRecord {
  readonly key: string;
  readonly order: number;
  /** One transaction of the wallet may spend in several ways: the first stands for all. */
  readonly spend: EvmSpend;
  readonly members: readonly string[];
  readonly sinceMs: number;
  readonly verdict: Verdict;
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
}

/** Unless the owner says otherwise: a transaction that nobody needs within a day was not meant to be. */
export const UNSEEN_MS = 86_400_000;

export const walletKey = (vault: string, wallet: string) => `${vault}/${wallet}`;

export const waitingKey = (wallet: string, chainId: bigint, nonce: bigint) => `${wallet}/${chainId}/${nonce}`;

/** All ways in which one transaction of the wallet spends are one question. */
export function spendKey(id: string, { how, wallet, txHash, block }: EvmSpend): string {
  return how === 'transaction' && txHash !== null ? `${wallet}:${txHash}@${block?.hash ?? 'none'}` : id;
}

export function createVaultState(): VaultState {
  return {
    ...{ vaults: new Map(), wallets: new Map(), owners: new Map(), permits: new Map() },
    ...{ spends: new Map(), members: new Map(), open: new Map(), waiting: new Map(), order: 0, counter: 0 },
  };
}

/** Takes all changes of a step itself. */
export function vaultDraftOf(state: VaultState): VaultState {
  const { vaults, wallets, owners, permits, spends, members, open, waiting, order, counter } = state;
  return {
    ...{ vaults: layered(vaults), wallets: layered(wallets), owners: layered(owners), permits: layered(permits) },
    ...{
      spends: layered(spends),
      members: layered(members),
      open: layered(open),
      waiting: layered(waiting),
      order,
      counter,
    },
  };
}
