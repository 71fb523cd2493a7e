import { CodedError } from '@keepwatch/base';
import {
  createFilterMatcher,
  toInternal,
  type FilterMatcher,
  type HeaderChain,
  type MatchedTx,
} from '@keepwatch/bitcoin';
import type { BlockRef, ChainEvent, Cursor } from '../source.ts';
import type { Coins } from './coins.ts';
import type { LightClient } from './light-client.ts';

/** Tells the blocks of the best chain one after the other, and takes back those that are no longer on it, tip first. */
export interface Follower {
  readonly tip: BlockRef | null;
  /** The next event, or `undefined` where nothing is left to tell for now. */
  next(signal: AbortSignal): Promise<Told | undefined>;
}

export type Told =
  | Extract<ChainEvent, { kind: 'connected' }>
  | (Extract<ChainEvent, { kind: 'disconnected' }> & { readonly matches: readonly MatchedTx[] });

/** Remembered, to take back: deeper than any reorganisation that a live chain has seen. */
const REMEMBERED = 2_016;
const FILTERS_AT_ONCE = 100;

interface Own extends BlockRef {
  /** Whether it was told, by this run or, with a cursor, by one before. */
  readonly told: boolean;
  readonly matches: readonly MatchedTx[];
}

export function createFollower(client: LightClient, coins: Coins, from: Cursor | null): Follower {
  const { chain, filterHeaders } = client;
  const own: Own[] = [...(from?.blocks ?? [])].reverse().map((block) => ({ ...block, told: true, matches: [] }));
  let ready = new Map<string, Uint8Array>();
  let matcher: { readonly version: number; readonly filter: FilterMatcher | null } | undefined;

  /** Without a cursor the tip of this moment is told first; those below are known, for a fork may lie deeper. */
  function begin(): void {
    const tip = chain.tip().height;
    for (let height = Math.max(chain.root.height, tip - 144); height < tip; height++) {
      own.push({ ...chain.at(height)!, told: false, matches: [] });
    }
    // On an empty chain there is nothing below.
    if (own.length === 0) own.push({ ...chain.root, height: chain.root.height - 1, told: false, matches: [] });
  }

  /** What a cursor left out: its last block alone may be given, and that one may be gone. */
  function complete(): void {
    for (let tip = own[0]!; chain.find(tip.hash) && !chain.find(tip.hash)!.onBest; tip = own[0]!) {
      const parent = chain.parentOf(tip.hash);
      if (!parent) return;
      own.unshift({ ...parent, told: true, matches: [] });
    }
  }

  function matcherNow(): FilterMatcher | null {
    if (matcher?.version !== coins.version) {
      const scripts = [...coins.filterScripts()];
      matcher = { version: coins.version, filter: scripts.length > 0 ? createFilterMatcher(scripts) : null };
    }
    return matcher.filter;
  }

  async function matchesIn(block: BlockRef, signal: AbortSignal): Promise<readonly MatchedTx[] | undefined> {
    if (matcherNow() === null) return [];
    if (!ready.has(block.hash)) {
      const filters = await client.filters.filters(block.height, FILTERS_AT_ONCE, signal);
      ready = new Map(filters.map((filter, i) => [chain.at(block.height + i)?.hash ?? '', filter]));
    }
    const filter = ready.get(block.hash);
    // A reorganisation came in between.
    if (!filter || !onBest(chain, block)) return undefined;
    const matched = matcherNow()?.matches(filter, toInternal(block.hash)!);
    // A filter that cannot be read is as its header says, so the block itself is looked at.
    if (matched?.ok && !matched.value) return [];
    const read = await client.blocks.block(block, signal);
    const matches = coins.scanner.scanBlock(read.layout, read.txids);
    for (const match of matches) coins.learn(match);
    return matches;
  }

  return {
    get tip() {
      return own.findLast(({ told }) => told) ?? null;
    },
    async next(signal) {
      if (!client.headers.synced && own.length === 0) return undefined;
      if (own.length === 0) {
        if (!client.synced()) return undefined;
        begin();
      }
      const last = own.at(-1)!;
      if (last.height >= chain.root.height && !onBest(chain, last)) {
        // Before our peers have told all headers, a block may seem to be gone that is only not known yet.
        if (!client.headers.synced) return undefined;
        complete();
        const fork = own.findLast((block) => onBest(chain, block));
        if (!fork) {
          throw new CodedError('cursor_unknown', 'None of the blocks that the cursor names is on the chain.', {
            remedy: 'Start without a cursor and scan from the wallet’s birthday.',
          });
        }
        own.pop();
        if (!last.told) return this.next(signal);
        return { kind: 'disconnected', block: refOf(last), fork: refOf(fork), matches: last.matches };
      }
      const height = last.height + 1;
      if (height > filterHeaders.height()) return undefined;
      const block = refOf(chain.at(height)!);
      const matches = await matchesIn(block, signal);
      if (matches === undefined) return this.next(signal);
      own.push({ ...block, told: true, matches });
      if (own.length > REMEMBERED) own.shift();
      return { kind: 'connected', block, matches };
    },
  };
}

const onBest = (chain: HeaderChain, { height, hash }: BlockRef) => chain.at(height)?.hash === hash;
const refOf = ({ height, hash, timeSeconds }: BlockRef): BlockRef => ({ height, hash, timeSeconds });
