import type { BlockHash, MatchedTx, Txid } from '@keepwatch/bitcoin';

/**
 * What the watch is told of a chain, in the order in which it is told. A chain source, or a quorum of them, speaks these
 * words already; the watch knows neither, so that it can be driven by anything that tells the same story.
 */

/** A block by height and hash. `timeSeconds` is what its header says (seconds since 1970, chosen by the miner). */
export interface BlockRef {
  readonly height: number;
  readonly hash: BlockHash;
  readonly timeSeconds: number;
}

/**
 * How much is known of a transaction: `claimed` (a peer says so: no fact), `valid` (the inputs that spend our coins were
 * verified), `relayed` (a node of the owner's accepted it), `confirmed` (in a block).
 */
export type Grade = 'claimed' | 'valid' | 'relayed' | 'confirmed';

/** `seenBy`: names of the sources that say so. */
export type ChainInput =
  | {
      readonly kind: 'connected';
      readonly block: BlockRef;
      readonly matches: readonly MatchedTx[];
      readonly seenBy: readonly string[];
    }
  /** The tip was taken back, one block at a time. */
  | {
      readonly kind: 'disconnected';
      readonly block: BlockRef;
      readonly fork: BlockRef;
      readonly seenBy: readonly string[];
    }
  | {
      readonly kind: 'sighted';
      readonly tx: MatchedTx;
      readonly grade: Exclude<Grade, 'confirmed'>;
      readonly seenBy: readonly string[];
    }
  | { readonly kind: 'replaced'; readonly txid: Txid; readonly by: Txid; readonly seenBy: readonly string[] }
  | { readonly kind: 'evicted'; readonly txid: Txid; readonly seenBy: readonly string[] }
  /** More is known of a block that was told already. */
  | {
      readonly kind: 'supplement';
      readonly block: BlockRef;
      readonly matches: readonly MatchedTx[];
      readonly seenBy: readonly string[];
    }
  /**
   * What one look into the past found for these wallets, in the order of the chain. `scan`: the number of the scan that was
   * asked for (`dueScans`); `toHeight`: how far it is; `done`: it is through. It goes up to the source's own tip.
   */
  | {
      readonly kind: 'history';
      readonly scans: readonly { readonly wallet: string; readonly scan: number }[];
      readonly found: readonly { readonly block: BlockRef; readonly matches: readonly MatchedTx[] }[];
      readonly toHeight: number;
      readonly done: boolean;
    }
  /**
   * The condition of one source, in its own words. `mempool`: `whole`, where it has told all that its mempool holds of ours
   * by the time that it is live; `relayed`, where it tells what it hears of and cannot say what there is.
   */
  | {
      readonly kind: 'source';
      readonly source: string;
      readonly mempool: 'whole' | 'relayed';
      readonly state: 'starting' | 'syncing' | 'live' | 'stale' | 'behind' | 'down';
      readonly peers: number;
      readonly problem: { readonly code: string; readonly words: string } | null;
    }
  /** Sources differ about something (`about` names it), or no longer do. */
  | {
      readonly kind: 'disagreement';
      readonly about: string;
      readonly over: boolean;
      readonly seenBy: readonly string[];
      readonly others: readonly string[];
    }
  /** Whether enough sources speak to be believed. */
  | { readonly kind: 'quorum'; readonly able: boolean }
  /** Time passes; told every few seconds. */
  | { readonly kind: 'tick' };
