import { layoutTransaction, strippedBytes, toDisplay, txidAt, type Txid } from '@keepwatch/bitcoin';
import type { ChainSource, TransactionAnswer } from '../source.ts';

/** `lied`: what it sent is not what was asked for. */
export interface SourceWithoutTransaction {
  readonly source: string;
  readonly kind: 'unknown' | 'failed' | 'lied';
  readonly why: string;
}

/**
 * `stripped`: the transaction without its witnesses, which is what its id is the hash of: no source can have changed any of
 * it. A witness is not covered by the id, so none is given on.
 */
export type FetchedTransaction =
  | { readonly kind: 'found'; readonly stripped: Uint8Array; readonly source: string }
  | { readonly kind: 'missing'; readonly answers: readonly SourceWithoutTransaction[] };

/** The first is asked nothing over a network and the second is one’s own; the others learn which transaction is of interest. */
const ORDER: readonly ChainSource['kind'][] = ['p2p', 'bitcoind', 'electrum', 'esplora'];
/** What one source may take before the next one is asked, ms: a circuit of Tor takes its time. */
const WITHIN_MS = 30_000;

/**
 * Asks one source after another for the bytes of a transaction, those of one’s own first, until one sends bytes of this id.
 * What a source sends is checked and never believed; one that sends something else is passed over, and named if all fail.
 */
export async function fetchTransaction(
  sources: readonly Pick<ChainSource, 'name' | 'kind' | 'transaction'>[],
  txid: Txid,
  signal: AbortSignal,
  withinMs = WITHIN_MS,
): Promise<FetchedTransaction> {
  const answers: SourceWithoutTransaction[] = [];
  const ordered = [...sources].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  for (const { name, transaction } of ordered) {
    if (signal.aborted) break;
    const answer = await inTime(() => transaction(txid), signal, withinMs);
    if (answer.kind !== 'found') {
      answers.push({ source: name, ...answer });
      continue;
    }
    const stripped = strippedIfOf(answer.raw, txid);
    if (stripped) return { kind: 'found', stripped, source: name };
    answers.push({ source: name, kind: 'lied', why: 'it sent something else than was asked for' });
  }
  return { kind: 'missing', answers };
}

/** `undefined`: the bytes are no transaction, or another one. */
function strippedIfOf(raw: Uint8Array, txid: Txid): Uint8Array | undefined {
  const read = layoutTransaction(raw);
  if (!read.ok || toDisplay<Txid>(txidAt(read.value, 0)) !== txid) return undefined;
  return strippedBytes(read.value, 0);
}

async function inTime(
  ask: () => Promise<TransactionAnswer>,
  signal: AbortSignal,
  withinMs: number,
): Promise<TransactionAnswer> {
  const { promise, resolve } = Promise.withResolvers<TransactionAnswer>();
  const late = () => resolve({ kind: 'failed', why: `it did not answer within ${withinMs / 1_000} seconds` });
  const timer = setTimeout(late, withinMs);
  signal.addEventListener('abort', late, { once: true });
  try {
    return await Promise.race([ask(), promise]);
  } catch (error) {
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', late);
  }
}
