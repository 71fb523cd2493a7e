import { toHex } from '@keepwatch/base';
import {
  decodeTransaction,
  layoutTransaction,
  sha256d,
  toDisplay,
  toInternal,
  txidAt,
  verifyInput,
  type InternalHash,
  type MatchedTx,
  type Txid,
} from '@keepwatch/bitcoin';
import type { InvItem } from '@keepwatch/bitcoin/p2p';
import type { ChainEvent } from '../source.ts';
import { inputsOf } from '../transaction-inputs.ts';
import { matchTransaction, type Coins } from './coins.ts';
import type { PeerManager } from './peers/manager.ts';
import type { Peer } from './peers/peer.ts';

/**
 * Unconfirmed transactions, as our peers relay them. Each that is announced is fetched once and looked at. What a peer
 * says is a claim. It becomes `valid` when each input that spends a coin of ours was verified here; nothing else of the
 * transaction can be verified without a node, so one that only pays us stays a claim.
 */
export interface MempoolWatch {
  /** Sighted and neither confirmed nor gone. */
  readonly sighted: ReadonlyMap<Txid, MatchedTx>;
  /** A block took these in; what conflicts with them is lost. */
  confirmed(matches: readonly MatchedTx[]): void;
  /** Asks our peers whether they still have what was sighted. */
  recheck(): Promise<void>;
  /** The watch set changed: what is remembered as of no interest may be of interest now. */
  rescan(): void;
  /** Hands over a transaction of our own, so that it is sighted like all others. */
  offer(raw: Uint8Array): void;
  close(): void;
}

interface Sighting {
  readonly match: MatchedTx;
  grade: 'claimed' | 'valid';
  readonly inputs: readonly string[];
}

/** Hashes of transactions that were fetched, the older half forgotten at a time. */
const REMEMBERED = 50_000;
/** Questions under way with one peer (net_processing.cpp, MAX_PEER_TX_REQUEST_IN_FLIGHT). */
const IN_FLIGHT = 100;
const WAITING = 5_000;
const RETRY_MS = 20_000;
/** So many claims of one kind that nobody can check are kept; a liar must not fill the memory. */
const MAX_SIGHTINGS = 10_000;

export interface MempoolDeps {
  readonly manager: PeerManager;
  readonly coins: Coins;
  readonly nowMs: () => number;
  readonly tell: (event: ChainEvent) => void;
}

