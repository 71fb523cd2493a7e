import type { Entropy } from '@keepwatch/base';
import { createFilterMatcher, toInternal } from '@keepwatch/bitcoin';
import { createScanPace } from '../scan-pace.ts';
import type { ScanEvent, ScanRequest } from '../source.ts';
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
  while (!client.synced()) {
    if (signal.aborted) return;
    await rung(client, signal);
  }
  const from = Math.max(request.from, chain.root.height);
  const to = Math.min(request.to ?? Infinity, filterHeaders.height());
  if (to < from) return;
  const coins = createCoins(deps.entropy, () => undefined);
  coins.watch.addScripts(request.scripts);
  coins.watch.addOutpoints(request.outpoints ?? []);
  const matcher = createFilterMatcher(coins.filterScripts());
  const pace = createScanPace(from, to, deps.nowMs);
  const under: { readonly start: number; readonly filters: Promise<readonly Uint8Array[]> }[] = [];
  const fill = (next: number) => {
    for (
      let start = (under.at(-1)?.start ?? next - BATCH) + BATCH;
      under.length < AHEAD && start <= to;
      start += BATCH
    ) {
      const filters = client.filters.filters(start, Math.min(BATCH, to - start + 1), signal);
      // An abort rejects those that nobody waits for any more.
      filters.catch(() => undefined);
      under.push({ start, filters });
    }
  };

  for (let height = from; height <= to && !signal.aborted;) {
    fill(height);
    const { filters } = under.shift()!;
    for (const filter of await filters) {
      const point = chain.at(height);
      if (!point || height > to) return;
      const block = { height, hash: point.hash, timeSeconds: point.timeSeconds };
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
