import { equalBytes, err, ok, type MaybePromise, type Result, type Sha256 } from '@keepwatch/base';
import {
  createMerkleTree,
  encodeHead,
  headHash,
  headLinkFault,
  isHead,
  NO_HEAD,
  type Head,
  type HeadLink,
  type Receipt,
  type SignedHead,
} from '@keepwatch/wire';
import { createBatchCodec, type BatchCodec, type EntryCipher, type OpenBatch } from './batch-codec.ts';
import { fault, linkFault, type JournalFault } from './fault.ts';
import { whenReady } from './maybe-promise.ts';
import { createSnapshots, type Snapshot } from './snapshots.ts';
import type { JournalStore, RecordWrite, StoredBatch } from './store.ts';
import { verifyJournal, type JournalEntry, type Verified, type VerifyOptions } from './verify.ts';

export interface JournalDeps {
  readonly store: JournalStore;
  readonly sha256: Sha256;
  /** Ed25519 by the receipt key, 64 bytes. */
  readonly signHead: (bytes: Uint8Array) => Uint8Array;
  readonly cipher: EntryCipher;
}

export interface JournalOptions {
  /** Identity of the journal's owner: base64url of 32 bytes. */
  readonly vault: string;
  /** Bytes of a snapshot that are written in one transaction; 1 MiB unless said otherwise. */
  readonly snapshotChunkBytes?: number;
}

/** What an append gave. It is durable. */
export interface Appended {
  readonly head: SignedHead;
  /** The number of the batch's i-th entry. */
  seqOf(i: number): number;
  receipt(i: number): Receipt;
}

/**
 * An append-only, hash-chained, encrypted log of opaque entries. Where the store is synchronous, so is every method
 * that does not say `Promise`.
 */
export interface Journal {
  head(): SignedHead | undefined;
  /** The epoch of the next batch. */
  epoch(): number;
  /** Later batches belong to this higher epoch; it becomes durable with the first of them. The chain goes on. */
  startEpoch(epoch: number): void;
  /**
   * Appends the entries as one batch under one signed head, together with the record writes: all or nothing, durable.
   * Entries carry their own random salt and stay unchanged afterwards, for receipts are made of them when asked for.
   * `timeMs` never goes behind the last head. One append at a time.
   * What fails is the store's (codes: see `JournalStore`), and then nothing changed here; after `storage_failed` open
   * the journal anew.
   */
  append(entries: readonly Uint8Array[], writes: readonly RecordWrite[], timeMs: number): MaybePromise<Appended>;
  /** The receipt of an entry that was appended at any time. */
  receiptFor(seq: number): MaybePromise<Result<Receipt, JournalFault>>;
  /**
   * Up to `limit` entries from `fromSeq` on. They decrypt in their place, match the Merkle roots of their heads, and
   * the heads are linked; signatures are left to `verify`.
   */
  read(fromSeq: number, limit: number): Promise<Result<readonly JournalEntry[], JournalFault>>;
  /** Checks everything from the first entry to the present head. */
  verify(options: VerifyOptions): Promise<Result<Verified, JournalFault>>;
  /**
   * Stores the state folded up to the present head; the one before it is kept as well. The parts of its bytes are asked for
   * one after another, while other work goes on: they must be those of now whenever that is.
   */
  saveSnapshot(foldVersion: number, parts: Iterable<Uint8Array>): Promise<void>;
  /** The newest whole snapshot of this fold version that belongs to this chain; damaged ones are passed over. */
  latestSnapshot(foldVersion: number): Promise<Snapshot | undefined>;
}

const SNAPSHOT_CHUNK_BYTES = 1 << 20;

/** Opens the journal in the store, or begins one. A fault: the last head in the store is not this vault's or is damaged. */
export function createJournal(deps: JournalDeps, options: JournalOptions): MaybePromise<Result<Journal, JournalFault>> {
  const codec = createBatchCodec({ ...deps, vault: options.vault });
  return whenReady(deps.store.lastBatch(), (last) => {
    const head = last && codec.headOf(last);
    if (head !== undefined && !(isHead(head) && equalBytes(headHash(deps.sha256, head), last!.hash))) {
      const words = `The last head, over ${head.firstSeq} to ${head.lastSeq}, is damaged or of another vault.`;
      return err(fault('journal_chain_broken', head.firstSeq, words));
    }
    return ok(openJournal(deps, options, codec, head));
  });
}

