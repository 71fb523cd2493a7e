import { CodedError } from '@keepwatch/base';
import {
  filterHash,
  filterHeader,
  toInternal,
  type BlockHash,
  type HeaderChain,
  type InternalHash,
} from '@keepwatch/bitcoin';
import { MAX_CFILTERS } from '@keepwatch/bitcoin/p2p';
import type { PeerManager } from '../peers/manager.ts';
import type { FilterHeaders } from '../store/filter-headers.ts';
import { giveUp, same } from './block-fetch.ts';
import type { FilterMemory } from './filter-memory.ts';
import type { FilterSync } from './filter-sync.ts';

/** A filter and the filter header that it was checked against. */
export interface CheckedFilter {
  readonly block: BlockHash;
  /** `null`: peers differ about this one and nobody can decide, so that only the block itself tells. */
  readonly filter: Uint8Array | null;
  readonly header: InternalHash;
}

/** Filters of blocks, each checked against the filter header that our peers agreed on. */
export interface FilterFetch {
  /**
   * Of the blocks from `start` on, at most `count` and not beyond what is agreed; none only where that is below `start`.
   * They lie in `memory`, where it is given, which is reset first.
   */
  filters(start: number, count: number, signal: AbortSignal, memory?: FilterMemory): Promise<readonly CheckedFilter[]>;
}

/** What is agreed, and by whom, may change while nobody is there to ask. */
const LOOK_AGAIN_MS = 1_000;

export function createFilterFetch(
  manager: PeerManager,
  chain: HeaderChain,
  filterHeaders: FilterHeaders,
  filterSync: Pick<FilterSync, 'standsFor' | 'isUndecided'>,
): FilterFetch {
  return {
    async filters(start, count, signal, memory) {
      for (;;) {
        let stop = Math.min(start + Math.min(count, MAX_CFILTERS) - 1, filterHeaders.height());
        // The chain may have become shorter while we asked.
        if (stop < start) return [];
        if (filterSync.isUndecided(start)) {
          return [{ block: chain.at(start)!.hash, filter: null, header: filterHeaders.at(start) }];
        }
        for (let height = start; height <= stop; height++) if (filterSync.isUndecided(height)) stop = height - 1;
        const blocks = Array.from({ length: stop - start + 1 }, (_, i) => chain.at(start + i)!.hash);
        const hashes = blocks.map((hash) => toInternal(hash)!);
        const wanted = hashes.map((_, i) => filterHeaders.at(start + i));
        const before = filterHeaders.at(start - 1);
        // Only of those who claim these filters: who was not compared yet may be right where we were told a lie.
        const wait = AbortSignal.any([signal, AbortSignal.timeout(LOOK_AGAIN_MS)]);
        const peer = await manager.one((each) => filterSync.standsFor(each, start, stop), wait).catch(() => undefined);
        if (signal.aborted) throw new CodedError('closed', 'Stopped before there was a filter.');
        if (peer === undefined) continue;
        const found: Uint8Array[] = [];
        memory?.reset();
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
            found.push(memory?.keep(message.filter) ?? message.filter);
            return found.length === hashes.length ? {} : 'more';
          });
          if (!lied) return found.map((filter, i) => ({ block: blocks[i]!, filter, header: wanted[i]! }));
          manager.ban(peer, 'filter_not_as_agreed');
        } catch (error) {
          giveUp(manager, peer, error);
        }
      }
    },
  };
}
