import { toHex } from '@keepwatch/base';
import { filterHeadersFrom, type HeaderChain, type InternalHash } from '@keepwatch/bitcoin';
import { MAX_CFHEADERS } from '@keepwatch/bitcoin/p2p';
import { createAlarm } from '../../alarm.ts';
import type { PeerManager } from '../peers/manager.ts';
import type { Peer } from '../peers/peer.ts';
import type { FilterHeaders } from '../store/filter-headers.ts';
import type { ReplacedMark } from '../store/replaced-mark.ts';
import { same, type BlockFetch } from './block-fetch.ts';
import { createFilterCheck } from './filter-check.ts';
import { createFilterCourt } from './filter-court.ts';
import { createStandings } from './filter-standings.ts';
import { createFilterTalk, type FilterClaim } from './filter-talk.ts';

export interface FilterSyncDeps {
  readonly chain: HeaderChain;
  readonly filterHeaders: FilterHeaders;
  readonly replaced: ReplacedMark;
  readonly manager: PeerManager;
  readonly blocks: BlockFetch;
  readonly log: (line: string) => void;
  /** How long a new block waits for several peers to have it, ms. */
  readonly graceMs: number;
  readonly answerMs: number;
  /** After each step forward, and when what was believed was replaced. */
  readonly changed: () => void;
}

export interface FilterSync {
  /** Looks again: the chain grew, or was taken back to this height. */
  wake(rewoundTo?: number): void;
  /** A peer has shown how far it is: now it can be asked, and compared with what we have. */
  shown(peer: Peer): void;
  /** Whether the peer claims those filters that we take for the right ones. */
  standsFor(peer: Peer, start: number, stop: number): boolean;
  /** Of this block there are two filters and nobody can say which one is right: only the block itself tells. */
  isUndecided(height: number): boolean;
  /** Rises when what was believed of past blocks turned out to be false, or to be in doubt. */
  readonly revision: number;
  /** The lowest height that a revision behind the given one was about; infinite where there was none. */
  revisedSince(revision: number): number;
  /** The lowest height where a peer that is here has another filter, and the block refutes neither; null mostly. */
  readonly undecided: number | null;
  close(): Promise<void>;
}

/** Peers asked for the same stretch. The more are asked, the fewer must be honest: one. */
const ASKED_NEAR_TIP = 8;
const ASKED_FAR = 3;
/** A new block waits a moment until so many of our peers have it. */
const OPINIONS = 4;
const PAUSE_MS = 1_000;
/** Filter hashes remembered, and blocks in doubt: as deep as a follower can take back. */
const REMEMBERED = 2_016;

/**
 * Brings the filter headers to the tip of the chain. Every stretch is asked of several peers, and whoever was not asked, or
 * not yet there, is compared later; where they differ, the block itself says who is right, and the others are banned. One
 * honest peer among them is enough. All questions are asked by one loop, so that no answer is taken for that of another.
 */
