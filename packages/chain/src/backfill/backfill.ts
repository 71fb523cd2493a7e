import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { CodedError } from '@keepwatch/base';
import {
  createScanner,
  encodeOutpoint,
  layoutBlock,
  toInternal,
  type Layout,
  type MatchedTx,
  type Network,
  type Outpoint,
} from '@keepwatch/bitcoin';
import type { BlockRef } from '../source.ts';
import type { WorkerAnswer, WorkerJob, WorkerStart } from './messages.ts';

/** A block of the past with its place in the chain, as the header chain gives it. */
export interface PastBlock {
  readonly block: BlockRef;
  readonly bytes: Uint8Array;
}

export type BackfillEvent =
  /** The block was checked and looked through; mostly nothing in it matches. */
  | { readonly kind: 'scanned'; readonly block: BlockRef; readonly matches: readonly MatchedTx[] }
  /** The bytes are not the block's (a code of `readBlock`): ask somebody else, and go on from this block. Ends the run. */
  | { readonly kind: 'refused'; readonly block: BlockRef; readonly code: string };

export interface BackfillRequest {
  readonly network: Network;
  readonly scripts: readonly Uint8Array[];
  readonly outpoints: readonly Outpoint[];
  /** Threads besides this one. */
  readonly workers: number;
}

interface InFlight {
  readonly block: BlockRef;
  readonly lane: Lane;
  readonly memory: SharedArrayBuffer;
  readonly length: number;
  /** How many coins had been found when the worker got it. */
  readonly coins: number;
  readonly answer: Promise<WorkerAnswer>;
}

interface Lane {
  readonly worker: Worker;
  readonly free: SharedArrayBuffer[];
  readonly waiting: { resolve(answer: WorkerAnswer): void; reject(error: Error): void }[];
  /** How many of the coins it was told. */
  told: number;
  /** Why it takes no more jobs. */
  failure?: CodedError;
}

/** Blocks that a worker has or waits with. One is not enough to keep it busy. */
const JOBS_EACH = 2;
const MEMORY_STEP = 1 << 20;

/**
 * Looks through blocks of the past, in the order in which they come, on several cores. Workers check each block against its
 * header and say whether anything watched occurs in it, in the memory of the one scanner here; only blocks where something
 * does are looked at again by that scanner, in order. A coin that is found matters to blocks that were already given out:
 * those are looked at again too. So the answer is the same as that of one scanner, block by block.
 */
export async function* backfill(
  blocks: AsyncIterable<PastBlock>,
  request: BackfillRequest,
  signal: AbortSignal,
): AsyncGenerator<BackfillEvent> {
  const scanner = createScanner(
    {
      entropy: (length) => Uint8Array.from(randomBytes(length)),
      allocate: (byteLength) => new SharedArrayBuffer(byteLength),
    },
    { scripts: request.scripts.length, outpoints: request.outpoints.length },
  );
  scanner.addScripts(request.scripts);
  scanner.addOutpoints(request.outpoints);
  const start: WorkerStart = { network: request.network, watch: scanner.share() };
  const lanes = Array.from({ length: Math.max(1, request.workers) }, () => startLane(start));
  const coins: Uint8Array[] = [];
  const inFlight: InFlight[] = [];
  const source = blocks[Symbol.asyncIterator]();
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal.aborted) resolve('aborted');
    else signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  let next: Promise<IteratorResult<PastBlock>> | undefined;
  let ended = false;
  let reuse: Layout | undefined;

  function giveOut({ block, bytes }: PastBlock): void {
    const lane = lanes.reduce((least, other) => (other.waiting.length < least.waiting.length ? other : least));
    let memory = lane.free.pop();
    if (memory === undefined || memory.byteLength < bytes.length) {
      memory = new SharedArrayBuffer(Math.ceil(bytes.length / MEMORY_STEP) * MEMORY_STEP);
    }
    new Uint8Array(memory).set(bytes);
    const answer = new Promise<WorkerAnswer>((resolve, reject) => {
      if (lane.failure) reject(lane.failure);
      else lane.waiting.push({ resolve, reject });
    });
    // Who waits for it first hears of a failure; here it is only kept from being unheard.
    answer.catch(() => undefined);
    const outpoints = Buffer.concat(coins.slice(lane.told));
    lane.told = coins.length;
    const hash = toInternal(block.hash)!;
    lane.worker.postMessage({
      memory,
      length: bytes.length,
      hash,
      height: block.height,
      outpoints,
    } satisfies WorkerJob);
    inFlight.push({ block, lane, memory, length: bytes.length, coins: coins.length, answer });
  }

  function conclude({ block, memory, length, coins: before }: InFlight, answer: { touches: boolean }): BackfillEvent {
    if (!answer.touches && coins.length === before) return { kind: 'scanned', block, matches: [] };
    const walked = layoutBlock(new Uint8Array(memory, 0, length), reuse);
    if (!walked.ok) throw new TypeError('a block that a worker read cannot be read again');
    reuse = walked.value;
    const matches = scanner.scanBlock(walked.value);
    for (const { txid, received } of matches)
      for (const { vout } of received) coins.push(encodeOutpoint({ txid, vout }));
    return { kind: 'scanned', block, matches };
  }

  try {
    for (;;) {
      if (next === undefined && !ended && inFlight.length < lanes.length * JOBS_EACH) next = source.next();
      const head = inFlight[0];
      if (next === undefined && head === undefined) return;
      const came = await Promise.race([
        aborted,
        ...(next ? [next.then((result) => ({ result }))] : []),
        ...(head ? [head.answer.then((answer) => ({ answer }))] : []),
      ]);
      if (came === 'aborted') return;
      if ('result' in came) {
        next = undefined;
        if (came.result.done) ended = true;
        else giveOut(came.result.value);
        continue;
      }
      inFlight.shift();
      if ('fault' in came.answer) {
        yield { kind: 'refused', block: head!.block, code: came.answer.fault };
        return;
      }
      const event = conclude(head!, came.answer);
      head!.lane.free.push(head!.memory);
      yield event;
    }
  } finally {
    await Promise.all(lanes.map(({ worker }) => worker.terminate()));
    if (!ended) void Promise.resolve(source.return?.()).catch(() => undefined);
  }
}

function startLane(start: WorkerStart): Lane {
  const worker = new Worker(new URL('./worker/main.ts', import.meta.url), { workerData: start });
  const lane: Lane = { worker, free: [], waiting: [], told: 0 };
  worker.on('message', (answer: WorkerAnswer) => lane.waiting.shift()?.resolve(answer));
  const fail = (cause: unknown) => {
    lane.failure ??= new CodedError('backfill_worker_ended', 'A thread that looks through past blocks has ended.', {
      cause,
      remedy: 'Start the scan again: it goes on from the last block that it reported.',
    });
    for (const { reject } of lane.waiting.splice(0)) reject(lane.failure);
  };
  worker.on('error', fail);
  worker.on('exit', fail);
  return lane;
}
