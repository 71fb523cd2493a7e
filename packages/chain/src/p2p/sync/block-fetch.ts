import { CodedError } from '@keepwatch/base';
import {
  consensusOf,
  headerHash,
  readBlock,
  toInternal,
  type Block,
  type HeaderPoint,
  type Network,
} from '@keepwatch/bitcoin';
import type { PeerManager } from '../peers/manager.ts';
import type { Peer } from '../peers/peer.ts';

/** Fetches blocks from whoever has them, and believes what their header commits to. */
export interface BlockFetch {
  block(ref: Pick<HeaderPoint, 'hash' | 'height'>, signal: AbortSignal): Promise<Block>;
}

/** A block of 4 MB over a slow line, or over Tor. */
const BLOCK_MS_FACTOR = 3;

export function createBlockFetch(manager: PeerManager, network: Network, answerMs: number): BlockFetch {
  const params = consensusOf(network);
  return {
    async block({ hash, height }, signal) {
      const internal = toInternal(hash)!;
      const without = new Set<number>();
      for (;;) {
        const peer = await manager.one((each) => each.height >= height && !without.has(each.id), signal);
        try {
          const { raw } = await peer.ask(
            { kind: 'getdata', items: [{ type: 'witness-block', hash: internal }] },
            (message) => {
              if (message.kind === 'block' && message.raw.length >= 80 && same(headerHash(message.raw), internal))
                return message;
              if (message.kind === 'notfound' && message.items.some((item) => same(item.hash, internal)))
                return { raw: null };
              return undefined;
            },
            answerMs * BLOCK_MS_FACTOR,
          );
          if (raw === null) {
            without.add(peer.id);
            continue;
          }
          const read = readBlock(raw, { hash: internal, height, params });
          if (read.ok) return read.value;
          manager.ban(peer, read.error);
        } catch (error) {
          giveUp(manager, peer, error);
        }
      }
    },
  };
}

/** A peer that does not answer is left: it may be slow, or keep something back; the next one is asked. */
export function giveUp(manager: PeerManager, peer: Peer, error: unknown): void {
  if (!(error instanceof CodedError)) throw error;
  manager.drop(peer, error.code);
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
