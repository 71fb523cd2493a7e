import { CodedError, toHex } from '@keepwatch/base';
import { filterHash, filterHeadersFrom, toInternal, type HeaderChain, type InternalHash } from '@keepwatch/bitcoin';
import { CFCHECKPT_INTERVAL, MAX_CFHEADERS, type PeerMessage } from '@keepwatch/bitcoin/p2p';
import { createAlarm } from '../../alarm.ts';
import type { PeerManager } from '../peers/manager.ts';
import type { Peer } from '../peers/peer.ts';
import type { FilterHeaders } from '../store/filter-headers.ts';
import { giveUp, same, type BlockFetch } from './block-fetch.ts';
import { judgeFilter } from './filter-judge.ts';

export interface FilterSyncDeps {
  readonly chain: HeaderChain;
  readonly filterHeaders: FilterHeaders;
  readonly manager: PeerManager;
  readonly blocks: BlockFetch;
  readonly log: (line: string) => void;
  /** After each step forward. */
  readonly changed: () => void;
}

export interface FilterSync {
  /** Looks again: the chain grew, or was taken back to this height. */
  wake(rewoundTo?: number): void;
  /** A peer has shown how far it is: now it can be asked, and, at the first time, compared with what we have. */
  shown(peer: Peer): void;
  /** A height where filters differ and nobody can say which one is right; null where all is clear. */
  readonly undecided: number | null;
  close(): Promise<void>;
}

interface Claim {
  readonly peer: Peer;
  /** Filter headers of a stretch, in order. */
  readonly headers: readonly InternalHash[];
}

/** Peers asked for the same stretch. The more are asked, the fewer must be honest: one. */
const ASKED_NEAR_TIP = 8;
const ASKED_FAR = 3;
const PAUSE_MS = 1_000;
/** How long a second peer may take to say that it has the block, too. */
const GRACE_MS = 2_000;

/**
 * Brings the filter headers to the tip of the chain. Every stretch is asked of several peers; where they differ, the block
 * itself says who is right, and the others are banned. One honest peer among them is enough.
 */
