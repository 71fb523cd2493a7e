import { randomBytes } from 'node:crypto';
import { backfill, type PastBlock } from '@keepwatch/chain';
import { buildBasicFilter, headerHash, toDisplay, type BlockHash } from '@keepwatch/bitcoin';
import { measureLightMemory, type LightMemory } from '../sync/light-memory.ts';
import { median, type Figure } from './figure.ts';
import { layoutOrThrow, readRealBlock } from './real-block.ts';

const SCRIPTS = 100_000;
/** Some two seconds of one worker, behind what it takes until all of a thread is compiled. */
const BLOCKS = 120;
const WARM_UP_BLOCKS = 60;
const ROUNDS = 7;
/** Copies that go round, so that each worker reads another one, as it does with blocks that come one after the other. */
const COPIES = 16;

const HEADERS = 900_000;
const WATCHED = 10_000;
const LOOKED_THROUGH = 2_000;

/** How fast past blocks are searched, and how much memory a light client takes over a chain as long as the main one. */
export async function* measureSync(): AsyncGenerator<Figure> {
  yield* measureWorkers();
  const filter = filterOfRealBlock();
  const { initial, settled } = await measureLightMemory(HEADERS, WATCHED, LOOKED_THROUGH, filter);
  const of = (name: string, { most }: LightMemory, against: string): Figure => ({
    ...{ name, value: most / 1e6, unit: 'MB', ratio: null, against },
  });
  const looks = `${LOOKED_THROUGH} filters of ${filter.length} bytes`;
  yield of('sync/rss-10k', settled, `most that was resident: ${HEADERS} headers, ${WATCHED} scripts, ${looks}`);
  yield of('sync/rss-first', initial, `most that was resident while ${HEADERS} headers came for the first time`);
}

/** The scripts that it spends are not in the block: others of the same number and size stand for them. */
export function filterOfRealBlock(): Uint8Array {
  const block = readRealBlock();
  const spent = Array.from({ length: 6_518 }, () => Uint8Array.from(randomBytes(22)));
  return buildBasicFilter(layoutOrThrow(block), headerHash(block), spent);
}

/**
 * How much faster two workers check and search past blocks than one: a real block again and again, in shared memory, to
 * which a node's source reads it. One and two take turns, so that whatever else the machine does hits both.
 */
async function* measureWorkers(): AsyncGenerator<Figure> {
  const block = readRealBlock();
  const hash = toDisplay<BlockHash>(headerHash(block));
  const copies = Array.from({ length: COPIES }, () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(block.length));
    bytes.set(block);
    return bytes;
  });
  const scripts = Array.from({ length: SCRIPTS }, () => Uint8Array.from(randomBytes(34)));
  const rates: number[] = [];
  const ratios: number[] = [];
  const own: number[] = [];
  const bounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const one = await searchBlocks(copies, hash, scripts, 1);
    const two = await searchBlocks(copies, hash, scripts, 2);
    rates.push(two.perSecond);
    ratios.push(two.perSecond / one.perSecond);
    own.push(two.mainMs);
    bounds.push((2 * Math.max(two.workersMs, two.mainMs)) / (two.workersMs + two.mainMs));
  }
  yield {
    ...{ name: 'sync/two-workers', value: median(rates), unit: 'blocks/s', ratio: median(ratios) },
    against: 'times one worker; blocks of 1.4 MB checked against their header and searched for 100k scripts',
  };
  yield {
    ...{ name: 'sync/hand-out', value: median(own), unit: 'ms/block', ratio: median(bounds) },
    against:
      'processor time of the thread that hands out; ratio: how much faster two free cores are than one worker by it',
  };
}

/**
 * Counted from the first block behind the warm-up, so that starting threads and compiling are left out. The processor time
 * says what the machine could do, whatever else it does meanwhile.
 */
async function searchBlocks(
  copies: readonly Uint8Array[],
  hash: BlockHash,
  scripts: Uint8Array[],
  workers: number,
): Promise<{ readonly perSecond: number; readonly mainMs: number; readonly workersMs: number }> {
  async function* again(): AsyncGenerator<PastBlock> {
    const block = { height: 702_861, hash, timeSeconds: 0 };
    for (let i = 0; i < WARM_UP_BLOCKS + BLOCKS; i++) yield { block, bytes: copies[i % copies.length]! };
  }
  let seen = 0;
  let started = 0;
  let main = process.threadCpuUsage();
  let all = process.cpuUsage();
  const request = { network: 'main', scripts, outpoints: [], workers } as const;
  for await (const event of backfill(again(), request, new AbortController().signal)) {
    if (event.kind === 'refused') throw new Error(`the block was refused: ${event.code}`);
    if (++seen !== WARM_UP_BLOCKS) continue;
    started = performance.now();
    main = process.threadCpuUsage();
    all = process.cpuUsage();
  }
  const perSecond = (BLOCKS * 1_000) / (performance.now() - started);
  const msEach = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1_000 / BLOCKS;
  const mainMs = msEach(process.threadCpuUsage(main));
  return { perSecond, mainMs, workersMs: msEach(process.cpuUsage(all)) - mainMs };
}
