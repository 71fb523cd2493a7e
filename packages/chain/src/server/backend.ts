import type { HeaderErrorCode, Txid } from '@keepwatch/bitcoin';

/**
 * What a server that indexes the chain by script is asked for, in whatever protocol it speaks. Nothing that comes back is
 * believed: `source.ts` checks headers by their work, transactions by their id, and confirmations by a merkle proof.
 * Every call may throw `ServerFault`.
 */
export interface ServerBackend {
  /** Connects, and calls `changed` whenever the server says that something may be new. */
  open(changed: () => void, signal: AbortSignal): Promise<ServerSession>;
  /** How long to wait for `changed` before asking again all the same, in ms. */
  readonly pollMs: number;
}

export interface ServerSession {
  /** The height of the server's best chain. */
  tipHeight(): Promise<number>;
  /** Up to `count` headers of its best chain from `start` on, 80 bytes each; at least one where there is one. */
  headers(start: number, count: number): Promise<Uint8Array>;
  /** All transactions that touch the script. `height` is 0 or less for those in no block. */
  history(script: Uint8Array): Promise<readonly HistoryItem[]>;
  /** Whether the history of the script may have changed since it was last asked for. */
  stale(script: Uint8Array): boolean;
  /** The whole serialisation; `undefined` where the server does not know it (any more). */
  transaction(txid: Txid): Promise<Uint8Array | undefined>;
  /** The way from the transaction to the merkle root of the block at this height; hashes in display order. */
  merkleProof(txid: Txid, height: number): Promise<ServerProof>;
  /** The first transaction of the block at this height, and its way to the root. */
  coinbase(height: number, blockHash: string): Promise<{ readonly txid: Txid; readonly branch: readonly string[] }>;
  broadcast(transactions: readonly string[]): Promise<ServerBroadcast>;
  /** sat per 1000 vB; null where the server cannot tell. */
  feerates(targets: readonly number[]): Promise<readonly (number | null)[]>;
  close(): void;
}

export interface HistoryItem {
  readonly txid: Txid;
  readonly height: number;
}

export interface ServerProof {
  readonly position: number;
  readonly branch: readonly string[];
}

export type ServerBroadcast = { readonly kind: 'taken' } | { readonly kind: 'refused'; readonly reason: string };

export type ServerFaultCode =
  | 'server_unreachable'
  | 'server_connection_lost'
  | 'server_silent'
  | 'server_busy'
  /** Its chain changed while it was being asked, or it forgot what it said a moment ago. */
  | 'server_moved_on'
  | 'server_behind'
  | 'server_history_too_long'
  | 'server_malformed'
  | 'server_answer_too_large'
  | 'server_certificate_missing'
  | 'server_certificate_changed'
  | 'server_other_chain'
  | 'server_wrong_transaction'
  | 'server_false_proof'
  | HeaderErrorCode;

/** `transient`: try again; `lied`: what the server said was checked and is false. */
export class ServerFault extends Error {
  readonly code: ServerFaultCode;
  readonly kind: 'transient' | 'lied';

  constructor(kind: 'transient' | 'lied', code: ServerFaultCode, words: string, cause?: unknown) {
    super(words, cause === undefined ? undefined : { cause });
    this.name = 'ServerFault';
    this.code = code;
    this.kind = kind;
  }
}

const TXID = /^[0-9a-f]{64}$/;

/** A transaction id as a server wrote it. */
export function readTxid(value: unknown): Txid {
  if (typeof value !== 'string' || !TXID.test(value)) malformed('a transaction id');
  return value as Txid;
}

/** Hex of at most `maxBytes`. */
export function readHex(value: unknown, maxBytes: number, what: string): string {
  if (typeof value !== 'string' || value.length > maxBytes * 2 || !/^([0-9a-f]{2})*$/i.test(value)) malformed(what);
  return value as string;
}

export function readInteger(value: unknown, min: number, max: number, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) malformed(what);
  return value as number;
}

export function malformed(what: string): never {
  throw new ServerFault('lied', 'server_malformed', `The server sent something that is not ${what}.`);
}

/** The largest transaction that a block can hold, in bytes. */
export const MAX_TRANSACTION_BYTES = 4_000_000;
/** The highest block that is worth a thought: some thousand years of blocks. */
export const MAX_HEIGHT = 0x0fff_ffff;
