import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '@keepwatch/base';
import { layoutTransaction, sha256d, txidAt, type InternalHash } from '@keepwatch/bitcoin';
import type { BroadcastResult } from '../source.ts';
import type { PeerManager } from './peers/manager.ts';
import type { Peer } from './peers/peer.ts';

/**
 * Hands transactions to several peers and listens whether another one, which did not get them from us, has them as well:
 * then the network has them. Peers do not say why they refuse, so what nobody keeps is `unknown` here, with a guess.
 */
export interface Broadcaster {
  broadcast(transactions: readonly Uint8Array[]): Promise<BroadcastResult>;
  close(): void;
}

interface Offer {
  readonly raw: Uint8Array;
  readonly txid: InternalHash;
  readonly wtxid: InternalHash;
  /** Peers that fetched it of us, and peers that announced it by themselves. */
  readonly fetched: Set<number>;
  readonly announced: Set<number>;
}

const POLL_MS = 200;
/** What was handed out stays to be fetched: a peer asks for parents by itself (BIP331's opportunistic forerunner). */
const MAX_OFFERS = 200;

export function createBroadcaster(
  manager: PeerManager,
  options: {
    readonly withinMs: number;
    readonly nowMs: () => number;
    readonly confirmed: (txid: InternalHash) => boolean;
  },
): Broadcaster {
  const offers = new Map<string, Offer>();

  const stop = manager.listen({
    heard(peer, message) {
      if (message.kind === 'getdata') {
        for (const { type, hash } of message.items) {
          const offer = offers.get(toHex(hash));
          if (!offer || (type !== 'tx' && type !== 'witness-tx' && type !== 'wtx')) continue;
          offer.fetched.add(peer.id);
          peer.send({ kind: 'tx', raw: offer.raw });
        }
      } else if (message.kind === 'inv') {
        for (const { hash } of message.items) offers.get(toHex(hash))?.announced.add(peer.id);
      }
    },
  });

  function offerOf(raw: Uint8Array): Offer | string {
    const read = layoutTransaction(raw);
    if (!read.ok) return read.error;
    const offer: Offer = {
      raw,
      txid: txidAt(read.value, 0),
      wtxid: sha256d(raw),
      fetched: new Set(),
      announced: new Set(),
    };
    while (offers.size >= MAX_OFFERS) offers.delete(offers.keys().next().value!);
    offers.set(toHex(offer.txid), offer);
    offers.set(toHex(offer.wtxid), offer);
    return offer;
  }

  /** Whether the peer has it: it serves what is in its mempool (net_processing.cpp, FindTxForGetData). */
  async function holds(peer: Peer, offer: Offer): Promise<boolean | undefined> {
    try {
      const id = toHex(offer.wtxid);
      const answer = await peer.ask(
        {
          kind: 'getdata',
          items: [{ type: peer.wtxidRelay ? 'wtx' : 'witness-tx', hash: peer.wtxidRelay ? offer.wtxid : offer.txid }],
        },
        (message) => {
          if (message.kind === 'tx') return toHex(sha256d(message.raw)) === id ? { held: true } : undefined;
          const ours =
            message.kind === 'notfound' &&
            message.items.some(({ hash }) => [id, toHex(offer.txid)].includes(toHex(hash)));
          return ours ? { held: false } : undefined;
        },
      );
      return answer.held;
    } catch {
      return undefined;
    }
  }

  return {
    close: () => void stop(),
    async broadcast(transactions) {
      const made = transactions.map(offerOf);
      const fault = made.find((each) => typeof each === 'string');
      if (fault !== undefined) return { kind: 'rejected', reason: fault };
      const wanted = made as Offer[];
      const last = wanted.at(-1);
      if (last === undefined) return { kind: 'rejected', reason: 'no_transactions' };
      if (wanted.every(({ txid }) => options.confirmed(txid))) return { kind: 'already-known', confirmed: true };
      const peers = manager.peers();
      if (peers.length === 0) return { kind: 'unknown', why: 'no peer is connected' };
      const before = await Promise.all(peers.map((peer) => holds(peer, last)));
      if (before.includes(true)) return { kind: 'already-known', confirmed: false };

      // Half of them hear it of us; the others should hear it of them.
      const told = peers.slice(0, Math.max(1, Math.ceil(peers.length / 2)));
      for (const peer of told) {
        const items = wanted.map(({ wtxid, txid }) => ({
          type: peer.wtxidRelay ? ('wtx' as const) : ('tx' as const),
          hash: peer.wtxidRelay ? wtxid : txid,
        }));
        peer.send({ kind: 'inv', items });
      }
      const until = options.nowMs() + options.withinMs;
      let kept = false;
      while (options.nowMs() < until) {
        await sleep(POLL_MS);
        const others = manager.peers().filter((peer) => !last.fetched.has(peer.id));
        if (others.some((peer) => last.announced.has(peer.id))) return { kind: 'accepted', heardBack: true };
        if (last.fetched.size === 0) continue;
        kept ||= (await Promise.all(told.map((peer) => holds(peer, last)))).includes(true);
        if (kept && others.length === 0) return { kind: 'accepted', heardBack: false };
        if (kept && (await Promise.all(others.map((peer) => holds(peer, last)))).includes(true)) {
          return { kind: 'accepted', heardBack: true };
        }
      }
      if (kept) return { kind: 'accepted', heardBack: false };
      return {
        kind: 'unknown',
        why:
          last.fetched.size > 0
            ? 'peers fetched it and do not keep it: it may conflict with another, or pay too little'
            : 'no peer fetched it',
      };
    },
  };
}