export function createFilterSync(deps: FilterSyncDeps): FilterSync {
  const { chain, filterHeaders, manager, blocks, log } = deps;
  const ending = new AbortController();
  const { signal } = ending;
  const alarm = createAlarm(signal);
  const talk = createFilterTalk(manager, chain, deps.answerMs);
  const standings = createStandings(manager, chain, filterHeaders);
  const court = createFilterCourt({ manager, talk, blocks, log });
  const hashes = new Map<number, InternalHash>();
  const doubtful = new Set<number>();
  const revisions: number[] = [];
  let grace: { readonly hash: string; readonly untilMs: number } | undefined;
  const check = createFilterCheck({
    ...{ chain, filterHeaders, manager, standings, talk, court, signal },
    hashAt: (height) => hashes.get(height),
    undecided(height) {
      log(`two filters of block ${height} are possible: whoever watches looks into the block`);
      doubtful.add(height);
      revisions.push(height);
      deps.changed();
    },
    replace,
  });
  // Who left may have been the last one to stand for something.
  const stopListening = manager.listen({ left: () => alarm.ring() });
  const running = run();

  function replace(height: number): void {
    log(`the filter headers from block ${height} on are not believed any more: all are asked again`);
    deps.replaced.set(height);
    rewind(height - 1);
    revisions.push(height);
    deps.changed();
  }

  /** Of two possible filters the one was believed that nobody claims any more. `true`: it was taken back. */
  function followThoseWhoAreHere(): boolean {
    const height = standings.deserted();
    if (height === null) return false;
    replace(height);
    return true;
  }

  function rewind(height: number): void {
    filterHeaders.rewind(height);
    standings.rewound(height);
    for (const each of hashes.keys()) if (each > height) hashes.delete(each);
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const near = chain.tip().height - filterHeaders.height() <= MAX_CFHEADERS;
        if (filterHeaders.height() < chain.tip().height && (await step())) continue;
        if (near && ((await checkAll()) || followThoseWhoAreHere())) continue;
        await alarm.rest(filterHeaders.height() < chain.tip().height ? PAUSE_MS : 3_600_000);
      } catch (error) {
        if (signal.aborted) return;
        log(`filter headers: ${String(error)}`);
        await alarm.rest(PAUSE_MS);
      }
    }
  }

  /** Compares all that were not asked. `true`: there was something to compare. */
  async function checkAll(): Promise<boolean> {
    const late = manager
      .filterPeers()
      .filter((peer) => standings.of(peer).height < Math.min(filterHeaders.height(), peer.height));
    for (const peer of late) await check(peer);
    return late.length > 0;
  }

  /** One stretch. `true`: there was progress, or it is worth to look again at once. */
  async function step(): Promise<boolean> {
    const start = filterHeaders.height() + 1;
    const stop = Math.min(start + MAX_CFHEADERS - 1, chain.tip().height);
    const stopHash = chain.at(stop)!.hash;
    const before = filterHeaders.at(start - 1);
    const far = chain.tip().height - stop > MAX_CFHEADERS;
    const all = manager.filterPeers();
    const peers = all.filter((peer) => peer.height >= stop);
    // At the tip one may be a moment ahead of the others: more opinions are worth a moment.
    if (peers.length < Math.min(OPINIONS, all.length)) {
      const now = performance.now();
      if (grace?.hash !== stopHash) grace = { hash: stopHash, untilMs: now + deps.graceMs };
      if (now < grace.untilMs) {
        await alarm.rest(grace.untilMs - now);
        return true;
      }
    }
    const asked = peers.slice(0, far ? ASKED_FAR : ASKED_NEAR_TIP);
    const claims = (await Promise.all(asked.map((peer) => talk.headers(peer, start, stop)))).filter(
      (claim) => claim !== undefined,
    );
    const current = () => chain.at(stop)?.hash === stopHash && filterHeaders.height() === start - 1;
    // A reorganisation came in between: what was asked for is no longer on the chain.
    if (claims.length === 0 || !current()) return false;
    const heard = claims.filter((claim) => {
      const { height, own } = standings.of(claim.peer);
      return same(claim.previous, height === start - 1 ? own : before);
    });
    const others = claims.filter((claim) => !heard.includes(claim));
    for (const { peer } of others) {
      // It differs further below, or we were wrong there.
      if (standings.of(peer).height < start - 1) await check(peer);
      else manager.ban(peer, 'filter_headers_contradict');
    }
    if (others.length > 0) return true;
    const settled = await settle(heard, start);
    if (settled === undefined) return false;
    if (!current()) return true;
    const agreed = filterHeadersFrom(before, settled.hashes);
    filterHeaders.append(agreed);
    for (const [i, hash] of settled.hashes.entries()) hashes.set(start + i, hash);
    for (const height of hashes.keys()) if (height <= stop - REMEMBERED) hashes.delete(height);
    for (const height of doubtful) if (height <= stop - REMEMBERED) doubtful.delete(height);
    for (const { claim, doubts } of settled.claims) {
      if (doubts.length > 0)
        log(`two filters of block ${doubts[0]} are possible: whoever watches looks into the block`);
      const own = filterHeadersFrom(claim.previous, claim.hashes).at(-1)!;
      standings.set(claim.peer, { height: stop, own, doubts: [...standings.of(claim.peer).doubts, ...doubts] });
    }
    deps.changed();
    return true;
  }

  /** What is believed after the liars are gone, hash by hash; `undefined`: ask again. */
  async function settle(all: readonly FilterClaim[], start: number) {
    let claims = all.map((claim) => ({ claim, doubts: [] as number[] }));
    const believed: InternalHash[] = [];
    for (let i = 0; i < all[0]!.hashes.length; i++) {
      const first = claims[0]!.claim.hashes[i]!;
      if (claims.every(({ claim }) => same(claim.hashes[i]!, first))) {
        believed.push(first);
        continue;
      }
      const height = start + i;
      const groups = [...Map.groupBy(claims, ({ claim }) => toHex(claim.hashes[i]!)).values()];
      const sides = groups.map((group) => ({
        hash: group[0]!.claim.hashes[i]!,
        peers: group.map(({ claim }) => claim.peer),
      }));
      const rulings = await court.rule(chain.at(height)!, sides, signal);
      const standing = rulings
        .filter(({ verdict }) => verdict === 'right' || verdict === 'possible')
        .sort((a, b) => b.side.peers.length - a.side.peers.length || b.length - a.length);
      const [winner] = standing;
      if (winner === undefined) return undefined;
      claims = claims.filter(({ claim }) => standing.some(({ side }) => side.peers.includes(claim.peer)));
      if (standing.length > 1) doubtful.add(height);
      for (const each of claims) if (!winner.side.peers.includes(each.claim.peer)) each.doubts.push(height);
      believed.push(winner.side.hash);
    }
    return { hashes: believed, claims };
  }

  return {
    wake(rewoundTo) {
      if (rewoundTo !== undefined && rewoundTo < filterHeaders.height()) rewind(rewoundTo);
      if (rewoundTo !== undefined) for (const height of doubtful) if (height > rewoundTo) doubtful.delete(height);
      alarm.ring();
    },
    shown: () => alarm.ring(),
    standsFor: standings.standsFor,
    isUndecided: (height) => doubtful.has(height),
    get revision() {
      return revisions.length;
    },
    revisedSince: (revision) => Math.min(...revisions.slice(revision)),
    get undecided() {
      return standings.lowestDoubt();
    },
    async close() {
      ending.abort();
      await running;
      stopListening();
      standings.close();
    },
  };
}
