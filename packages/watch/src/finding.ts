import type { Outpoint, Txid } from '@keepwatch/bitcoin';
import type { BlockRef, Grade } from './chain-input.ts';
import type { EvmFindingDetail } from './evm/detail.ts';
import type { EvmBlockRef, Hash32 } from './evm/spend.ts';
import type { VaultFindingDetail } from './vault/detail.ts';

/**
 * A finding: something that happened to what is watched, or to the watch itself, worth keeping and perhaps telling. The
 * set is closed, documented and versioned: who reads an old journal knows what each word meant.
 *
 * A finding exists once it is durable. It is never changed: what a reorganisation undoes is said by a `disconnected`
 * finding that names what it `retracts`.
 */
export const FINDING_VERSION = 1;

/** How much it matters unless a rule says otherwise; what matters least comes first. */
export const SEVERITIES = ['info', 'notice', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Negative where `a` matters less than `b`, positive where it matters more. */
export function compareSeverity(a: Severity, b: Severity): number {
  return SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b);
}

export interface Evidence {
  readonly txid?: Txid;
  readonly block?: BlockRef;
  readonly grade?: Grade;
  /** Of what happened on an EVM chain. */
  readonly evm?: EvmEvidence;
  /** Names of the sources that said so when the finding was made. */
  readonly seenBy: readonly string[];
}

export interface EvmEvidence {
  readonly chainId: bigint;
  readonly txHash?: Hash32;
  readonly block?: EvmBlockRef;
}

/**
 * What a transaction does to one wallet. Amounts are satoshis, as decimal strings in JSON. `amends`: id of an earlier
 * finding of the same transaction, made when less of it was known: this one takes its place.
 */
export interface Movement {
  readonly txid: Txid;
  readonly amends?: string;
  /** What our scripts receive, and what of our coins is spent. */
  readonly receivedSats: bigint;
  readonly spentSats: bigint;
  readonly received: readonly (Outpoint & { readonly address: string | null; readonly sats: bigint })[];
  readonly spent: readonly (Outpoint & { readonly sats: bigint | null })[];
}

/** A coin behind a time lock: what is left of it, in blocks or in seconds of the chain's time, and when it opens. */
interface LockedCoin {
  readonly outpoint: Outpoint;
  readonly opensAtHeight?: number;
  readonly blocksLeft?: number;
  readonly opensAtSeconds?: number;
  readonly secondsLeft?: number;
  readonly sats: bigint;
}

export type FindingDetail =
  /** First seen outside a block, or its grade rose. `claimed` is never a fact: it says that somebody says so. */
  | ({ readonly kind: 'sighted'; readonly direction: Direction; readonly grade: Grade } & Movement)
  | { readonly kind: 'replaced'; readonly txid: Txid; readonly by: Txid }
  | { readonly kind: 'evicted'; readonly txid: Txid }
  /** A coin of ours is spent by two transactions that cannot both stand, and the later one does more than raise the fee; once a pair. */
  | { readonly kind: 'double-spend'; readonly txid: Txid; readonly other: Txid; readonly outpoint: Outpoint }
  /** In a block. `watched`: see {@link Direction}. `self-transfer`: it spends coins of the wallet and pays nobody else. */
  | ({ readonly kind: Direction } & Movement)
  /** So many blocks deep: each depth of the configuration once; the last one is `buried`. */
  | { readonly kind: 'confirmed'; readonly txid: Txid; readonly depth: number; readonly buried: boolean }
  /** A block that held the transaction left the chain. `retracts`: ids of the findings that no longer hold. */
  | { readonly kind: 'disconnected'; readonly txid: Txid; readonly retracts: readonly string[] }
  | { readonly kind: 'large-amount'; readonly txid: Txid; readonly sats: bigint; readonly limitSats: bigint }
  | { readonly kind: 'balance-above' | 'balance-below'; readonly sats: bigint; readonly limitSats: bigint }
  /** Somebody sends next to nothing, mostly to link addresses. */
  | { readonly kind: 'dust'; readonly txid: Txid; readonly outpoint: Outpoint; readonly sats: bigint }
  | { readonly kind: 'address-reuse'; readonly txid: Txid; readonly address: string }
  /**
   * A coin can soon be spent by another path of its script (a recovery path), or now. Either the first block that may hold
   * such a spend, or the median time past (BIP113) from which on the next block may.
   */
  | ({ readonly kind: 'timelock-expiry' } & LockedCoin)
  /**
   * A coin has left a vault for a place where it waits for a time lock, which is what is left to answer. In no block yet a
   * relative lock has not begun: all of it is left, and when it opens is not known.
   */
  | ({ readonly kind: 'unvault-started' } & LockedCoin)
  /** Whole sat/vB, rounded up. */
  | { readonly kind: 'feerate-spike'; readonly satPerVbyte: number; readonly limit: number }
  /** No block for long; `lastBlock` is the tip. */
  | { readonly kind: 'tip-stalled'; readonly lastBlock: BlockRef; readonly forSeconds: number; readonly over: boolean }
  /** Blocks come, but within `inSeconds` far fewer of them than by the network's schedule; `lastBlock` is the tip. */
  | {
      readonly kind: 'tip-slow';
      readonly lastBlock: BlockRef;
      readonly blocks: number;
      readonly dueBlocks: number;
      readonly inSeconds: number;
      readonly over: boolean;
    }
  | {
      readonly kind: 'source-down' | 'source-behind';
      readonly source: string;
      readonly words: string;
      readonly over: boolean;
    }
  | {
      readonly kind: 'sources-disagree';
      readonly about: string;
      readonly others: readonly string[];
      readonly over: boolean;
    }
  | { readonly kind: 'quorum-lost'; readonly over: boolean }
  | { readonly kind: 'disk-low'; readonly freeBytes: number; readonly over: boolean }
  | { readonly kind: 'clock-skew'; readonly skewSeconds: number; readonly over: boolean }
  /** The monitor was started again; what came meanwhile is told as late. `downSeconds`: since its last sign of life. */
  | { readonly kind: 'restarted'; readonly downSeconds: number; readonly fromHeight: number }
  | { readonly kind: 'gap-filled'; readonly fromHeight: number; readonly toHeight: number }
  /** History of a wallet was read: so many transactions of the time before it was watched are known now. */
  | { readonly kind: 'backfilled'; readonly toHeight: number; readonly transactions: number }
  /** A channel cannot deliver, or can again. */
  | { readonly kind: 'channel-dead'; readonly channel: string; readonly words: string; readonly over: boolean }
  | EvmFindingDetail
  | VaultFindingDetail;

/** `watched`: it moves nothing of the wallet, which watches it by its id. */
export type Direction = 'received' | 'spent' | 'self-transfer' | 'watched';
export type FindingKind = FindingDetail['kind'];

export interface Finding {
  readonly version: typeof FINDING_VERSION;
  /** Stable: made of what happened, so that the same happening never has two. */
  readonly id: string;
  /** Id of the wallet that it concerns; null for the watch itself. */
  readonly wallet: string | null;
  readonly severity: Severity;
  /** When the monitor learnt of it (ms since 1970). */
  readonly atMs: number;
  /** Learnt while catching up after the monitor was down, or of a block that was told already. */
  readonly late: boolean;
  readonly evidence: Evidence;
  readonly detail: FindingDetail;
}
