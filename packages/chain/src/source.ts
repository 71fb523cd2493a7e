import type { BlockHash, MatchedTx, Network, Outpoint, Received, Spent, Txid, WatchMark } from '@keepwatch/bitcoin';

/**
 * The one port through which the rest of the product sees a chain. Each source (P2P light client, bitcoind, Electrum,
 * Esplora) is an adapter of it, and each passes the same contract suite.
 */

/** A block by height and hash. `timeSeconds` is what its header says (seconds since 1970, chosen by the miner). */
export interface BlockRef {
  readonly height: number;
  readonly hash: BlockHash;
  readonly timeSeconds: number;
}

/** What a scan yields is the scanner’s to say: it is the same wherever a transaction came from. */
export type { MatchedTx, Outpoint, Received, Spent, WatchMark };

/**
 * How much is known of a transaction: `claimed` (a peer says so), `valid` (the inputs that spend our coins were verified
 * here against their script and amount), `relayed` (a node of our own accepted it), `confirmed` (in a block).
 */
export type Grade = 'claimed' | 'valid' | 'relayed' | 'confirmed';

export type ChainEvent =
  /**
   * One block on top of the last. `matches`: what touches the watch set, in block order; mostly empty. `watched`: the watch
   * set for which the block was looked through; what was added later may be missing.
   */
  | {
      readonly kind: 'connected';
      readonly block: BlockRef;
      readonly matches: readonly MatchedTx[];
      readonly watched: WatchMark;
    }
  /**
   * The tip was taken back. `fork`: the block that both branches share. Comes once per block, tip first. Mostly another
   * branch follows; the same block follows where a source was lied to about what it holds, or learnt of it late.
   */
  | { readonly kind: 'disconnected'; readonly block: BlockRef; readonly fork: BlockRef }
  /** Seen unconfirmed, or its grade rose. */
  | { readonly kind: 'sighted'; readonly tx: MatchedTx; readonly grade: Exclude<Grade, 'confirmed'> }
  /** A sighted transaction lost to another one that spends an input of its own. */
  | { readonly kind: 'replaced'; readonly txid: Txid; readonly by: Txid }
  /** A sighted transaction is no longer in the mempool, without a successor that we know. */
  | { readonly kind: 'evicted'; readonly txid: Txid }
  /** The source's own condition changed. */
  | { readonly kind: 'health'; readonly health: Health };

/** `stale`: no block for long. `behind`: a peer or the header chain has more than was delivered. */
export interface Health {
  readonly state: 'starting' | 'syncing' | 'live' | 'stale' | 'behind' | 'down';
  readonly tip: BlockRef | null;
  readonly peers: number;
  /** A stable code and words for people, when something is wrong. */
  readonly problem: { readonly code: string; readonly words: string } | null;
}

/** Where a consumer stands. Events resume behind it; what was disconnected since then is said first. */
export interface Cursor {
  /** The last connected block, and some before it (newest first), so that a fork point can be found. */
  readonly blocks: readonly BlockRef[];
}

/**
 * A coin to be watched. `output`: what it holds, where that is known. A light client needs the script to find a spend in
 * blocks (filters hold scripts, not outpoints), and script and amount to verify a spend that is not yet in one.
 */
export interface WatchedOutpoint extends Outpoint {
  readonly output?: { readonly script: Uint8Array; readonly sats: bigint };
}

/** What is watched. Both lists can grow and shrink while the source runs; they hold for blocks not yet delivered. */
export interface WatchSet {
  addScripts(scripts: Iterable<Uint8Array>): void;
  removeScripts(scripts: Iterable<Uint8Array>): void;
  addOutpoints(outpoints: Iterable<WatchedOutpoint>): void;
  removeOutpoints(outpoints: Iterable<Outpoint>): void;
}

/** The watch set of one source, which knows what it looked for at which time. */
export interface SourceWatch extends WatchSet {
  mark(): WatchMark;
  /**
   * Whether it had to tell of this transaction in a block that it looked through at this mark: whether something that the
   * transaction touches is watched, was watched by then, and can be found by this kind of source. In doubt it says no.
   */
  covers(tx: MatchedTx, watched: WatchMark): boolean;
}

export interface ScanRequest {
  readonly scripts: readonly Uint8Array[];
  readonly outpoints?: readonly WatchedOutpoint[];
  readonly from: number;
  /** Inclusive; null: up to the tip. */
  readonly to: number | null;
}

/** Progress of a scan of past blocks. `done` and `total` are blocks; `etaSeconds` is null while it is unknown. */
export type ScanEvent =
  | { readonly kind: 'match'; readonly block: BlockRef; readonly matches: readonly MatchedTx[] }
  | {
      readonly kind: 'progress';
      readonly height: number;
      readonly done: number;
      readonly total: number;
      readonly perSecond: number;
      readonly etaSeconds: number | null;
    };

/** What became of a broadcast. `unknown`: an I/O error, a time-out: it may have gone out; try again, never give up on it. */
export type BroadcastResult =
  | { readonly kind: 'accepted'; readonly heardBack: boolean }
  | { readonly kind: 'already-known'; readonly confirmed: boolean }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * What a source says of the bytes of a transaction. `unknown`: it has none of this id where it can look; `failed`: it could
 * not be asked; `lied`: what it sent cannot be an answer. `why` is a clause for people.
 */
export type TransactionAnswer =
  | { readonly kind: 'found'; readonly raw: Uint8Array }
  | { readonly kind: 'unknown' | 'failed' | 'lied'; readonly why: string };

/** sat/vB that should confirm within so many blocks; null where the source cannot tell. */
export interface FeerateEstimate {
  readonly targetBlocks: number;
  readonly satPerVbyte: number | null;
}

export interface ChainSource {
  /** Unique in a configuration; events of a quorum carry it. */
  readonly name: string;
  readonly kind: 'p2p' | 'bitcoind' | 'electrum' | 'esplora';
  /** `whole`: it can say what its mempool holds. `relayed`: it hears of what comes while it listens, and of nothing before. */
  readonly mempool: 'whole' | 'relayed';
  readonly network: Network;
  readonly watch: SourceWatch;
  /**
   * Runs until the signal aborts, reconnecting by itself. Events come in order, each once for a given cursor. Without a
   * cursor the first block told is the tip of that moment. One run at a time.
   */
  events(from: Cursor | null, signal: AbortSignal): AsyncIterable<ChainEvent>;
  /**
   * Scans past blocks for scripts and the coins that they receive on the way, while `events` goes on. Throws
   * `scan_reorganised` where blocks that were looked at left the chain meanwhile: go on from some blocks before.
   */
  scan(request: ScanRequest, signal: AbortSignal): AsyncIterable<ScanEvent>;
  /**
   * Where a scan has to begin that must not miss what was made at this time or later (seconds since 1970): the first
   * block whose median time past (BIP113) is not more than two hours before it, for so wrong may a miner's clock be.
   */
  heightAt(timeSeconds: number, signal: AbortSignal): Promise<number>;
  /** One transaction, or a package (parents first, BIP331 / `submitpackage`). */
  broadcast(transactions: readonly Uint8Array[]): Promise<BroadcastResult>;
  feerates(targets: readonly number[]): Promise<readonly FeerateEstimate[]>;
  /**
   * The bytes that it has of a transaction, by the id alone. They are not checked here: `fetchTransaction` of a quorum does
   * that. A server learns by the question that this transaction is of interest.
   */
  readonly transaction: (txid: Txid) => Promise<TransactionAnswer>;
  health(): Health;
  close(): Promise<void>;
}
