import { filterHeader, filterHeadersFrom, type HeaderChain, type InternalHash } from '@keepwatch/bitcoin';
import { CFCHECKPT_INTERVAL, MAX_CFHEADERS } from '@keepwatch/bitcoin/p2p';
import type { PeerManager } from '../peers/manager.ts';
import type { Peer } from '../peers/peer.ts';
import type { FilterHeaders } from '../store/filter-headers.ts';
import { same } from './block-fetch.ts';
import type { FilterCourt, Side } from './filter-court.ts';
import type { Standing, Standings } from './filter-standings.ts';
import type { FilterTalk } from './filter-talk.ts';

export interface FilterCheckDeps {
  readonly chain: HeaderChain;
  readonly filterHeaders: FilterHeaders;
  readonly manager: PeerManager;
  readonly standings: Standings;
  readonly talk: FilterTalk;
  readonly court: FilterCourt;
  /** The filter hash that we believe at a height, where it is remembered. */
  readonly hashAt: (height: number) => InternalHash | undefined;
  /** Nobody can decide about this block: whoever wants to know what is in it looks into it. */
  readonly undecided: (height: number) => void;
  /** What was believed from this height on is false, or nobody stands for it any more. */
  readonly replace: (height: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Compares what we believe already with a peer that was not asked when we came to believe it: one that came later, or that
 * had the block a moment after the others. So whoever was alone with a lie for a moment is found out by the next one.
 */
export function createFilterCheck(deps: FilterCheckDeps): (peer: Peer) => Promise<void> {
  const { chain, filterHeaders, manager, standings, talk, court } = deps;
  const here = (peer: Peer) => manager.peers().includes(peer);
  const topOf = (peer: Peer) => Math.min(filterHeaders.height(), peer.height);

  async function check(peer: Peer): Promise<void> {
    while (here(peer) && !deps.signal.aborted) {
      const standing = standings.of(peer);
      const top = topOf(peer);
      if (top <= standing.height) return;
      const tipHash = chain.at(top)!.hash;
      const stretch = await stretchOf(peer, standing, top);
      if (stretch === undefined) return;
      const { low, high } = stretch;
      const claim = await talk.headers(peer, low + 1, high);
      if (claim === undefined) return;
      // What was asked about is no longer what is believed: from the beginning.
      const now = standings.of(peer);
      const moved = now.height !== standing.height || !same(now.own, standing.own);
      if (moved || chain.at(top)?.hash !== tipHash || topOf(peer) < top) continue;
      const expected = low === standing.height ? standing.own : filterHeaders.at(low);
      // It differs below from what it said of the same place before.
      if (!same(claim.previous, expected)) return manager.ban(peer, 'filter_headers_contradict');
      const own = filterHeadersFrom(claim.previous, claim.hashes);
      const differs = claim.hashes.findIndex((hash, i) => {
        const height = low + 1 + i;
        if (standing.doubts.length === 0) return !same(own[i]!, filterHeaders.at(height));
        // On a branch of its own its headers all differ. What it says of blocks that are long past is not compared.
        const believed = deps.hashAt(height);
        return believed !== undefined && !same(believed, hash);
      });
      if (differs < 0) {
        if (stretch.different) return manager.ban(peer, 'filter_headers_contradict');
        standings.set(peer, { ...standing, height: high, own: own.at(-1)! });
        continue;
      }
      const before = own[differs - 1] ?? claim.previous;
      await dispute(peer, { ...standing, height: low + differs, own: before }, claim.hashes[differs]!);
    }
  }

  /** Where to look next: behind the last checkpoint that is the same, up to the first one that is not. */
  async function stretchOf(peer: Peer, standing: Standing, top: number) {
    const near = { low: standing.height, high: Math.min(top, standing.height + MAX_CFHEADERS), different: false };
    if (near.high === top || standing.doubts.length > 0) return near;
    const checkpoints = await talk.checkpoints(peer, top);
    if (checkpoints === undefined) return undefined;
    let low = standing.height;
    for (const [i, header] of checkpoints.entries()) {
      const height = (i + 1) * CFCHECKPT_INTERVAL;
      if (height <= standing.height || height > filterHeaders.height()) continue;
      if (!same(header, filterHeaders.at(height))) return { low, high: height, different: true };
      low = height;
    }
    // A tip that is a checkpoint itself is asked for nevertheless: a question for no block at all is answered by none.
    return { low: Math.min(low, top - 1), high: top, different: false };
  }

  /** The peer says `hash` of the block behind `standing`, and we believe another one. */
  async function dispute(peer: Peer, standing: Standing, hash: InternalHash): Promise<void> {
    const height = standing.height + 1;
    const block = chain.at(height)!;
    const believed = filterHeaders.at(height);
    const current = () =>
      chain.at(height)?.hash === block.hash &&
      filterHeaders.height() >= height &&
      same(filterHeaders.at(height), believed);
    const ours = await ourSide(peer, height, believed);
    if (!current()) return;
    const sides: Side[] = [{ hash, peers: [peer] }, ...(ours ? [ours] : [])];
    const [theirs, own] = await court.rule(block, sides, deps.signal);
    if (!current() || theirs!.verdict === 'wrong' || theirs!.verdict === 'unshown') return;
    if (own === undefined || own.verdict === 'wrong' || own.verdict === 'unshown') {
      if (theirs!.verdict === 'possible' && own?.verdict !== 'wrong') deps.undecided(height);
      deps.replace(height);
      standings.set(peer, standing);
      return;
    }
    deps.undecided(height);
    const doubts = [...standing.doubts, height];
    standings.set(peer, { height, own: filterHeader(hash, standing.own), doubts });
  }

  /** Who stands for what we believe, and for which filter that is. */
  async function ourSide(peer: Peer, height: number, believed: InternalHash): Promise<Side | undefined> {
    const supporters = manager
      .filterPeers()
      .filter((each) => each.id !== peer.id && standings.standsFor(each, height, height));
    const remembered = deps.hashAt(height);
    if (remembered) return supporters.length > 0 ? { hash: remembered, peers: supporters } : undefined;
    for (const supporter of supporters) {
      const claim = await talk.headers(supporter, height, height);
      const [hash] = claim?.hashes ?? [];
      if (hash === undefined) continue;
      if (same(filterHeader(hash, filterHeaders.at(height - 1)), believed))
        return { hash, peers: supporters.filter(here) };
      manager.ban(supporter, 'filter_headers_contradict');
    }
    return undefined;
  }

  return check;
}
