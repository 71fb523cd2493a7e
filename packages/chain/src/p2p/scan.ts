import type { Entropy } from '@keepwatch/base';
import { createFilterMatcher, toInternal } from '@keepwatch/bitcoin';
import { createScanPace, reorganised } from '../scan-pace.ts';
import type { BlockRef, ScanEvent, ScanRequest } from '../source.ts';
import { createCoins } from './coins.ts';
import type { LightClient } from './light-client.ts';

/** Filters of one question, and questions under way at once. */
const BATCH = 200;
const AHEAD = 4;

/**
 * Looks through past blocks by their filters; blocks are fetched only where a filter matches. To go on after a kill, scan
 * from the height behind the last progress, with the coins found so far as outpoints.
 */
export async function* scanFilters(
  client: LightClient,
  deps: { readonly entropy: Entropy; readonly nowMs: () => number },
  request: ScanRequest,
  signal: AbortSignal,
): AsyncGenerator<ScanEvent> {
  const { chain, filterHeaders } = client;
  await untilSynced(client, signal);
  if (signal.aborted) return;
  const from = Math.max(request.from, chain.root.height);
  const to = Math.min(request.to ?? Infinity, filterHeaders.height());
  if (to < from) return;
  const coins = createCoins(deps.entropy, () => undefined);
  coins.watch.addScripts(request.scripts);
  coins.watch.addOutpoints(request.outpoints ?? []);
  const matcher = createFilterMatcher(coins.filterScripts());
  const pace = createScanPace(from, to, deps.nowMs);
  const under: { readonly start: number; readonly end: BlockRef; readonly filters: Promise<readonly Uint8Array[]> }[] =
    [];
  /** The filters at hand are those of blocks below this one, so it has to stay. */
  const stays = (block: BlockRef | undefined) => block === undefined || chain.at(block.height)?.hash === block.hash;
  const fill = (next: number) => {
    for (
      let start = (under.at(-1)?.start ?? next - BATCH) + BATCH;
      under.length < AHEAD && start <= to;
      start += BATCH
    ) {
      const end = chain.at(Math.min(start + BATCH - 1, to));
      if (!end) throw reorganised(start);
      const filters = client.filters.filters(start, end.height - start + 1, signal);
      // An abort rejects those that nobody waits for any more.
      filters.catch(() => undefined);
      under.push({ start, end, filters });
    }
  };

  let last: BlockRef | undefined;
  for (let height = from; height <= to && !signal.aborted;) {
    fill(height);
    const { filters, end } = under.shift()!;
    for (const filter of await filters) {
      const point = chain.at(height);
      if (!point || !stays(last) || !stays(end)) throw reorganised(height);
      const block = { height, hash: point.hash, timeSeconds: point.timeSeconds };
      last = block;
      const matched = matcher.matches(filter, toInternal(point.hash)!);
      if (!matched.ok || matched.value) {
        const read = await client.blocks.block(block, signal);
        const matches = coins.scanner.scanBlock(read.layout, read.txids);
        if (matches.length > 0) yield { kind: 'match', block, matches };
      }
      const progress = pace(height++);
      if (progress) yield progress;
    }
    // Shorter than asked for: the chain became shorter. What follows is asked for anew.
    if (under.length > 0 && under[0]!.start !== height) under.length = 0;
  }
}

/** Resolves when headers and filter headers are as far as those of our peers, or at an abort. */
export async function untilSynced(client: LightClient, signal: AbortSignal): Promise<void> {
  while (!client.synced() && !signal.aborted) await rung(client, signal);
}

function rung(client: LightClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = client.listen(done);
    signal.addEventListener('abort', done, { once: true });
  });
}
