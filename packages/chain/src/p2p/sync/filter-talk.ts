import { CodedError } from '@keepwatch/base';
import { filterHash, toInternal, type HeaderChain, type InternalHash } from '@keepwatch/bitcoin';
import { CFCHECKPT_INTERVAL } from '@keepwatch/bitcoin/p2p';
import type { PeerManager } from '../peers/manager.ts';
import type { Peer } from '../peers/peer.ts';
import { giveUp, same } from './block-fetch.ts';

/** What a peer says of a stretch of blocks: the filter header in front of it, and the hash of each filter in it. */
export interface FilterClaim {
  readonly peer: Peer;
  readonly previous: InternalHash;
  readonly hashes: readonly InternalHash[];
}

/**
 * Questions of BIP157 to one peer. `undefined`: there was no answer that can be used, and the peer is left for it (silence)
 * or banned (an answer that is none).
 */
export interface FilterTalk {
  headers(peer: Peer, start: number, stop: number): Promise<FilterClaim | undefined>;
  /** Every 1,000th filter header, up to this height. */
  checkpoints(peer: Peer, top: number): Promise<readonly InternalHash[] | undefined>;
  /** The filter itself, if it is the one of this hash. */
  filter(peer: Peer, height: number, hash: InternalHash): Promise<Uint8Array | undefined>;
}

/** A node tells of a block before it has indexed it, and does not answer in between: it is asked once more. */
const AGAIN_MS = 3_000;

export function createFilterTalk(manager: PeerManager, chain: HeaderChain, answerMs: number): FilterTalk {
  /** A peer that is no longer here has told the manager why. */
  async function answered<T>(peer: Peer, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (manager.peers().includes(peer)) giveUp(manager, peer, error);
      return undefined;
    }
  }
  const blockAt = (height: number) => toInternal(chain.at(height)!.hash)!;

  return {
    async headers(peer, startHeight, stopHeight) {
      const stop = blockAt(stopHeight);
      const ask = (timeoutMs?: number) =>
        peer.ask(
          { kind: 'getcfheaders', startHeight, stop },
          (message) => (message.kind === 'cfheaders' && same(message.stop, stop) ? message : undefined),
          timeoutMs,
        );
      const answer = await answered(peer, async () => {
        try {
          return await ask(Math.min(AGAIN_MS, answerMs));
        } catch (error) {
          if (!(error instanceof CodedError) || error.code !== 'peer_stalled') throw error;
          return ask();
        }
      });
      if (answer === undefined) return undefined;
      if (answer.filterHashes.length !== stopHeight - startHeight + 1) {
        manager.ban(peer, 'filter_headers_short');
        return undefined;
      }
      return { peer, previous: answer.previous, hashes: answer.filterHashes };
    },
    async checkpoints(peer, top) {
      const stop = blockAt(top);
      const answer = await answered(peer, () =>
        peer.ask({ kind: 'getcfcheckpt', stop }, (message) =>
          message.kind === 'cfcheckpt' && same(message.stop, stop) ? message : undefined,
        ),
      );
      if (answer === undefined) return undefined;
      if (answer.headers.length === Math.floor(top / CFCHECKPT_INTERVAL)) return answer.headers;
      manager.ban(peer, 'filter_headers_short');
      return undefined;
    },
    async filter(peer, height, hash) {
      const block = blockAt(height);
      const answer = await answered(peer, () =>
        peer.ask({ kind: 'getcfilters', startHeight: height, stop: block }, (message) =>
          message.kind === 'cfilter' && same(message.block, block) ? message : undefined,
        ),
      );
      if (answer === undefined) return undefined;
      if (same(filterHash(answer.filter), hash)) return answer.filter;
      // It claims a filter and shows another.
      manager.ban(peer, 'filter_wrong');
      return undefined;
    },
  };
}
