import { fromUtf8 } from '@keepwatch/base';
import type { MethodParams, MethodResult, ReceiptJson, SignedHeadJson } from '@keepwatch/protocol';
import { headToJson, receiptToJson } from '@keepwatch/wire';
import { coded, type PeerSession } from '../peers/sessions.ts';
import { ed25519Verify } from '../secure/index.ts';
import { decodeEntry } from '../state/events.ts';
import { emptyState, fold } from '../state/fold.ts';
import { stateDigest } from '../state/snapshot.ts';
import { requireUnsealed } from '../vault/order.ts';
import { sentBytes } from './queries.ts';
import type { Unsealed, VaultContext } from '../vault/context.ts';
import { journalError } from '../vault/unsealed.ts';
import { mayObserve } from '../vault/vault.ts';

/** Reading the journal: entries for operators, receipts of a wallet for who may observe it. */

/** Bytes of entries or receipts in one answer as it is sent, so that it fits one frame. Every single one does. */
const ANSWER_BYTES = 120_000;
/** Entries looked through for one answer to `receipts.read`, and how many at one time. */
const SCAN = 2_000;
const SCAN_STEP = 256;

export async function readJournal(
  vault: VaultContext,
  params: MethodParams<'journal.read'>,
): Promise<MethodResult<'journal.read'>> {
  const { journal } = requireUnsealed(vault);
  const read = await journal.read(Math.max(1, params.from), params.limit ?? 100);
  if (!read.ok) throw journalError(read.error);
  const entries: { seq: number; entry: string }[] = [];
  let bytes = 0;
  for (const { seq, bytes: plain } of read.value) {
    const item = { seq, entry: fromUtf8(plain) ?? '' };
    bytes += sentBytes(item);
    if (entries.length > 0 && bytes > ANSWER_BYTES) break;
    entries.push(item);
  }
  return { entries, head: headOf({ journal }) };
}

export async function readReceipt(
  vault: VaultContext,
  params: MethodParams<'journal.receipt'>,
): Promise<MethodResult<'journal.receipt'>> {
  const found = await requireUnsealed(vault).journal.receiptFor(params.seq);
  if (!found.ok) throw journalError(found.error);
  return { receipt: receiptToJson(found.value) as ReceiptJson };
}

/** Decisions on one wallet. `next` and `complete` let the reader know that nothing lies between. */
export async function readReceipts(
  vault: VaultContext,
  session: PeerSession,
  params: MethodParams<'receipts.read'>,
): Promise<MethodResult<'receipts.read'>> {
  const { journal, state } = requireUnsealed(vault);
  if (session.caller !== 'operator' && !mayObserve(vault, session.peer, params.wallet)) throw coded('not_allowed');
  if (!state.wallets.has(params.wallet)) throw coded('wallet_unknown', { wallet: params.wallet });
  // The head first: what is appended while this reads belongs to the next answer.
  const complete = headOf({ journal });
  const from = Math.max(1, params.from);
  const receipts: ReceiptJson[] = [];
  let next = from;
  let bytes = 0;
  while (next < from + SCAN) {
    const read = await journal.read(next, SCAN_STEP);
    if (!read.ok) throw journalError(read.error);
    if (read.value.length === 0) break;
    for (const { seq, bytes: plain } of read.value) {
      if (seq > complete.lastSeq || receipts.length >= (params.limit ?? 100)) return { receipts, next, complete };
      const entry = decodeEntry(plain);
      if ((entry.type === 'request.permitted' || entry.type === 'request.denied') && entry.wallet === params.wallet) {
        const found = await journal.receiptFor(seq);
        if (!found.ok) throw journalError(found.error);
        const receipt = receiptToJson(found.value) as ReceiptJson;
        bytes += sentBytes(receipt);
        if (receipts.length > 0 && bytes > ANSWER_BYTES) return { receipts, next, complete };
        receipts.push(receipt);
      }
      next = seq + 1;
    }
  }
  return { receipts, next, complete };
}

/** Everything from the first entry: signatures, hashes, links; and the state folded anew against the one in use. */
export async function verifyJournal(vault: VaultContext): Promise<MethodResult<'journal.verify'>> {
  const unsealed = requireUnsealed(vault);
  const { sha256 } = vault.deps;
  const state = emptyState();
  const upTo = unsealed.state.seq;
  const expected = await stateDigest(unsealed.state, sha256);
  const verified = await unsealed.journal.verify({
    receiptPublicKey: unsealed.ring.receiptPublicKey(),
    ed25519Verify,
    onEntry({ seq, bytes }) {
      if (seq <= upTo) fold(state, seq, decodeEntry(bytes));
    },
    onProgress: () => new Promise((resolve) => setImmediate(resolve)),
  });
  if (!verified.ok) throw journalError(verified.error);
  const { entries, batches, head } = verified.value;
  if (!head) throw coded('internal_error');
  const foldMatches = (await stateDigest(state, sha256)) === expected;
  return { entries, batches, head: headToJson(head) as SignedHeadJson, foldMatches };
}

function headOf({ journal }: Pick<Unsealed, 'journal'>): SignedHeadJson {
  const head = journal.head();
  if (!head) throw coded('internal_error');
  return headToJson(head) as SignedHeadJson;
}
