import { CodedError } from '@keepwatch/base';
import {
  createFilterMatcher,
  toInternal,
  type FilterMatcher,
  type HeaderChain,
  type InternalHash,
  type MatchedTx,
  type WatchMark,
} from '@keepwatch/bitcoin';
import type { BlockRef, ChainEvent, Cursor } from '../source.ts';
import type { Coins } from './coins.ts';
import type { LightClient } from './light-client.ts';
import { same } from './sync/block-fetch.ts';
import type { CheckedFilter } from './sync/filter-fetch.ts';

/**
 * Tells the blocks of the best chain one after the other, and takes back those that are no longer on it, tip first. Where a
 * filter was believed that turns out to be false, the blocks from there on are looked at again; one that holds more than
 * was told is taken back, with all above it, and told again.
 */
export interface Follower {
  readonly tip: BlockRef | null;
  /** Filters of blocks were false that are too deep to be looked at again: from this height on; null mostly. */
  readonly missed: number | null;
  /** The next event, or `undefined` where nothing is left to tell for now. */
  next(signal: AbortSignal): Promise<Told | undefined>;
}

export type Told =
  | Extract<ChainEvent, { kind: 'connected' }>
  | (Extract<ChainEvent, { kind: 'disconnected' }> & { readonly matches: readonly MatchedTx[] });

/** Remembered, to take back: deeper than any reorganisation that a live chain has seen. */
const REMEMBERED = 2_016;
const FILTERS_AT_ONCE = 100;

/**
 * How it is known what a block holds: by the block itself, by the filter that this filter header commits to, or by an
 * earlier run, which kept no ground.
 */
type Ground = 'block' | 'earlier' | InternalHash;

interface Look {
  readonly matches: readonly MatchedTx[];
  /** For what it was looked through. */
  readonly watched: WatchMark;
  readonly ground: Ground;
}

interface Own extends BlockRef, Omit<Look, 'watched'> {
  /** Whether it was told, by this run or, with a cursor, by one before. */
  readonly told: boolean;
}

