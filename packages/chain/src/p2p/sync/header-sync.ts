import { CodedError } from '@keepwatch/base';
import {
  HEADER_BYTES,
  headerHash,
  toDisplay,
  type AcceptedHeaders,
  type BlockHash,
  type HeaderChain,
  type InternalHash,
} from '@keepwatch/bitcoin';
import { MAX_HEADERS, type PeerMessage } from '@keepwatch/bitcoin/p2p';
import type { Peer } from '../peers/peer.ts';
import type { PeerManager } from '../peers/manager.ts';

export interface HeaderSyncDeps {
  readonly chain: HeaderChain;
  readonly manager: PeerManager;
  readonly nowMs: () => number;
  readonly log: (line: string) => void;
  /** A peer has shown how far it is (`peer.height`). */
  readonly shown: (peer: Peer) => void;
  /** After each batch that changed the best chain, before anything else looks at it. */
  readonly changed: (change: NonNullable<AcceptedHeaders['change']>) => void;
}

export interface HeaderSync {
  /** Whether at least one peer that is here said that it has no more, and the chain has the work that it must have. */
  readonly synced: boolean;
  /** Whether peers that said so showed less work than the release vouches for: they hide blocks, or make them up. */
  readonly lowWork: boolean;
  /** Asks every peer anew: what a slow or lying one kept back, another one says. */
  refresh(): void;
  close(): void;
}

/** A peer that is so far ahead is followed alone; many at once would send the same. */
const LONG_WAY = MAX_HEADERS;
const ZERO = new Uint8Array(32) as InternalHash;

/** Keeps the header chain at what our peers have: whoever shows most work is right, whatever the others say. */
export function createHeaderSync(deps: HeaderSyncDeps): HeaderSync {
  const { chain, manager, log } = deps;
  const done = new Set<number>();
  const busy = new Map<number, Promise<void>>();
  const again = new Set<number>();
  /** Peers that were asked and have not answered. */
  const expected = new Set<number>();
  /** The last block that each announced by its hash alone. */
  const announced = new Map<number, InternalHash>();
  let closed = false;
  /** The peer that we follow alone over a long way. */
  let leader: number | undefined;

  function take(peer: Peer, headers: Uint8Array, asked: boolean): AcceptedHeaders {
    const accepted = chain.accept(headers, Math.floor(deps.nowMs() / 1_000));
    if (accepted.change) deps.changed(accepted.change);
    if (accepted.fault === null && headers.length > 0) {
      const last = toDisplay<BlockHash>(headerHash(headers, headers.length - HEADER_BYTES));
      peer.height = chain.forkPoint(last)?.height ?? peer.height;
      deps.shown(peer);
    }
    const code = accepted.fault?.code;
    if (code === undefined || code === 'header_time_too_new') return accepted;
    if (code === 'header_unknown_parent') {
      // Announced on top of what we lack: ask for what lies between. As an answer it is none.
      if (asked) manager.drop(peer, 'peer_headers_unconnected');
      else void follow(peer);
    } else manager.ban(peer, code);
    return accepted;
  }

  async function ask(peer: Peer): Promise<void> {
    for (;;) {
      expected.add(peer.id);
      // From the block below our tip on: so a peer that has our tip shows it. To a question from the tip on it would say
      // nothing, as one that is behind does, and from then on (pindexBestHeaderSent) not announce it either.
      const locator = chain.locator();
      const question = {
        kind: 'getheaders',
        locator: locator.length > 1 ? locator.slice(1) : locator,
        stop: ZERO,
      } as const;
      const answer = await peer.ask(question, headersOf);
      const { added, fault } = take(peer, answer.headers, true);
      // A full answer that brings nothing new would be asked for again for ever.
      if (answer.headers.length === 0) {
        // Its tip is one that we named.
        peer.height = Math.max(peer.height, Math.min(peer.version.height, chain.tip().height));
        deps.shown(peer);
      }
      showAnnounced(peer);
      if (fault || answer.headers.length < MAX_HEADERS * HEADER_BYTES || added === 0 || closed) return;
    }
  }

  /** It has a block that we know, be it of others: an answer to what we lack would not show that. */
  function showAnnounced(peer: Peer): void {
    const hash = announced.get(peer.id);
    const point = hash && chain.find(toDisplay<BlockHash>(hash));
    if (!point) return;
    announced.delete(peer.id);
    peer.height = Math.max(peer.height, chain.forkPoint(point.hash)!.height);
    deps.shown(peer);
  }

  async function follow(peer: Peer): Promise<void> {
    if (closed) return;
    if (busy.has(peer.id)) return void again.add(peer.id);
    if (leader !== undefined && leader !== peer.id) return;
    if (peer.version.height - chain.tip().height > LONG_WAY) leader = peer.id;
    const work = (async () => {
      try {
        do {
          again.delete(peer.id);
          await ask(peer);
        } while (again.has(peer.id) && !closed);
        if (!done.has(peer.id)) peer.send({ kind: 'sendheaders' });
        done.add(peer.id);
      } catch (error) {
        manager.drop(peer, error instanceof CodedError ? error.code : 'peer_failed');
        if (!(error instanceof CodedError)) log(`headers: ${String(error)}`);
      }
    })();
    busy.set(peer.id, work);
    await work;
    busy.delete(peer.id);
    if (leader === peer.id) {
      leader = undefined;
      for (const other of manager.peers()) if (!done.has(other.id)) void follow(other);
    }
  }

  const answered = () => leader === undefined && manager.peers().some(({ id }) => done.has(id));

  const stop = manager.listen({
    joined: (peer) => void follow(peer),
    left(peer) {
      done.delete(peer.id);
      again.delete(peer.id);
      announced.delete(peer.id);
      expected.delete(peer.id);
      if (leader !== peer.id) return;
      leader = undefined;
      for (const other of manager.peers()) void follow(other);
    },
    heard(peer, message) {
      if (message.kind === 'headers') {
        // While a question is open, what comes first is taken for its answer. What comes behind it, before that was looked
        // at, is asked for again: else a block that was announced just then would be missed.
        if (!busy.has(peer.id)) take(peer, message.headers, false);
        else if (!expected.delete(peer.id)) again.add(peer.id);
      } else if (message.kind === 'inv') {
        const block = message.items.findLast(({ type }) => type === 'block');
        if (block === undefined) return;
        announced.set(peer.id, block.hash);
        showAnnounced(peer);
        void follow(peer);
      }
    },
  });

  return {
    get synced() {
      return answered() && chain.hasMinimumWork();
    },
    get lowWork() {
      return answered() && !chain.hasMinimumWork();
    },
    refresh() {
      for (const peer of manager.peers()) void follow(peer);
    },
    close() {
      closed = true;
      stop();
    },
  };
}

const headersOf = (message: PeerMessage) => (message.kind === 'headers' ? message : undefined);
