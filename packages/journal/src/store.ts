import { CodedError, equalBytes, type MaybePromise } from '@keepwatch/base';
import { NO_HEAD } from '@keepwatch/wire';

/** A batch as it is stored: the fields of its signed head, and the entries under encryption. */
export interface StoredBatch {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Hash of the head before, 32 bytes; zeros for the first batch. */
  readonly prev: Uint8Array;
  /** Merkle root over the entries, 32 bytes. */
  readonly root: Uint8Array;
  /** Hash of this batch's head, 32 bytes. */
  readonly hash: Uint8Array;
  readonly timeMs: number;
  /** Ed25519 over the head, 64 bytes. */
  readonly signature: Uint8Array;
  /** The data key under which `sealed` was made. */
  readonly keyId: number;
  readonly sealed: Uint8Array;
}

/** A change of the small keyed table beside the batches. Neither space nor key is empty. */
export type RecordWrite =
  | { readonly op: 'put'; readonly space: string; readonly key: string; readonly value: Uint8Array }
  | { readonly op: 'delete'; readonly space: string; readonly key: string };

export interface StoredRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface ListOptions {
  /** Only keys above this one. */
  readonly after?: string;
  readonly limit?: number;
}

/**
 * Where a journal lives: batches in order, and records (wrapped keys, snapshots, the boot table) that change
 * atomically with them. A store sees no plaintext and checks no signature; it keeps order and keeps its word.
 *
 * What fails is a CodedError:
 * - `storage_out_of_order`: the batch does not continue the last one; nothing was written.
 * - `storage_full`: no space; the transaction was rolled back for certain and may be tried again.
 * - `storage_busy`: another process has the store open.
 * - `storage_corrupt`: the file is damaged, or is none of ours.
 * - `storage_failed`: anything else. After a commit its outcome is unknown: the store refuses all further work, and
 *   its user opens it again and looks at `lastBatch()`.
 */
export interface JournalStore {
  /** One atomic, durable transaction: when it returns, all of it survives a loss of power. */
  commit(batches: readonly StoredBatch[], writes: readonly RecordWrite[]): MaybePromise<void>;
  lastBatch(): MaybePromise<StoredBatch | undefined>;
  /** The batch whose last entry is `seq`. */
  batchEndingAt(seq: number): MaybePromise<StoredBatch | undefined>;
  /** The batch that holds `seq`. */
  batchContaining(seq: number): MaybePromise<StoredBatch | undefined>;
  /** Batches in order, from the one that holds `fromSeq` on; those committed meanwhile may or may not be included. */
  batches(fromSeq: number): Iterable<StoredBatch> | AsyncIterable<StoredBatch>;
  get(space: string, key: string): MaybePromise<Uint8Array | undefined>;
  /** Records of a space in the order of their keys' UTF-8 bytes. */
  list(space: string, options?: ListOptions): MaybePromise<readonly StoredRecord[]>;
  count(space: string): MaybePromise<number>;
  close(): MaybePromise<void>;
}

/** What a batch must continue. */
export type ChainEnd = Pick<StoredBatch, 'lastSeq' | 'hash'>;

/** Refuses (`storage_out_of_order`) batches that do not continue `end` and one another. Every adapter asks this first. */
export function requireContinuity(end: ChainEnd | undefined, batches: readonly StoredBatch[]): void {
  let before = end;
  for (const batch of batches) {
    const expected = (before?.lastSeq ?? 0) + 1;
    if (
      batch.firstSeq !== expected ||
      !(batch.lastSeq >= batch.firstSeq) ||
      !equalBytes(batch.prev, before?.hash ?? NO_HEAD)
    ) {
      throw new CodedError('storage_out_of_order', 'A batch does not continue the journal that is stored.', {
        remedy: 'Open the journal again: this process and its store no longer agree.',
        details: { expected, firstSeq: batch.firstSeq, lastSeq: batch.lastSeq },
      });
    }
    before = batch;
  }
}
