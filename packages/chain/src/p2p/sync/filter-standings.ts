import type { HeaderChain, InternalHash } from '@keepwatch/bitcoin';
import type { PeerManager } from '../peers/manager.ts';
import type { Peer } from '../peers/peer.ts';
import type { FilterHeaders } from '../store/filter-headers.ts';

/** How far a peer's filter headers were compared with ours. */
export interface Standing {
  readonly height: number;
  /** The peer's own filter header there: ours, unless it differs below in what nobody can decide. */
  readonly own: InternalHash;
  /** Heights where its filter is another one than ours, and the block refutes neither. */
  readonly doubts: readonly number[];
}

/** What each peer stands for. Whoever was not compared stands for nothing, and is not blamed for what others said. */
export interface Standings {
  of(peer: Peer): Standing;
  set(peer: Peer, standing: Standing): void;
  /** Whether it claims the filters from `start` to `stop` that we take for the right ones. */
  standsFor(peer: Peer, start: number, stop: number): boolean;
  /** The chain, or what we believe of it, was taken back to this height. */
  rewound(height: number): void;
  /** The lowest doubt of a peer that is here; null where there is none. */
  lowestDoubt(): number | null;
  /** The lowest height where nobody that is here has our filter, and somebody has another; null mostly. */
  deserted(): number | null;
  close(): void;
}

/** Who differs from what is believed in more blocks is left: each of them costs the download of a block. */
const MAX_DOUBTS = 50;

export function createStandings(manager: PeerManager, chain: HeaderChain, filterHeaders: FilterHeaders): Standings {
  const standings = new Map<number, Standing>();
  const stop = manager.listen({ left: ({ id }) => void standings.delete(id) });
  const nothing = (): Standing => {
    const height = chain.root.height - 1;
    return { height, own: filterHeaders.at(height), doubts: [] };
  };

  const doubtsOf = () => [...standings.values()].flatMap(({ doubts }) => doubts);
  const supported = (height: number) =>
    [...standings.values()].some((each) => each.height >= height && !each.doubts.includes(height));

  return {
    of: ({ id }) => standings.get(id) ?? nothing(),
    set(peer, standing) {
      if (!manager.peers().includes(peer)) return;
      standings.set(peer.id, standing);
      if (standing.doubts.length > MAX_DOUBTS) manager.drop(peer, 'filter_undecided');
    },
    standsFor({ id }, start, stop) {
      const standing = standings.get(id);
      return (
        standing !== undefined &&
        standing.height >= stop &&
        !standing.doubts.some((height) => height >= start && height <= stop)
      );
    },
    rewound(height) {
      for (const [id, standing] of standings) {
        if (standing.height <= height) continue;
        // What a peer on a branch of its own said at that height is not kept: it is compared from the beginning.
        if (standing.doubts.length > 0) standings.delete(id);
        else standings.set(id, { height, own: filterHeaders.at(height), doubts: [] });
      }
    },
    lowestDoubt() {
      const doubts = doubtsOf();
      return doubts.length > 0 ? Math.min(...doubts) : null;
    },
    deserted() {
      const doubts = doubtsOf().filter((height) => !supported(height));
      return doubts.length > 0 ? Math.min(...doubts) : null;
    },
    close: () => void stop(),
  };
}
