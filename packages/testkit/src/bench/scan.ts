import { randomBytes, randomFillSync } from 'node:crypto';
import { Block } from 'bitcoinjs-lib';
import { toHex } from '@keepwatch/base';
import {
  createScanner,
  toDisplay,
  type InternalHash,
  type Outpoint,
  type Scanner,
  type Txid,
} from '@keepwatch/bitcoin';
import type { Figure } from './figure.ts';
import { measurePaired } from './paired.ts';
import { layoutOrThrow, readRealBlock } from './real-block.ts';

const WATCHED = 100_000;
const FEW = 1_000;
const MANY = 10_000_000;
/** A taproot output's script: the longest of the usual ones. */
const SCRIPT_BYTES = 34;
const FILL = 100_000;

const entropy = (length: number) => Uint8Array.from(randomBytes(length));

/** How fast a block is searched for many scripts and coins, and what they take in memory. */
export async function* measureScan(): AsyncGenerator<Figure> {
  const block = readRealBlock();
  yield measureAgainstSet(block);
  yield* measureScale(block);
}

function measureAgainstSet(block: Uint8Array): Figure {
  // One output and one input of the block are watched, so that both sides can show that they look.
  const parsed = Block.fromBuffer(block).transactions!;
  const watchedScript = parsed[1_000]!.outs[0]!.script;
  const { hash, index } = parsed[2_000]!.ins[0]!;
  const scripts = [...randomScripts(WATCHED - 1), watchedScript];
  const outpoints: Outpoint[] = [{ txid: toDisplay<Txid>(hash as InternalHash), vout: index }];
  while (outpoints.length < WATCHED) outpoints.push({ txid: randomBytes(32).toString('hex') as Txid, vout: 1 });

  const scanner = createScanner({ entropy }, { scripts: WATCHED, outpoints: WATCHED });
  scanner.addScripts(scripts);
  scanner.addOutpoints(outpoints);
  let layout = layoutOrThrow(block);
  let ours = 0;
  const scan = () => {
    layout = layoutOrThrow(block, layout);
    ours = scanner.scanBlock(layout).length;
  };

  const scriptSet = new Set(scripts.map(toHex));
  const outpointSet = new Set(outpoints.map(({ txid, vout }) => `${txid}:${vout}`));
  let theirs = 0;
  const naive = () => {
    theirs = 0;
    for (const tx of Block.fromBuffer(block).transactions!) {
      const pays = tx.outs.some(({ script }) => scriptSet.has(toHex(script)));
      const spends = tx.ins.some((input) => outpointSet.has(`${toDisplay(input.hash as InternalHash)}:${input.index}`));
      if (pays || spends) theirs++;
    }
  };

  const { first, ratio } = measurePaired({ run: scan, times: 20 }, { run: naive, times: 1 }, 25);
  if (ours < 2 || ours < theirs) throw new Error(`${ours} found, ${theirs} by the other way`);
  return {
    ...{ name: 'scan/block-100k', value: first, unit: 'ms', ratio },
    against: 'times faster than bitcoinjs-lib with a Set; 100k scripts, 100k outpoints, a block of 1.4 MB',
  };
}

function* measureScale(block: Uint8Array): Generator<Figure> {
  const few = fill(FEW);
  const many = fill(MANY);
  let layout = layoutOrThrow(block);
  const scanWith = (scanner: Scanner) => () => {
    layout = layoutOrThrow(block, layout);
    scanner.scanBlock(layout);
  };
  const { second, ratio } = measurePaired({ run: scanWith(few), times: 20 }, { run: scanWith(many), times: 20 }, 15);
  yield {
    ...{ name: 'scan/scale-10m', value: second, unit: 'ms', ratio },
    against: 'time with 10 million scripts over time with 1,000; the same block',
  };
  yield {
    ...{ name: 'scan/bytes-per-script', value: many.byteLength() / MANY, unit: 'bytes', ratio: null },
    against: `all tables, exact; 10 million scripts of ${SCRIPT_BYTES} bytes`,
  };
}

function fill(count: number): Scanner {
  const scanner = createScanner({ entropy }, { scripts: count });
  for (let left = count; left > 0; left -= FILL) scanner.addScripts(randomScripts(Math.min(left, FILL)));
  if (scanner.counts.scripts !== count) throw new Error('two random scripts were equal');
  return scanner;
}

function* randomScripts(count: number): Generator<Uint8Array> {
  const bytes = randomFillSync(new Uint8Array(count * SCRIPT_BYTES));
  for (let at = 0; at < bytes.length; at += SCRIPT_BYTES) {
    bytes[at] = 0x51;
    bytes[at + 1] = 0x20;
    yield bytes.subarray(at, at + SCRIPT_BYTES);
  }
}