export function createMempoolWatch({ manager, coins, nowMs, tell }: MempoolDeps): MempoolWatch {
  const sightings = new Map<Txid, Sighting>();
  const matches = new Map<Txid, MatchedTx>();
  /** Who spends what, among the sighted. */
  const spenders = new Map<string, Set<Txid>>();
  let seen = new Set<string>();
  let seenBefore = new Set<string>();
  const asked = new Map<string, { readonly peer: number; readonly atMs: number }>();
  const flights = new Map<number, number>();
  /** No peer had these at the last look. */
  let missing = new Set<Txid>();
  const queues = new Map<number, InvItem[]>();

  const isSeen = (id: string) => seen.has(id) || seenBefore.has(id);
  function note(id: string): void {
    if (seen.size >= REMEMBERED) [seenBefore, seen] = [seen, new Set()];
    seen.add(id);
  }

  function announce(peer: Peer, items: readonly InvItem[]): void {
    const queue = queues.get(peer.id) ?? [];
    queues.set(peer.id, queue);
    for (const item of items) {
      if ((item.type !== 'tx' && item.type !== 'wtx') || isSeen(toHex(item.hash))) continue;
      if (queue.length < WAITING) queue.push(item);
    }
    pump(peer);
  }

  function pump(peer: Peer): void {
    const queue = queues.get(peer.id) ?? [];
    const wanted: InvItem[] = [];
    while (queue.length > 0 && (flights.get(peer.id) ?? 0) + wanted.length < IN_FLIGHT) {
      const item = queue.shift()!;
      const id = toHex(item.hash);
      const flight = asked.get(id);
      if (isSeen(id)) continue;
      // Another peer was asked; should it not answer, its leaving or the next announcement asks again.
      if (flight && nowMs() - flight.atMs < RETRY_MS) continue;
      asked.set(id, { peer: peer.id, atMs: nowMs() });
      wanted.push({ type: item.type === 'tx' ? 'witness-tx' : 'wtx', hash: item.hash });
    }
    if (wanted.length === 0) return;
    flights.set(peer.id, (flights.get(peer.id) ?? 0) + wanted.length);
    peer.send({ kind: 'getdata', items: wanted });
  }

  function landed(peer: Peer, ids: readonly string[]): void {
    for (const id of ids) {
      if (asked.get(id)?.peer !== peer.id) continue;
      asked.delete(id);
      flights.set(peer.id, Math.max(0, (flights.get(peer.id) ?? 0) - 1));
    }
    pump(peer);
  }

  function receive(peer: Peer | null, raw: Uint8Array): void {
    const layout = layoutTransaction(raw);
    if (!layout.ok) {
      if (peer) manager.ban(peer, 'transaction_malformed');
      return;
    }
    const wtxid = toHex(sha256d(raw));
    const txid = txidAt(layout.value, 0);
    const id = toHex(txid);
    note(wtxid);
    if (peer) landed(peer, [wtxid, id]);
    const shown = toDisplay<Txid>(txid);
    const match = matchTransaction(coins.scanner, raw);
    const inputs = inputsOf(raw).map(({ outpoint }) => `${outpoint.txid}:${outpoint.vout}`);
    const rivals = new Set(
      inputs.flatMap((input) => [...(spenders.get(input) ?? [])]).filter((other) => other !== shown),
    );
    // By its wtxid alone is a transaction known: the same txid may come with a witness that does not hold.
    const grade = match ? gradeOf(raw, match) : 'claimed';
    const known = sightings.get(shown);
    if (known && (known.grade === 'valid' || grade === 'claimed')) return;
    if (!match && rivals.size === 0) return;
    for (const rival of rivals) {
      // A claim never displaces what was verified: else a liar could talk a spend away.
      if (sightings.get(rival)!.grade === 'valid' && grade !== 'valid') continue;
      forget(rival);
      tell({ kind: 'replaced', txid: rival, by: shown });
    }
    if (!match || sightings.size >= MAX_SIGHTINGS) return;
    sightings.set(shown, { match, grade, inputs });
    matches.set(shown, match);
    for (const input of inputs) spenders.set(input, (spenders.get(input) ?? new Set()).add(shown));
    tell({ kind: 'sighted', tx: match, grade });
  }

  function gradeOf(raw: Uint8Array, match: MatchedTx): 'claimed' | 'valid' {
    if (match.spent.length === 0) return 'claimed';
    const read = decodeTransaction(raw);
    if (!read.ok) return 'claimed';
    const prevouts = coins.prevouts(read.value);
    const valid = match.spent.every(
      ({ vin }) => prevouts[vin] && verifyInput(read.value, vin, prevouts).kind === 'valid',
    );
    return valid ? 'valid' : 'claimed';
  }

  function forget(txid: Txid): void {
    for (const input of sightings.get(txid)?.inputs ?? []) {
      const those = spenders.get(input);
      those?.delete(txid);
      if (those?.size === 0) spenders.delete(input);
    }
    sightings.delete(txid);
    matches.delete(txid);
  }

  const stop = manager.listen({
    left(peer) {
      queues.delete(peer.id);
      flights.delete(peer.id);
      for (const [id, flight] of asked) if (flight.peer === peer.id) asked.delete(id);
    },
    heard(peer, message) {
      switch (message.kind) {
        case 'inv':
          return announce(peer, message.items);
        case 'tx':
          return receive(peer, message.raw);
        case 'notfound':
          return landed(
            peer,
            message.items.map(({ hash }) => toHex(hash)),
          );
        default:
          return;
      }
    },
  });

  /** `undefined`: no answer. */
  async function has(peer: Peer, txid: Txid, hash: InternalHash): Promise<boolean | undefined> {
    try {
      const answer = await peer.ask({ kind: 'getdata', items: [{ type: 'witness-tx', hash }] }, (message) => {
        if (message.kind === 'notfound' && message.items.some((item) => toDisplay<Txid>(item.hash) === txid))
          return { held: false };
        if (message.kind !== 'tx') return undefined;
        const read = layoutTransaction(message.raw);
        return read.ok && toDisplay<Txid>(txidAt(read.value, 0)) === txid ? { held: true } : undefined;
      });
      return answer.held;
    } catch {
      return undefined;
    }
  }

  return {
    sighted: matches,
    offer: (raw) => receive(null, raw),
    rescan() {
      seen = new Set();
      seenBefore = new Set();
    },
    confirmed(confirmed) {
      for (const { txid, raw } of confirmed) {
        forget(txid);
        for (const { outpoint } of inputsOf(raw)) {
          for (const rival of [...(spenders.get(`${outpoint.txid}:${outpoint.vout}`) ?? [])]) {
            forget(rival);
            tell({ kind: 'replaced', txid: rival, by: txid });
          }
        }
      }
    },
    async recheck() {
      const before = missing;
      missing = new Set();
      for (const txid of [...sightings.keys()]) {
        const hash = toInternal(txid)!;
        const answers = await Promise.all(manager.peers().map((peer) => has(peer, txid, hash)));
        if (!sightings.has(txid) || answers.includes(true) || !answers.includes(false)) continue;
        // What takes its place may be on its way: only what is missing twice is gone.
        if (!before.has(txid)) {
          missing.add(txid);
          continue;
        }
        forget(txid);
        tell({ kind: 'evicted', txid });
      }
    },
    close: () => void stop(),
  };
}