function openJournal(
  deps: JournalDeps,
  options: JournalOptions,
  codec: BatchCodec,
  last: SignedHead | undefined,
): Journal {
  const { store, sha256, cipher } = deps;
  const { vault } = options;
  const snapshots = createSnapshots({ ...deps, vault, codec }, options.snapshotChunkBytes ?? SNAPSHOT_CHUNK_BYTES);

  let head = last;
  let hash = head === undefined ? NO_HEAD : headHash(sha256, head);
  let epoch = head?.epoch ?? 1;
  let appending = false;
  /** The batch that receipts were last asked of: who follows a wallet asks for all of them, one after another. */
  let proved: (OpenBatch & { readonly head: SignedHead }) | undefined;

  function append(entries: readonly Uint8Array[], writes: readonly RecordWrite[], timeMs: number) {
    if (appending) throw new Error('an append began before the last one ended');
    if (timeMs < (head?.timeMs ?? 0)) throw new RangeError('a batch is older than the one before');
    const tree = createMerkleTree(sha256, entries);
    const firstSeq = (head?.lastSeq ?? 0) + 1;
    const lastSeq = firstSeq + entries.length - 1;
    const next: Head = { version: 1, vault, epoch, firstSeq, lastSeq, root: tree.root, prev: hash, timeMs };
    const encoded = encodeHead(next);
    const signed: SignedHead = { ...next, signature: deps.signHead(encoded) };
    const nextHash = sha256(encoded);
    const keyId = cipher.currentKey();
    const batch: StoredBatch = {
      ...{ epoch, firstSeq, lastSeq, prev: hash, root: tree.root, hash: nextHash, timeMs },
      ...{ signature: signed.signature, keyId, sealed: codec.seal(keyId, next, entries) },
    };
    const committed = (): Appended => {
      head = signed;
      hash = nextHash;
      return {
        head: signed,
        seqOf: (i) => firstSeq + i,
        receipt: (i) => ({ entry: entries[i]!, seq: firstSeq + i, index: i, path: tree.path(i), head: signed }),
      };
    };
    const done = store.commit([batch], writes);
    if (!(done instanceof Promise)) return committed();
    appending = true;
    return done.then(committed).finally(() => {
      appending = false;
    });
  }

  function receiptFrom({ entries, tree, head: over }: NonNullable<typeof proved>, seq: number): Receipt {
    const index = seq - over.firstSeq;
    return { entry: entries[index]!, seq, index, path: tree.path(index), head: over };
  }

  async function read(fromSeq: number, limit: number): Promise<Result<readonly JournalEntry[], JournalFault>> {
    const until = Math.min(fromSeq + limit - 1, head?.lastSeq ?? 0);
    const entries: JournalEntry[] = [];
    let before: HeadLink | undefined;
    let next = fromSeq;
    for await (const batch of store.batches(fromSeq)) {
      if (next > until) break;
      const { firstSeq } = batch;
      if (firstSeq > next) return err(linkFault('head_gap', next, batch));
      if (before === undefined && firstSeq > 1) {
        before = linkOf(await store.batchEndingAt(firstSeq - 1));
        if (before === undefined) return err(linkFault('head_link_broken', firstSeq, batch));
      }
      const broken = headLinkFault(before, codec.headOf(batch));
      if (broken !== undefined) return err(linkFault(broken, (before?.lastSeq ?? 0) + 1, batch));
      before = linkOf(batch);
      if (before === undefined) return err(linkFault('head_link_broken', firstSeq, batch));
      const opened = codec.open(batch);
      if (!opened.ok) return opened;
      for (; next <= Math.min(batch.lastSeq, until); next++) {
        entries.push({ seq: next, bytes: opened.value.entries[next - firstSeq]!, timeMs: batch.timeMs });
      }
    }
    if (next <= until) return err(fault('journal_gap', next, `Entries ${next} to ${until} are missing.`));
    return ok(entries);
  }

  /** The link as its fields give it: the stored hash is not believed. */
  function linkOf(batch: StoredBatch | undefined): HeadLink | undefined {
    const found = batch && codec.headOf(batch);
    return found && isHead(found) ? { ...found, hash: headHash(sha256, found) } : undefined;
  }

  return {
    head: () => head,
    epoch: () => epoch,
    startEpoch(next) {
      if (!Number.isSafeInteger(next) || next <= epoch) throw new RangeError('an epoch only rises');
      epoch = next;
    },
    append,
    receiptFor(seq) {
      if (proved && seq >= proved.head.firstSeq && seq <= proved.head.lastSeq) return ok(receiptFrom(proved, seq));
      return whenReady(store.batchContaining(seq), (batch) => {
        if (batch === undefined) return err(fault('journal_entry_unknown', seq, `There is no entry ${seq}.`));
        const opened = codec.open(batch);
        if (!opened.ok) return opened;
        proved = { ...opened.value, head: codec.headOf(batch) };
        return ok(receiptFrom(proved, seq));
      });
    },
    read,
    verify: (verifyOptions) => verifyJournal({ store, sha256, codec }, head, verifyOptions),
    async saveSnapshot(foldVersion, parts) {
      if (head === undefined) throw new Error('there is nothing to take a snapshot of');
      await snapshots.save(head, foldVersion, parts);
    },
    latestSnapshot: (foldVersion) => snapshots.latest(foldVersion),
  };
}