export function createFollower(client: LightClient, coins: Coins, from: Cursor | null): Follower {
  const { chain, filterHeaders, filterSync, replaced } = client;
  const own = [...(from?.blocks ?? [])].reverse().map((block) => known(block, true));
  let ready = new Map<string, CheckedFilter>();
  let matcher: { readonly version: number; readonly filter: FilterMatcher | null } | undefined;
  let revision = replaced.from === null ? filterSync.revision : -1;
  /** Blocks from this height on are taken back and told again. */
  let again = Infinity;

  /** Without a cursor the tip of this moment is told first; those below are known, for a fork may lie deeper. */
  function begin(): void {
    const tip = chain.tip().height;
    for (let height = Math.max(chain.root.height, tip - 144); height < tip; height++) {
      own.push(known(chain.at(height)!, false));
    }
    // On an empty chain there is nothing below.
    if (own.length === 0) own.push(known({ ...chain.root, height: chain.root.height - 1 }, false));
  }

  /** What a cursor left out: its last block alone may be given, and that one may be gone, or one below be in question. */
  function complete(): void {
    for (let tip = own[0]!; ; tip = own[0]!) {
      const found = chain.find(tip.hash);
      if (!found) return;
      const wanted = tip.told && tip.height >= (replaced.from ?? Infinity) && own.length < REMEMBERED;
      if (found.onBest && !wanted) return;
      const parent = chain.parentOf(tip.hash);
      if (!parent) return;
      own.unshift(known(parent, tip.told));
    }
  }

  function matcherNow(): FilterMatcher | null {
    if (matcher?.version !== coins.version) {
      const scripts = [...coins.filterScripts()];
      matcher = { version: coins.version, filter: scripts.length > 0 ? createFilterMatcher(scripts) : null };
    }
    return matcher.filter;
  }

  async function look(block: BlockRef, signal: AbortSignal): Promise<Look | undefined> {
    if (matcherNow() === null) return { matches: [], watched: coins.watch.mark(), ground: 'block' };
    const header = filterHeaders.at(block.height);
    const inside = filterSync.isUndecided(block.height);
    if (!inside && !same(ready.get(block.hash)?.header ?? NO_HEADER, header)) {
      const filters = await client.filters.filters(block.height, FILTERS_AT_ONCE, signal);
      ready = new Map(filters.map((each) => [each.block, each]));
    }
    const found = ready.get(block.hash);
    // A reorganisation came in between.
    if ((!found && !inside) || !onBest(chain, block)) return undefined;
    const filter = inside ? null : found!.filter;
    const matched = filter && matcherNow()?.matches(filter, toInternal(block.hash)!);
    // A filter that cannot be read is as its header says, so the block itself is looked at.
    if (matched?.ok && !matched.value) return { matches: [], watched: coins.watch.mark(), ground: found!.header };
    const read = await client.blocks.block(block, signal);
    const matches = coins.scanner.scanBlock(read.layout, read.txids);
    for (const match of matches) coins.learn(match);
    return { matches, watched: coins.watch.mark(), ground: 'block' };
  }

  function inQuestion({ ground, told, height }: Own): boolean {
    if (!told || ground === 'block') return false;
    if (filterSync.isUndecided(height)) return true;
    if (ground === 'earlier') return replaced.from !== null && height >= replaced.from;
    return !same(ground, filterHeaders.at(height));
  }

  /** Looks again at what was told on a ground that is in question now. `false`: that cannot be done yet. */
  async function reconsider(signal: AbortSignal): Promise<boolean> {
    const wanted = filterSync.revision;
    complete();
    // The lowest one is there for the fork alone: nothing below it could be named.
    for (let i = 1; i < own.length; i++) {
      const block = own[i]!;
      if (block.height > filterHeaders.height() || !onBest(chain, block)) return false;
      if (!inQuestion(block)) continue;
      const seen = await look(block, signal);
      if (seen === undefined) return false;
      if (seen.matches.length > 0) {
        again = block.height;
        break;
      }
      own[i] = { ...block, matches: seen.matches, ground: seen.ground };
    }
    revision = wanted;
    return true;
  }

  /** Whether all that may have been told wrongly is remembered here. */
  function remembersAll(): boolean {
    const [oldest] = own;
    if (replaced.from === null || oldest === undefined) return true;
    return !oldest.told || oldest.height < replaced.from || oldest.height === chain.root.height;
  }

  return {
    get tip() {
      return own.findLast(({ told }) => told) ?? null;
    },
    get missed() {
      return remembersAll() ? null : replaced.from;
    },
    async next(signal) {
      if (!client.headers.synced && own.length === 0) return undefined;
      if (own.length === 0) {
        if (!client.synced()) return undefined;
        begin();
      }
      const last = own.at(-1)!;
      const gone = last.height >= chain.root.height && !onBest(chain, last);
      if (gone || last.height >= again) {
        // Before our peers have told all headers, a block may seem to be gone that is only not known yet.
        if (!client.headers.synced) return undefined;
        complete();
        const fork = own.findLast((block) => onBest(chain, block) && block.height < again);
        if (!fork) {
          throw new CodedError('cursor_unknown', 'None of the blocks that the cursor names is on the chain.', {
            remedy: 'Start without a cursor and scan from the wallet’s birthday.',
          });
        }
        own.pop();
        if (!last.told) return this.next(signal);
        return { kind: 'disconnected', block: refOf(last), fork: refOf(fork), matches: last.matches };
      }
      again = Infinity;
      if (revision !== filterSync.revision) {
        return client.headers.synced && (await reconsider(signal)) ? this.next(signal) : undefined;
      }
      const height = last.height + 1;
      if (height > filterHeaders.height()) {
        // Nothing is left to tell: what was false is put right, as far as it is remembered.
        if (replaced.from !== null && remembersAll() && client.synced()) replaced.clear();
        return undefined;
      }
      const block = refOf(chain.at(height)!);
      const seen = await look(block, signal);
      if (seen === undefined) return this.next(signal);
      const { matches, watched, ground } = seen;
      own.push({ ...block, told: true, matches, ground });
      if (own.length > REMEMBERED) own.shift();
      return { kind: 'connected', block, matches, watched };
    },
  };
}

const known = (block: BlockRef, told: boolean): Own => ({
  ...block,
  told,
  matches: [],
  ground: told ? 'earlier' : 'block',
});

/** Of no block. */
const NO_HEADER = new Uint8Array(32) as InternalHash;

const onBest = (chain: HeaderChain, { height, hash }: BlockRef) => chain.at(height)?.hash === hash;
const refOf = ({ height, hash, timeSeconds }: BlockRef): BlockRef => ({ height, hash, timeSeconds });
