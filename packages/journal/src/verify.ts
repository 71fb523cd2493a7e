import { equalBytes, err, ok, type MaybePromise, type Result, type Sha256 } from '@keepwatch/base';
import {
  headHash,
  headLinkFault,
  verifyHead,
  type Ed25519Verify,
  type HeadLink,
  type SignedHead,
} from '@keepwatch/wire';
import type { BatchCodec } from './batch-codec.ts';
import { fault, linkFault, type JournalFault } from './fault.ts';
import type { JournalStore, StoredBatch } from './store.ts';

export interface JournalEntry {
  readonly seq: number;
  readonly bytes: Uint8Array;
  /** Time of its batch: milliseconds since the Unix epoch. */
  readonly timeMs: number;
}

export interface VerifyOptions {
  readonly receiptPublicKey: Uint8Array;
  readonly ed25519Verify: Ed25519Verify;
  /** Called with every entry that was found good, in order: to fold again, or to export. */
  readonly onEntry?: (entry: JournalEntry) => void;
  /** Called after every batch. A promise is awaited, so that a daemon can do other work meanwhile. */
  readonly onProgress?: (done: { readonly seq: number; readonly of: number }) => MaybePromise<void>;
}

export interface Verified {
  readonly entries: number;
  readonly batches: number;
  readonly head: SignedHead | undefined;
}

interface Deps {
  readonly store: JournalStore;
  readonly sha256: Sha256;
  readonly codec: BatchCodec;
}

/**
 * Checks the whole journal from its first entry up to `upTo`: order, links, signatures, encryption and Merkle roots.
 * It finds what was changed in the store. A tail that was cut off, or a whole store put back, is found by `upTo` (what
 * this process wrote itself) or by a head that somebody else remembers.
 */
export async function verifyJournal(
  deps: Deps,
  upTo: SignedHead | undefined,
  options: VerifyOptions,
): Promise<Result<Verified, JournalFault>> {
  const { store, sha256, codec } = deps;
  const of = upTo?.lastSeq ?? 0;
  let before: HeadLink | undefined;
  let batches = 0;
  for await (const batch of store.batches(1)) {
    if (batch.firstSeq > of) break;
    const head = codec.headOf(batch);
    const found = checkHead(before, head, batch) ?? openAndReport(batch);
    if (found !== undefined) return err((await misplaced(deps, batch)) ?? found);
    before = { ...head, hash: batch.hash };
    batches += 1;
    await options.onProgress?.({ seq: head.lastSeq, of });
  }
  const end = before?.lastSeq ?? 0;
  if (end < of)
    return err(fault('journal_gap', end + 1, `Entries ${end + 1} to ${of} are missing: the end was cut off.`));
  if (upTo !== undefined && !equalBytes(before!.hash, headHash(sha256, upTo))) {
    return err(fault('journal_chain_broken', upTo.firstSeq, `The journal ends in another head than was written.`));
  }
  return ok({ entries: end, batches, head: upTo });

  function checkHead(previous: HeadLink | undefined, head: SignedHead, batch: StoredBatch): JournalFault | undefined {
    const { firstSeq, lastSeq } = head;
    if (lastSeq < firstSeq) {
      return fault('journal_out_of_order', lastSeq, `A batch that begins at ${firstSeq} is said to end at ${lastSeq}.`);
    }
    const broken = headLinkFault(previous, head);
    if (broken !== undefined) return linkFault(broken, (previous?.lastSeq ?? 0) + 1, head);
    if (!verifyHead(head, options.receiptPublicKey, options.ed25519Verify)) {
      return fault('journal_head_forged', firstSeq, `The head over ${firstSeq} to ${lastSeq} has no valid signature.`);
    }
    if (!equalBytes(headHash(sha256, head), batch.hash)) {
      return fault(
        'journal_chain_broken',
        firstSeq,
        `The stored hash of the head over ${firstSeq} to ${lastSeq} is wrong.`,
      );
    }
    return undefined;
  }

  function openAndReport(batch: StoredBatch): JournalFault | undefined {
    const opened = codec.open(batch);
    if (!opened.ok) return opened.error;
    if (options.onEntry === undefined) return undefined;
    for (const [i, bytes] of opened.value.entries.entries()) {
      options.onEntry({ seq: batch.firstSeq + i, bytes, timeMs: batch.timeMs });
    }
    return undefined;
  }
}

/**
 * Only after a fault: were these entries put here from elsewhere? Their ciphertext says so, because it opens where it
 * was made for, and this tells re-ordering and replay from plain damage.
 */
async function misplaced({ store, codec }: Deps, batch: StoredBatch): Promise<JournalFault | undefined> {
  for await (const other of store.batches(1)) {
    if (other.lastSeq === batch.lastSeq) continue;
    const { epoch, firstSeq, lastSeq } = other;
    for (const root of [other.root, batch.root]) {
      for (const keyId of new Set([other.keyId, batch.keyId])) {
        if (!codec.belongs(batch.sealed, keyId, { epoch, firstSeq, lastSeq, root })) continue;
        return fault(
          'journal_out_of_order',
          batch.firstSeq,
          `What stands at ${batch.firstSeq} to ${batch.lastSeq} was written as ${firstSeq} to ${lastSeq}.`,
        );
      }
    }
  }
  return undefined;
}
