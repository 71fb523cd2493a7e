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
  /** Over a SharedArrayBuffer they are not copied: nobody writes to them any more. */
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

/** A block that a worker has, or has looked through. */
interface InFlight {
  readonly block: BlockRef;
  readonly memory: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
  /** Whether the memory is ours to use again. */
  readonly owned: boolean;
  /** How many coins had been found when the worker got it. */
  readonly coins: number;
  answer?: WorkerAnswer;
}

interface Lane {
  readonly worker: Worker;
  /** What it has not answered yet, in order. */
  readonly waiting: InFlight[];
  /** How many of the coins it was told. */
  told: number;
  /** Why it takes no more jobs. */
  failure?: CodedError;
}

/** Blocks that a worker has or waits with. One is not enough to keep it busy. */
const JOBS_EACH = 2;
/** Blocks for each worker that are in memory: some lie ready and wait for one before them that takes longer. */
const HELD_EACH = 4;
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
  const lanes = Array.from({ length: Math.max(1, request.workers) }, () => startLane(start, answered));
  const coins: Uint8Array[] = [];
  const inFlight: InFlight[] = [];
  const free: SharedArrayBuffer[] = [];
  const source = blocks[Symbol.asyncIterator]();
  let asking = false;
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let reuse: Layout | undefined;
  /** Wakes the loop below where it waits. */
  let wake: () => void = () => undefined;
  const aborted = () => wake();
  signal.addEventListener('abort', aborted, { once: true });

  function answered(): void {
    ask();
    wake();
  }

  /** The next block, as long as a worker has too little to do: also while whoever reads the events is busy. */
  function ask(): void {
    if (asking || ended || failure || signal.aborted || inFlight.length >= lanes.length * HELD_EACH) return;
    if (!lanes.some(({ waiting }) => waiting.length < JOBS_EACH)) return;
    asking = true;
    source.next().then(
      (result) => {
        asking = false;
        if (result.done) ended = true;
        else giveOut(result.value);
        ask();
        wake();
      },
      (error: unknown) => {
        failure = { error };
        wake();
      },
    );
  }

  function giveOut({ block, bytes }: PastBlock): void {
    const lane = lanes.reduce((least, other) => (other.waiting.length < least.waiting.length ? other : least));
    const owned = !(bytes.buffer instanceof SharedArrayBuffer);
    const memory = bytes.buffer instanceof SharedArrayBuffer ? bytes.buffer : copyOf(bytes);
    const offset = owned ? 0 : bytes.byteOffset;
    const { length } = bytes;
    const outpoints = Buffer.concat(coins.slice(lane.told));
    lane.told = coins.length;
    const job: InFlight = { block, memory, offset, length, owned, coins: coins.length };
    lane.waiting.push(job);
    inFlight.push(job);
    const hash = toInternal(block.hash)!;
    const { height } = block;
    lane.worker.postMessage({ memory, offset, length, hash, height, outpoints } satisfies WorkerJob);
  }

  function copyOf(bytes: Uint8Array): SharedArrayBuffer {
    let memory = free.pop();
    if (memory === undefined || memory.byteLength < bytes.length) {
      memory = new SharedArrayBuffer(Math.ceil(bytes.length / MEMORY_STEP) * MEMORY_STEP);
    }
    new Uint8Array(memory).set(bytes);
    return memory;
  }

  function conclude({ block, memory, offset, length, coins: before }: InFlight, touches: boolean): BackfillEvent {
    if (!touches && coins.length === before) return { kind: 'scanned', block, matches: [] };
    const walked = layoutBlock(new Uint8Array(memory, offset, length), reuse);
    if (!walked.ok) throw new TypeError('a block that a worker read cannot be read again');
    reuse = walked.value;
    const matches = scanner.scanBlock(walked.value);
    for (const { txid, received } of matches)
      for (const { vout } of received) coins.push(encodeOutpoint({ txid, vout }));
    return { kind: 'scanned', block, matches };
  }

  try {
    for (;;) {
      if (signal.aborted) return;
      ask();
      const head = inFlight[0];
      if (head?.answer) {
        inFlight.shift();
        if ('fault' in head.answer) {
          yield { kind: 'refused', block: head.block, code: head.answer.fault };
          return;
        }
        const event = conclude(head, head.answer.touches);
        if (head.owned) free.push(head.memory);
        yield event;
        continue;
      }
      const broken = lanes.find((lane) => lane.failure)?.failure;
      if (broken) throw broken;
      if (head === undefined && failure) throw failure.error;
      if (head === undefined && ended) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal.removeEventListener('abort', aborted);
    await Promise.all(lanes.map(({ worker }) => worker.terminate()));
    if (!ended) void Promise.resolve(source.return?.()).catch(() => undefined);
  }
}

/** `heard`: told after each answer, and when the worker has ended. */
function startLane(start: WorkerStart, heard: () => void): Lane {
  const worker = new Worker(new URL('./worker/main.ts', import.meta.url), { workerData: start });
  const lane: Lane = { worker, waiting: [], told: 0 };
  worker.on('message', (answer: WorkerAnswer) => {
    const job = lane.waiting.shift();
    if (job) job.answer = answer;
    heard();
  });
  const fail = (cause: unknown) => {
    lane.failure ??= new CodedError('backfill_worker_ended', 'A thread that looks through past blocks has ended.', {
      cause,
      remedy: 'Start the scan again: it goes on from the last block that it reported.',
    });
    heard();
  };
  worker.on('error', fail);
  worker.on('exit', fail);
  return lane;
}
