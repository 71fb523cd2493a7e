import type { Entropy } from '@keepwatch/base';
import { createFilterMatcher, toInternal } from '@keepwatch/bitcoin';
import { createScanPace, reorganised } from '../scan-pace.ts';
import type { BlockRef, ScanEvent, ScanRequest } from '../source.ts';
import { createCoins } from './coins.ts';
import type { LightClient } from './light-client.ts';
import { createFilterMemory, type FilterMemory } from './sync/filter-memory.ts';

/** Filters of one question, and questions under way at once: some megabytes of filters of full blocks. */
const BATCH = 50;
const AHEAD = 2;

interface Asked {
  readonly start: number;
  readonly memory: FilterMemory;
  readonly filters: ReturnType<LightClient['filters']['filters']>;
}

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
  const under: Asked[] = [];
  /** Of batches that were looked through. */
  const free: FilterMemory[] = [];
  /** The filters at hand are those of blocks below this one, so it has to stay. */
  const stays = (block: BlockRef | undefined) => block === undefined || chain.at(block.height)?.hash === block.hash;
  const fill = (next: number) => {
    for (
      let start = (under.at(-1)?.start ?? next - BATCH) + BATCH;
      under.length < AHEAD && start <= to;
      start += BATCH
    ) {
      const memory = free.pop() ?? createFilterMemory();
      const filters = client.filters.filters(start, Math.min(BATCH, to - start + 1), signal, memory);
      // An abort rejects those that nobody waits for any more.
      filters.catch(() => undefined);
      under.push({ start, memory, filters });
    }
  };

  let last: BlockRef | undefined;
  let revision = client.filterSync.revision;
  for (let height = from; height <= to && !signal.aborted;) {
    // A filter that was looked at was false, or is in doubt now: back to it. What was told is told again.
    height = Math.max(from, Math.min(height, client.filterSync.revisedSince(revision)));
    revision = client.filterSync.revision;
    // Their memory goes with them: the answers may still come in.
    if (under.length > 0 && under[0]!.start !== height) under.length = 0;
    fill(height);
    const { memory, filters: asked } = under.shift()!;
    const filters = await asked;
    if (!stays(last) || chain.tip().height < height) throw reorganised(height);
    // What was false is not replaced yet.
    if (filters.length === 0) await rung(client, signal);
    for (const { block: hash, filter } of filters) {
      if (client.filterSync.revision !== revision) break;
      const point = chain.at(height);
      if (!stays(last) || point?.hash !== hash) throw reorganised(height);
      const block = { height, hash, timeSeconds: point.timeSeconds };
      last = block;
      const matched = filter && matcher.matches(filter, toInternal(hash)!);
      if (!matched?.ok || matched.value) {
        const read = await client.blocks.block(block, signal);
        const matches = coins.scanner.scanBlock(read.layout, read.txids);
        if (matches.length > 0) yield { kind: 'match', block, matches };
      }
      const progress = pace(height++);
      if (progress) yield progress;
    }
    free.push(memory);
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
