import { filterHash, filterHeader, toInternal, type HeaderChain } from '@keepwatch/bitcoin';
import { MAX_CFILTERS } from '@keepwatch/bitcoin/p2p';
import type { PeerManager } from '../peers/manager.ts';
import type { FilterHeaders } from '../store/filter-headers.ts';
import { giveUp, same } from './block-fetch.ts';

/** Filters of blocks, each checked against the filter header that our peers agreed on. */
export interface FilterFetch {
  /** Of the blocks from `start` on, at most `count` and not beyond what is agreed; at least one. */
  filters(start: number, count: number, signal: AbortSignal): Promise<readonly Uint8Array[]>;
}

export function createFilterFetch(manager: PeerManager, chain: HeaderChain, filterHeaders: FilterHeaders): FilterFetch {
  return {
    async filters(start, count, signal) {
      for (;;) {
        const stop = Math.min(start + Math.min(count, MAX_CFILTERS) - 1, filterHeaders.height());
        // The chain may have become shorter while we asked.
        if (stop < start) return [];
        const hashes = Array.from({ length: stop - start + 1 }, (_, i) => toInternal(chain.at(start + i)!.hash)!);
        const wanted = hashes.map((_, i) => filterHeaders.at(start + i));
        const before = filterHeaders.at(start - 1);
        const peer = await manager.one((each) => each.height >= stop && manager.filterPeers().includes(each), signal);
        const found: Uint8Array[] = [];
        let lied = false;
        try {
          await peer.ask({ kind: 'getcfilters', startHeight: start, stop: hashes.at(-1)! }, (message) => {
            if (message.kind !== 'cfilter') return undefined;
            const at = found.length;
            // BIP157: one message a block, in order. Those of an older question of another stretch are not ours.
            if (!same(message.block, hashes[at]!)) return undefined;
            const header = filterHeader(filterHash(message.filter), wanted[at - 1] ?? before);
            if (!same(header, wanted[at]!)) {
              lied = true;
              return {};
            }
            found.push(message.filter);
            return found.length === hashes.length ? {} : 'more';
          });
          if (!lied) return found;
          manager.ban(peer, 'filter_not_as_agreed');
        } catch (error) {
          giveUp(manager, peer, error);
        }
      }
    },
  };
}
