import {
  err,
  fromBase64url,
  fromUtf8,
  ok,
  toBase64url,
  utf8,
  type Json,
  type Result,
  type Sha256,
} from '@keepwatch/base';
import type { ReceiptJson, SignedHeadJson } from '@keepwatch/protocol';
import { bytesMember, exactMembers, isCount, parseCanonicalJson } from '../strict-json.ts';
import { headToJson, parseHead, verifyHead, type Ed25519Verify, type SignedHead } from './head.ts';
import { verifyMerklePath } from './merkle.ts';

/** Proof that one entry stands in the journal under a signed head: the entry and its Merkle path. */
export interface Receipt {
  /** The entry's bytes as hashed: canonical JSON in UTF-8, its random salt inside. */
  readonly entry: Uint8Array;
  readonly seq: number;
  /** Position in the batch: seq − head.firstSeq. */
  readonly index: number;
  /** Sibling hashes, the lowest first. */
  readonly path: readonly Uint8Array[];
  readonly head: SignedHead;
}

export type ReceiptFault =
  /** Not a receipt, or the entry is not canonical JSON. */
  | 'receipt_malformed'
  /** It speaks for another vault than the one asked about. */
  | 'receipt_other_vault'
  /** `seq` and `index` do not lie in the head's batch. */
  | 'receipt_seq_mismatch'
  /** The entry is not in the tree under the head's root. */
  | 'receipt_path_mismatch'
  /** The head was not signed by the receipt key. */
  | 'receipt_head_signature';

/** 2^40 entries in a batch are more than any journal will see. */
const MAX_PATH = 40;
const MEMBERS = ['seq', 'entry', 'index', 'path', 'head'] as const;
const CODEC = { fromBase64url };

/**
 * A receipt as JSON. `entry` is the entry's exact text, so that a person can read what was attested.
 * All receipts of a batch share one head and many nodes of their paths: pass its JSON, and an encoder of nodes that
 * remembers, when making many.
 * The entry must be UTF-8, as canonical JSON is; anything else is a bug of the journal's user.
 */
export function receiptToJson(
  receipt: Receipt,
  head: SignedHeadJson = headToJson(receipt.head),
  encode: (node: Uint8Array) => string = toBase64url,
): ReceiptJson {
  const entry = fromUtf8(receipt.entry);
  if (entry === undefined) throw new TypeError('a receipt is for an entry of UTF-8 text');
  return { entry, seq: receipt.seq, index: receipt.index, path: receipt.path.map(encode), head };
}

/** A receipt from JSON of unknown origin: exactly the members of `ReceiptJson`, each of its exact form. */
export function parseReceipt(json: unknown): Result<Receipt, 'receipt_malformed'> {
  const members = exactMembers(json as Json | undefined, MEMBERS);
  if (members === undefined) return err('receipt_malformed');
  const { entry, seq, index, path: steps } = members;
  const head = parseHead(members.head);
  // A lone surrogate has no UTF-8: the bytes that were hashed could not be told from others.
  if (!head.ok || typeof entry !== 'string' || !entry.isWellFormed()) return err('receipt_malformed');
  if (!isCount(seq) || !isCount(index) || !Array.isArray(steps) || steps.length > MAX_PATH) {
    return err('receipt_malformed');
  }
  const path: Uint8Array[] = [];
  for (const step of steps as readonly Json[]) {
    const node = bytesMember(CODEC, step, 32);
    if (node === undefined) return err('receipt_malformed');
    path.push(node);
  }
  return ok({ entry: utf8(entry), seq, index, path, head: head.value });
}

/**
 * Checks a receipt offline: what anybody needs is the receipt, the vault's identity and its receipt key. The entry
 * comes back parsed; what it says is for the caller to compare with what was asked for.
 */
export function verifyReceipt(
  receipt: Receipt,
  expected: { readonly receiptPublicKey: Uint8Array; readonly vault: string },
  crypto: { readonly sha256: Sha256; readonly ed25519Verify: Ed25519Verify },
): Result<{ readonly seq: number; readonly entry: Json }, ReceiptFault> {
  const { head, index, seq, path } = receipt;
  if (head.vault !== expected.vault) return err('receipt_other_vault');
  const size = head.lastSeq - head.firstSeq + 1;
  if (seq !== head.firstSeq + index || index >= size) return err('receipt_seq_mismatch');
  if (!verifyMerklePath(crypto.sha256, receipt.entry, { index, size, path, root: head.root })) {
    return err('receipt_path_mismatch');
  }
  if (!verifyHead(head, expected.receiptPublicKey, crypto.ed25519Verify)) return err('receipt_head_signature');
  const entry = parseCanonicalJson(receipt.entry);
  return entry === undefined ? err('receipt_malformed') : ok({ seq, entry });
}