export function createFilterSync(deps: FilterSyncDeps): FilterSync {
  const { chain, filterHeaders, manager, log } = deps;
  const ending = new AbortController();
  const alarm = createAlarm(ending.signal);
  let undecided: number | null = null;
  let waitedFor: string | undefined;
  const compared = new Set<number>();
  /** Peers that differ from what we had: they are asked whatever happens, so that one of us is put right. */
  const suspects = new Set<number>();
  const running = run();

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        if (filterHeaders.height() < chain.tip().height) {
          if (await step()) continue;
        }
        await alarm.rest(filterHeaders.height() < chain.tip().height ? PAUSE_MS : 3_600_000);
      } catch (error) {
        if (ending.signal.aborted) return;
        log(`filter headers: ${String(error)}`);
        await alarm.rest(PAUSE_MS);
      }
    }
  }

  /** One stretch. `true`: there was progress. */
  async function step(): Promise<boolean> {
    const start = filterHeaders.height() + 1;
    const stop = Math.min(start + MAX_CFHEADERS - 1, chain.tip().height);
    const stopHash = chain.at(stop)!.hash;
    const before = filterHeaders.at(start - 1);
    const far = chain.tip().height - stop > MAX_CFHEADERS;
    const all = manager.filterPeers();
    const peers = all.filter((peer) => peer.height >= stop);
    // At the tip one may be a moment ahead of the others: two opinions are worth a moment.
    if (peers.length < Math.min(2, all.length) && waitedFor !== stopHash) {
      waitedFor = stopHash;
      await alarm.rest(GRACE_MS);
      return true;
    }
    const asked = peers.filter((peer, i) => i < (far ? ASKED_FAR : ASKED_NEAR_TIP) || suspects.has(peer.id));
    const claims = (await Promise.all(asked.map((peer) => ask(peer, start, stop, before)))).filter(
      (claim) => claim !== undefined,
    );
    // A reorganisation came in between: what was asked for is no longer on the chain.
    if (claims.length === 0 || chain.at(stop)?.hash !== stopHash || filterHeaders.height() !== start - 1) return false;
    const agreed = await settle(claims, start);
    if (agreed === undefined || chain.at(stop)?.hash !== stopHash || filterHeaders.height() !== start - 1) return false;
    filterHeaders.append(agreed);
    deps.changed();
    return true;
  }

  async function ask(
    peer: Peer,
    startHeight: number,
    stopHeight: number,
    before: InternalHash,
  ): Promise<Claim | undefined> {
    const stop = toInternal(chain.at(stopHeight)!.hash)!;
    try {
      const answer = await peer.ask({ kind: 'getcfheaders', startHeight, stop }, (message: PeerMessage) =>
        message.kind === 'cfheaders' && same(message.stop, stop) ? message : undefined,
      );
      if (answer.filterHashes.length !== stopHeight - startHeight + 1) {
        manager.ban(peer, 'filter_headers_short');
        return undefined;
      }
      if (!same(answer.previous, before)) {
        // It differs further below, or we were wrong there: its checkpoints say where.
        await compare(peer);
        return undefined;
      }
      return { peer, headers: filterHeadersFrom(before, answer.filterHashes) };
    } catch (error) {
      // A node that has not indexed the block yet does not answer; one that never does is of no use.
      if (manager.peers().includes(peer)) giveUp(manager, peer, error);
      return undefined;
    }
  }

  /** The one list that the peers agree on after the liars are gone; `undefined`: ask again. */
  async function settle(claims: readonly Claim[], start: number): Promise<readonly InternalHash[] | undefined> {
    const [first, ...others] = claims as [Claim, ...Claim[]];
    for (let i = 0; i < first.headers.length; i++) {
      if (others.every(({ headers }) => same(headers[i]!, first.headers[i]!))) continue;
      const winner = await judge(claims, start + i, i);
      if (winner === undefined) return undefined;
      return settle(
        claims.filter(({ headers }) => same(headers[i]!, winner)),
        start,
      );
    }
    return first.headers;
  }

  /** Who is right about the filter of one block. Up to this block all claims are the same. */
  async function judge(claims: readonly Claim[], height: number, index: number): Promise<InternalHash | undefined> {
    const ref = chain.at(height)!;
    log(`peers differ about the filter of block ${height}; the block decides`);
    const block = await deps.blocks.block(ref, ending.signal);
    const possible: { claim: Claim; filter: Uint8Array; right: boolean }[] = [];
    for (const claim of claims) {
      const filter = await filterOf(claim.peer, height, block.hash);
      if (filter === undefined) continue;
      const before = claim.headers[index - 1] ?? filterHeaders.at(height - 1);
      const [header] = filterHeadersFrom(before, [filterHash(filter)]);
      const verdict = same(header!, claim.headers[index]!) ? judgeFilter(block, filter) : 'wrong';
      if (verdict === 'wrong') manager.ban(claim.peer, 'filter_wrong');
      else possible.push({ claim, filter, right: verdict === 'right' });
    }
    const sure = possible.filter(({ right }) => right);
    const left = sure.length > 0 ? sure : possible;
    const groups = Map.groupBy(left, ({ claim }) => toHex(claim.headers[index]!));
    if (groups.size > 1) {
      undecided = height;
      log(`two filters of block ${height} are possible: the one that more peers have, or that holds more, is taken`);
    }
    const best = [...groups.values()].sort(
      (a, b) => b.length - a.length || b[0]!.filter.length - a[0]!.filter.length,
    )[0];
    return best?.[0]!.claim.headers[index];
  }

  async function filterOf(peer: Peer, height: number, block: InternalHash): Promise<Uint8Array | undefined> {
    try {
      const answer = await peer.ask({ kind: 'getcfilters', startHeight: height, stop: block }, (message) =>
        message.kind === 'cfilter' && same(message.block, block) ? message : undefined,
      );
      return answer.filter;
    } catch (error) {
      // Who claims a filter and does not show it loses.
      giveUp(manager, peer, error);
      return undefined;
    }
  }

  /**
   * Compares a peer's checkpoints (every 1,000th filter header) with ours. Where they differ, what we have above the last
   * equal one is asked for again, of this peer as well: then the blocks decide, and the peer or our old belief goes.
   */
  async function compare(peer: Peer): Promise<void> {
    const top = Math.min(filterHeaders.height(), peer.height);
    if (top < CFCHECKPT_INTERVAL || !manager.filterPeers().includes(peer)) {
      if (top >= chain.root.height) await compareRest(peer, chain.root.height - 1, top);
      return;
    }
    const stop = toInternal(chain.at(top)!.hash)!;
    const answer = await peer.ask({ kind: 'getcfcheckpt', stop }, (message) =>
      message.kind === 'cfcheckpt' && same(message.stop, stop) ? message : undefined,
    );
    let equal = chain.root.height - 1;
    for (const [i, header] of answer.headers.entries()) {
      const height = (i + 1) * CFCHECKPT_INTERVAL;
      if (height > top || height > filterHeaders.height() || height < chain.root.height) continue;
      if (!same(header, filterHeaders.at(height))) return rewindTo(equal, peer);
      equal = height;
    }
    if (answer.headers.length !== Math.floor(top / CFCHECKPT_INTERVAL))
      return manager.ban(peer, 'filter_headers_short');
    await compareRest(peer, equal, top);
  }

  async function compareRest(peer: Peer, equal: number, top: number): Promise<void> {
    if (top <= equal) return;
    const stop = toInternal(chain.at(top)!.hash)!;
    const start = Math.max(equal + 1, top - MAX_CFHEADERS + 1);
    const answer = await peer.ask({ kind: 'getcfheaders', startHeight: start, stop }, (message) =>
      message.kind === 'cfheaders' && same(message.stop, stop) ? message : undefined,
    );
    const last = filterHeadersFrom(answer.previous, answer.filterHashes).at(-1);
    if (last && top <= filterHeaders.height() && !same(last, filterHeaders.at(top))) rewindTo(equal, peer);
  }

  function rewindTo(height: number, peer: Peer): void {
    log(`a peer has other filter headers above block ${height}: all are asked again`);
    suspects.add(peer.id);
    filterHeaders.rewind(height);
    alarm.ring();
  }

  const stopListening = manager.listen({
    left(peer) {
      suspects.delete(peer.id);
      compared.delete(peer.id);
    },
  });

  return {
    wake(rewoundTo) {
      if (rewoundTo !== undefined) filterHeaders.rewind(rewoundTo);
      alarm.ring();
    },
    shown(peer) {
      alarm.ring();
      if (compared.has(peer.id) || !manager.filterPeers().includes(peer) || filterHeaders.height() < chain.root.height)
        return;
      compared.add(peer.id);
      // Somebody new may know better than those who were here.
      compare(peer).catch((error: unknown) => {
        if (error instanceof CodedError) manager.drop(peer, error.code);
        else log(`filter headers: ${String(error)}`);
      });
    },
    get undecided() {
      return undecided;
    },
    async close() {
      stopListening();
      ending.abort();
      await running;
    },
  };
}
