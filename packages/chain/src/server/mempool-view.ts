import {
  decodeTransaction,
  toDisplay,
  verifyInput,
  type MatchedTx,
  type Scanner,
  type Transaction,
  type TransactionOutput,
  type Txid,
} from '@keepwatch/bitcoin';
import type { ChainEvent } from '../source.ts';
import type { ServerSession } from './backend.ts';
import { fetchTransaction } from './confirm.ts';

/** What is sighted in no block yet: what the server says, graded by what was verified here. */
export interface MempoolView {
  /** A block took these in. */
  confirmed(matches: readonly MatchedTx[]): void;
  /** Compares what the server has with what was sighted. */
  look(session: ServerSession): AsyncGenerator<ChainEvent, void, undefined>;
  /** Something was missing for the first time: look again soon. */
  readonly unsettled: boolean;
}

interface Sighting {
  readonly match: MatchedTx;
  readonly inputs: readonly string[];
}

/** More unconfirmed transactions of watched scripts than this are not looked at: somebody is filling the memory. */
const MAX_SIGHTINGS = 10_000;
/** Beyond so many inputs the coins of others are not fetched, and a taproot spend stays a claim. */
const MAX_PREVOUTS = 500;

export function createMempoolView(
  scanner: Scanner,
  histories: { unconfirmed(): readonly Txid[]; has(txid: Txid): boolean },
): MempoolView {
  const sightings = new Map<Txid, Sighting>();
  const uninteresting = new Set<Txid>();
  /**
   * Missing at the last look, without a successor. A server may drop a transaction from its mempool a moment before its
   * index has the block with it; only one that is missing twice is gone.
   */
  let missing = new Set<Txid>();
  let takenIn = new Map<Txid, readonly string[]>();

  return {
    get unsettled() {
      return missing.size > 0;
    },
    confirmed(matches) {
      for (const match of matches) {
        const decoded = decodeTransaction(match.raw);
        takenIn.set(match.txid, decoded.ok ? inputsOf(decoded.value) : []);
      }
    },
    async *look(session) {
      const present = histories.unconfirmed().slice(0, MAX_SIGHTINGS);
      const found: { readonly match: MatchedTx; readonly transaction: Transaction }[] = [];
      for (const txid of present) {
        if (sightings.has(txid) || uninteresting.has(txid)) continue;
        const layout = await fetchTransaction(session, txid);
        const decoded = layout && decodeTransaction(layout.bytes);
        if (!decoded?.ok) continue;
        const match = scanner.scanTransaction(layout!);
        if (match) {
          found.push({ match, transaction: decoded.value });
          // A child that spends what this one would give us is to be seen as well.
          scanner.addOutpoints(match.received.map(({ vout }) => ({ txid, vout })));
        } else if (uninteresting.size < MAX_SIGHTINGS) {
          uninteresting.add(txid);
        }
      }
      const fresh = new Map(
        found.flatMap(({ match, transaction }) => inputsOf(transaction).map((i) => [i, match.txid])),
      );
      const settled = new Map([...takenIn].flatMap(([txid, inputs]) => inputs.map((input) => [input, txid])));
      const stillThere = new Set(present);
      // One that a block took in which is not delivered yet is not gone.
      const gone = [...sightings].filter(
        ([txid]) => !stillThere.has(txid) && (takenIn.has(txid) || !histories.has(txid)),
      );
      const stillMissing = new Set<Txid>();
      for (const [txid, { match, inputs }] of gone) {
        const rival = inputs.map((input) => settled.get(input) ?? fresh.get(input)).find((one) => one !== undefined);
        if (!takenIn.has(txid) && !rival && !missing.has(txid)) {
          stillMissing.add(txid);
          continue;
        }
        sightings.delete(txid);
        if (takenIn.has(txid)) continue;
        scanner.removeOutpoints(match.received.map(({ vout }) => ({ txid, vout })));
        yield rival ? { kind: 'replaced', txid, by: rival } : { kind: 'evicted', txid };
      }
      missing = stillMissing;
      takenIn = new Map();
      for (const { match, transaction } of found) {
        const inputs = inputsOf(transaction);
        sightings.set(match.txid, { match, inputs });
        yield { kind: 'sighted', tx: match, grade: await gradeOf(session, match, transaction) };
      }
    },
  };
}

const inputsOf = (transaction: Transaction) =>
  transaction.inputs.map(({ previous, vout }) => `${toDisplay<Txid>(previous)}:${vout}`);

/**
 * `valid` where every input that spends a coin of ours was verified here. The coins come from the transactions that made
 * them; a server cannot lie about those, because their hash is in the input.
 */
async function gradeOf(
  session: ServerSession,
  match: MatchedTx,
  transaction: Transaction,
): Promise<'claimed' | 'valid'> {
  if (match.spent.length === 0) return 'claimed';
  const prevouts = await fetchPrevouts(session, match, transaction);
  for (const { vin } of match.spent) {
    if (!prevouts[vin]) return 'claimed';
    if (verifyInput(transaction, vin, prevouts).kind !== 'valid') return 'claimed';
  }
  return 'valid';
}

async function fetchPrevouts(
  session: ServerSession,
  match: MatchedTx,
  transaction: Transaction,
): Promise<readonly (TransactionOutput | undefined)[]> {
  const own = new Set(match.spent.map(({ vin }) => vin));
  const all = transaction.inputs.length <= MAX_PREVOUTS;
  const parents = new Map<Txid, Transaction | undefined>();
  const prevouts: (TransactionOutput | undefined)[] = [];
  for (const [vin, { previous, vout }] of transaction.inputs.entries()) {
    if (!all && !own.has(vin)) {
      prevouts.push(undefined);
      continue;
    }
    const txid = toDisplay<Txid>(previous);
    if (!parents.has(txid)) {
      const layout = await fetchTransaction(session, txid);
      const decoded = layout && decodeTransaction(layout.bytes);
      parents.set(txid, decoded?.ok ? decoded.value : undefined);
    }
    prevouts.push(parents.get(txid)?.outputs[vout]);
  }
  return prevouts;
}
