import { CodedError, equalBytes, toBase64url } from '@keepwatch/base';
import { ERRORS, type ErrorCode, type SignedHeadJson, type VaultStatus } from '@keepwatch/protocol';
import {
  headHash,
  headLinkFault,
  parseHead,
  vaultId,
  verifyHead,
  type HeadLink,
  type SignedHead,
} from '@keepwatch/wire';
import type { Connection } from './connection.ts';
import { sha256, wireCrypto } from './crypto-node.ts';
import { demandReceipt, type CheckedReceipt } from './receipt.ts';

/** How far an observer knows a vault: plain data, to be kept and given back. */
export interface ObserverPlace {
  /** The head to which all that is known is linked; null: none yet. */
  readonly head: SignedHeadJson | null;
  /** By wallet. Nothing: it is read from the journal's start. */
  readonly wallets: Readonly<Record<string, WalletPlace>>;
  /** Histories that were given up, as they were known in an epoch; left out while there was none. */
  readonly lost?: { readonly epoch: number; readonly spans: readonly LostSpan[] };
}

/** What was signed between these times (ms, by the vault's clock) may stand in no journal: a backup was put in its place. */
export interface LostSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** `last`: the wallet's last permit that is known, 0 for none; `upTo`: the entry up to which none was passed over. */
export interface WalletPlace {
  readonly last: number;
  readonly upTo: number;
}

/** What a look at a vault gave. It holds for the moment in which the vault was asked, and not for later ones. */
export interface VaultLook {
  readonly phase: VaultStatus['phase'];
  /** Where the vault's journal ended; null: nothing stands in it. */
  readonly head: SignedHeadJson | null;
  /** Wallets of which every permit under `head` is known now. */
  readonly complete: ReadonlySet<string>;
  readonly place: ObserverPlace;
  /** An operator began another history (a restore, a resume): what was known is no prefix of what is. */
  readonly anew: boolean;
  readonly lost: readonly LostSpan[];
}

export interface LookOptions {
  readonly place: ObserverPlace;
  /** The observer's right is needed for each. */
  readonly wallets: readonly string[];
  /** Permits of one wallet, in order and none twice, and the place behind them: both are to be kept before the next come. */
  readonly onPermits: (
    wallet: string,
    permits: readonly CheckedReceipt[],
    place: ObserverPlace,
  ) => void | Promise<void>;
}

/**
 * Asks a vault where its journal ends, links that to what was known, and reads what the wallets had signed since. What it
 * gives was said by the keep itself in answer to a question that was asked after the call: an edge can delay it, and
 * nothing else. Every receipt is proved, and each permit names the one before it; every head since the last look names the
 * one before it.
 *
 * Throws a CodedError: `vault_rolled_back` (the journal ends before what was known), `vault_forked` (something else stands
 * where that was), `receipt_missing`, the receipt's own codes, `head_forged`, and what ends a connection.
 */
export async function lookAtVault(connection: Connection, options: LookOptions): Promise<VaultLook> {
  const { wallets, onPermits } = options;
  const standing = await connection.call('observer.standing', { wallets: [...wallets] });
  const { phase, head: headJson } = standing;
  const known = options.place.head === null ? null : demandHead(options.place.head, connection);
  if (headJson === null) {
    if (known !== null) throw fault('vault_rolled_back');
    return { phase, head: null, complete: new Set(), place: options.place, anew: false, lost: [] };
  }
  const head = demandHead(headJson, connection);
  const linked = known === null ? new Map<number, Uint8Array>() : await linkHeads(connection, known, head);
  const anew = linked === undefined;
  const lost = await lostSpans(connection, head, options.place.lost);
  const begun = anew ? { head: null, wallets: {} } : options.place;
  let place: ObserverPlace = lost.length === 0 ? begun : { ...begun, lost: { epoch: head.epoch, spans: lost } };
  const lasts = new Map(standing.last.map(({ wallet, seq }) => [wallet, seq]));
  const complete = new Set<string>();
  for (const wallet of wallets) {
    const last = lasts.get(wallet) ?? null;
    if (phase === 'unsealed' && last !== (place.wallets[wallet]?.last ?? 0)) {
      place = await readPermits(connection, { wallet, head, linked: linked ?? new Map(), known, place, onPermits });
    }
    const at = place.wallets[wallet] ?? { last: 0, upTo: 0 };
    if (last !== null && at.last > last) throw fault('vault_forked');
    if (last !== null && phase === 'unsealed' && at.last !== last) throw fault('receipt_missing');
    // Sealed, and killed before: the journal has nothing that was not known.
    const isAll = last === null ? known !== null && !anew && at.upTo >= head.lastSeq : at.last === last;
    if (!isAll) continue;
    complete.add(wallet);
    place = withWallet(place, wallet, { last: at.last, upTo: Math.max(at.upTo, head.lastSeq) });
  }
  return { phase, head: headJson, complete, place: { ...place, head: headJson }, anew, lost };
}

/**
 * The hashes of all heads from the known one to the new one, by their last entry; undefined where an operator gave up the
 * known history for another one.
 */
async function linkHeads(
  connection: Connection,
  known: SignedHead,
  head: SignedHead,
): Promise<ReadonlyMap<number, Uint8Array> | undefined> {
  const hashes = new Map<number, Uint8Array>([[known.lastSeq, headHash(sha256, known)]]);
  const broken = (code: 'vault_rolled_back' | 'vault_forked') => {
    if (head.epoch > known.epoch) return undefined;
    throw fault(code);
  };
  if (head.lastSeq < known.lastSeq) return broken('vault_rolled_back');
  const target = headHash(sha256, head);
  let before: HeadLink = { ...known, hash: hashes.get(known.lastSeq)! };
  while (before.lastSeq < head.lastSeq) {
    const { heads } = await connection.call('observer.heads', { from: before.lastSeq + 1 });
    if (heads.length === 0) throw fault('receipt_missing');
    for (const json of heads) {
      const next = parseHead(json);
      if (!next.ok || headLinkFault(before, next.value) !== undefined) return broken('vault_forked');
      before = { ...next.value, hash: headHash(sha256, next.value) };
      hashes.set(before.lastSeq, before.hash);
      if (before.lastSeq >= head.lastSeq) break;
    }
  }
  return equalBytes(before.hash, target) ? hashes : broken('vault_forked');
}

