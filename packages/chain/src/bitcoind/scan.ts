import { availableParallelism } from 'node:os';
import { CodedError, type Entropy } from '@keepwatch/base';
import {
  consensusOf,
  createScanner,
  readBlock,
  toInternal,
  type Layout,
  type MatchedTx,
  type Network,
} from '@keepwatch/bitcoin';
import { backfill, type PastBlock } from '../backfill/backfill.ts';
import type { BlockRef, ScanEvent, ScanRequest } from '../source.ts';
import { createScanPace, reorganised } from '../scan-pace.ts';
import { differs, refOf, type NodeBlocks } from './blocks.ts';

export interface ScanDeps {
  readonly blocks: NodeBlocks;
  readonly network: Network;
  readonly entropy: Entropy;
  readonly nowMs: () => number;
  /** Threads that look through blocks besides this one; 0: none. Default: as many as pay on this machine. */
  readonly workers?: number;
}

interface Scanned {
  readonly block: BlockRef;
  readonly matches: readonly MatchedTx[];
}

/** Blocks under way from the node while others are looked at, and headers asked for at a time. */
const AHEAD = 8;
const HEADERS_AT_ONCE = 200;
/** Fewer blocks are looked through before threads have started. */
const WORTH_THREADS = 2_000;
const MOST_WORKERS = 4;

/** Past blocks from a node, in order, each whole. Throws `block_pruned` where the node no longer has the first one. */
export async function* scanNode(deps: ScanDeps, request: ScanRequest, signal: AbortSignal): AsyncGenerator<ScanEvent> {
  const { blocks, nowMs } = deps;
  const { from } = request;
  const end = Math.min(request.to ?? Infinity, (await blocks.best()).height);
  if (end < from) return;
  const kept = await blocks.lowestKept();
  if (kept > from) throw pruned(from, kept);
  const workers = deps.workers ?? (end - from < WORTH_THREADS ? 0 : Math.min(MOST_WORKERS, availableParallelism()));
  // Read to where the threads that look through them see them: nothing is copied between.
  const allocate = workers > 0 ? (byteLength: number) => new SharedArrayBuffer(byteLength) : undefined;
  const past = pastBlocks(blocks, from, end, allocate, signal);
  const scanned = workers > 0 ? onWorkers(past, deps, request, workers, signal) : here(past, deps, request);
  const pace = createScanPace(from, end, nowMs);
  let last: BlockRef | undefined;
  for await (const { block, matches } of scanned) {
    last = block;
    if (matches.length > 0) yield { kind: 'match', block, matches };
    const progress = pace(block.height);
    if (progress && block.height < end) yield progress;
    if (signal.aborted) return;
  }
  if (signal.aborted) return;
  // The last blocks may have been taken back since they were asked for.
  if (!last || (await blocks.header(last.hash))?.confirmations === -1) throw reorganised(end);
  yield pace(end)!;
}

/** Blocks in order, each the child of the one before; a few are fetched ahead. */
async function* pastBlocks(
  blocks: NodeBlocks,
  from: number,
  to: number,
  allocate: ((byteLength: number) => SharedArrayBuffer) | undefined,
  signal: AbortSignal,
): AsyncGenerator<PastBlock> {
  let before: string | undefined;
  const under: Promise<PastBlock>[] = [];
  for (let height = from; height <= to && !signal.aborted; height += HEADERS_AT_ONCE) {
    const count = Math.min(HEADERS_AT_ONCE, to - height + 1);
    const headers = await blocks.headersFrom(height, count);
    if (headers.length < count) throw reorganised(height);
    for (const header of headers) {
      if (before !== undefined && header.previousblockhash !== before) throw reorganised(header.height);
      before = header.hash;
      const block = refOf(header);
      const fetched = blocks.raw(block.hash, allocate).then((bytes) => ({ block, bytes }));
      // Whoever stops early waits for it no more.
      fetched.catch(() => undefined);
      under.push(fetched);
      if (under.length > AHEAD) yield await under.shift()!;
    }
  }
  for (const fetched of under) yield await fetched;
}

async function* here(past: AsyncIterable<PastBlock>, deps: ScanDeps, request: ScanRequest): AsyncGenerator<Scanned> {
  const scanner = createScanner(deps);
  scanner.addScripts(request.scripts);
  scanner.addOutpoints(request.outpoints ?? []);
  const params = consensusOf(deps.network);
  let reuse: Layout | undefined;
  for await (const { block, bytes } of past) {
    const read = readBlock(bytes, { hash: toInternal(block.hash)!, height: block.height, params }, reuse);
    if (!read.ok) throw differs(block.hash, read.error);
    reuse = read.value.layout;
    yield { block, matches: scanner.scanBlock(read.value.layout, read.value.txids) };
  }
}

async function* onWorkers(
  past: AsyncIterable<PastBlock>,
  { network }: ScanDeps,
  { scripts, outpoints = [] }: ScanRequest,
  workers: number,
  signal: AbortSignal,
): AsyncGenerator<Scanned> {
  for await (const event of backfill(past, { network, scripts, outpoints, workers }, signal)) {
    if (event.kind === 'refused') throw differs(event.block.hash, event.code);
    yield event;
  }
}

function pruned(from: number, kept: number): CodedError {
  return new CodedError('block_pruned', `The node no longer has block ${from}; it is pruned up to block ${kept - 1}.`, {
    remedy: `Scan from ${kept} on, with a node that keeps all blocks, or with the light client.`,
    details: { from, lowestKept: kept },
  });
}
