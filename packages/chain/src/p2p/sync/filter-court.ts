import type { HeaderPoint, InternalHash } from '@keepwatch/bitcoin';
import type { PeerManager } from '../peers/manager.ts';
import type { Peer } from '../peers/peer.ts';
import { same, type BlockFetch } from './block-fetch.ts';
import { judgeFilter, type FilterVerdict } from './filter-judge.ts';
import type { FilterTalk } from './filter-talk.ts';

/** Peers that say the same about the filter of one block. */
export interface Side {
  readonly hash: InternalHash;
  readonly peers: readonly Peer[];
}

/** `unshown`: nobody who claims it shows it. */
export interface Ruling {
  readonly side: Side;
  readonly verdict: FilterVerdict | 'unshown';
  /** Bytes of the filter. */
  readonly length: number;
}

export interface FilterCourt {
  /**
   * Who is right about the filter of one block: the block itself decides. Peers whose filter it refutes are banned. The
   * rulings come in the order of the sides.
   */
  rule(
    block: Pick<HeaderPoint, 'height' | 'hash'>,
    sides: readonly Side[],
    signal: AbortSignal,
  ): Promise<readonly Ruling[]>;
}

export function createFilterCourt(deps: {
  readonly manager: PeerManager;
  readonly talk: FilterTalk;
  readonly blocks: BlockFetch;
  readonly log: (line: string) => void;
}): FilterCourt {
  const { manager, talk, blocks, log } = deps;

  return {
    async rule(ref, sides, signal) {
      const { height } = ref;
      log(`peers differ about the filter of block ${height}; the block decides`);
      const block = await blocks.block(ref, signal);
      const shown = await Promise.all(
        sides.map(async (side): Promise<Ruling> => {
          for (const peer of side.peers) {
            const filter = await talk.filter(peer, height, side.hash);
            if (filter) return { side, verdict: judgeFilter(block, filter), length: filter.length };
          }
          return { side, verdict: 'unshown', length: 0 };
        }),
      );
      const right = shown.find(({ verdict }) => verdict === 'right');
      const rulings = right
        ? shown.map((each) => (same(each.side.hash, right.side.hash) ? each : { ...each, verdict: 'wrong' as const }))
        : shown;
      for (const { side, verdict } of rulings) {
        if (verdict === 'wrong') for (const peer of side.peers) manager.ban(peer, 'filter_wrong');
      }
      return rulings;
    },
  };
}