/** Epochs that are looked for: each begins with a restore or a resume by an operator. */
const MOST_EPOCHS = 16;

/** Each epoch but the first took the place of a history of which the end may be lost. */
async function lostSpans(
  connection: Connection,
  head: SignedHead,
  known: ObserverPlace['lost'],
): Promise<readonly LostSpan[]> {
  if (head.epoch === 1) return [];
  if (known?.epoch === head.epoch) return known.spans;
  const spans: LostSpan[] = [];
  for (let epoch = Math.max(2, head.epoch - MOST_EPOCHS + 1); epoch <= head.epoch; epoch++) {
    const first = await firstOf(connection, epoch, head);
    const before = first.firstSeq === 1 ? undefined : await headAt(connection, first.firstSeq - 1);
    // A vault may pass over an epoch, which then begins with the next one.
    const span = { fromMs: before?.timeMs ?? 0, toMs: first.timeMs };
    if (spans.at(-1)?.toMs !== span.toMs) spans.push(span);
  }
  return spans;
}

/** The first head of an epoch, or of a later one: epochs rise along the journal. */
async function firstOf(connection: Connection, epoch: number, last: SignedHead): Promise<SignedHead> {
  let [low, found] = [1, last];
  while (low < found.firstSeq) {
    const middle = await headAt(connection, Math.floor((low + found.firstSeq - 1) / 2));
    if (middle.epoch >= epoch) found = middle;
    else low = middle.lastSeq + 1;
  }
  return found;
}

async function headAt(connection: Connection, seq: number): Promise<SignedHead> {
  const { heads } = await connection.call('observer.heads', { from: seq });
  if (heads[0] === undefined) throw fault('receipt_missing');
  const head = demandHead(heads[0], connection);
  if (head.firstSeq > seq || head.lastSeq < seq) throw fault('receipt_missing');
  return head;
}

interface Reading {
  readonly wallet: string;
  readonly head: SignedHead;
  readonly known: SignedHead | null;
  readonly linked: ReadonlyMap<number, Uint8Array>;
  readonly place: ObserverPlace;
  readonly onPermits: LookOptions['onPermits'];
}

/**
 * The place that comes with permits goes as far as the last of them, which names the one before it. That nothing stands behind
 * it is known once it is the last one: what a page leaves out is asked for again.
 */
async function readPermits(connection: Connection, reading: Reading): Promise<ObserverPlace> {
  const { wallet, head } = reading;
  let { place } = reading;
  const proved = place.wallets[wallet] ?? { last: 0, upTo: 0 };
  let { last, upTo } = proved;
  while (upTo < head.lastSeq) {
    const from = upTo;
    const page = await connection.call('receipts.read', { wallet, from: from + 1 });
    const permits: CheckedReceipt[] = [];
    for (const json of page.receipts) {
      const receipt = demandReceipt(json, connection.info);
      const { seq, entry } = receipt;
      if (seq <= upTo || entry['wallet'] !== wallet) throw fault('receipt_out_of_order');
      // What came since the look began belongs to the next one.
      if (seq > head.lastSeq) break;
      upTo = seq;
      if (entry['type'] !== 'request.permitted') continue;
      demandLinked(json.head, reading);
      // Journals of before the first release name no prior permits.
      if (typeof entry['prior'] === 'number' && entry['prior'] !== last) throw fault('receipt_missing');
      last = seq;
      permits.push(receipt);
    }
    upTo = Math.min(Math.max(upTo, page.next - 1), head.lastSeq);
    if (upTo === from) throw fault('receipt_missing');
    if (permits.length === 0) continue;
    place = withWallet(place, wallet, { last, upTo: Math.max(proved.upTo, last) });
    await reading.onPermits(wallet, permits, place);
  }
  return place;
}

/** A receipt since the last look stands under one of the heads that were linked since. */
function demandLinked(json: SignedHeadJson, { known, linked, head }: Reading): void {
  const parsed = parseHead(json);
  if (!parsed.ok) throw fault('receipt_malformed');
  const over = parsed.value;
  if (over.lastSeq === head.lastSeq && !equalBytes(headHash(sha256, over), headHash(sha256, head))) {
    throw fault('vault_forked');
  }
  if (known === null || linked.size === 0 || over.lastSeq <= known.lastSeq) return;
  const hash = linked.get(over.lastSeq);
  if (!hash || !equalBytes(hash, headHash(sha256, over))) throw fault('vault_forked');
}

function demandHead(json: SignedHeadJson, { info }: Connection): SignedHead {
  const head = parseHead(json);
  const signed =
    head.ok &&
    head.value.vault === toBase64url(vaultId(sha256, info.receiptPublicKey)) &&
    verifyHead(head.value, info.receiptPublicKey, wireCrypto.ed25519Verify);
  if (signed) return head.value;
  throw fault('head_forged');
}

const withWallet = (before: ObserverPlace, wallet: string, place: WalletPlace): ObserverPlace => ({
  ...before,
  wallets: { ...before.wallets, [wallet]: place },
});

function fault(code: ErrorCode): CodedError {
  const { message, remedy } = ERRORS[code];
  return new CodedError(code, message, remedy === undefined ? {} : { remedy });
}
