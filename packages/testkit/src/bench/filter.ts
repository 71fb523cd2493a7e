import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  buildBasicFilter,
  compactSizeLength,
  createFilterMatcher,
  headerHash,
  readCompactSize,
} from '@keepwatch/bitcoin';
import { median, type Figure } from './figure.ts';
import { layoutOrThrow, readRealBlock } from './real-block.ts';

const SCRIPTS = 10_000;
const SCRIPT_BYTES = 34;
const ROUNDS = 15;
const TIMES = 60;

/** How long a filter of a real block's size takes for each watched script, reading the filter included. */
export async function* measureFilter(): AsyncGenerator<Figure> {
  const block = readRealBlock();
  const layout = layoutOrThrow(block);
  const blockHash = headerHash(block);
  // What the block spends is not in the block: as many scripts of the same length take its place.
  const spent = Array.from({ length: layout.txFirstInput[layout.txCount]! - 1 }, () => randomBytes(SCRIPT_BYTES));
  const filter = buildBasicFilter(layout, blockHash, spent);

  // Where none of the scripts is in the filter, all of them are looked at. One in 78 sets would match by chance.
  let scripts: Uint8Array[];
  let matcher;
  do {
    scripts = Array.from({ length: SCRIPTS }, () => Uint8Array.from(randomBytes(SCRIPT_BYTES)));
    matcher = createFilterMatcher(scripts);
  } while (matches(matcher, filter, blockHash));

  const program = compileLoop(filter, blockHash, scripts);
  try {
    for (let i = 0; i < 300; i++) matches(matcher, filter, blockHash);
    const ours: number[] = [];
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const taken: number[] = [];
      for (let i = 0; i < TIMES; i++) {
        const started = performance.now();
        matches(matcher, filter, blockHash);
        taken.push(((performance.now() - started) * 1e6) / SCRIPTS);
      }
      ours.push(median(taken));
      if (program) ratios.push(median(taken) / program.run(TIMES));
    }
    yield {
      ...{ name: 'filter/match', value: median(ours), unit: 'ns/script', ratio: program ? median(ratios) : null },
      against: program
        ? `the same loop in C (${program.compiler} -O3); ${SCRIPTS} scripts`
        : `no C compiler here (cc, gcc, clang) to compare with; ${SCRIPTS} scripts`,
    };
  } finally {
    program?.remove();
  }
}

function matches(
  matcher: ReturnType<typeof createFilterMatcher>,
  filter: Uint8Array,
  hash: ReturnType<typeof headerHash>,
) {
  const answer = matcher.matches(filter, hash);
  if (!answer.ok) throw new Error(answer.error);
  return answer.value;
}

interface CompiledLoop {
  readonly compiler: string;
  /** Median ns per script of so many runs. */
  run(times: number): number;
  remove(): void;
}

function compileLoop(
  filter: Uint8Array,
  blockHash: Uint8Array,
  scripts: readonly Uint8Array[],
): CompiledLoop | undefined {
  const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (compiler === undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'keepwatch-bench-'));
  const program = join(directory, 'filter-loop');
  const input = join(directory, 'input');
  execFileSync(compiler, ['-O3', '-o', program, fileURLToPath(new URL('./filter-loop.c', import.meta.url))]);
  const count = readCompactSize(filter, 0);
  const values = filter.subarray(compactSizeLength(count));
  const offsets = new Uint32Array(scripts.length + 1);
  for (const [i, script] of scripts.entries()) offsets[i + 1] = offsets[i]! + script.length;
  const numbers = Uint32Array.of(count, scripts.length, values.length, offsets.at(-1)!);
  const parts = [blockHash.subarray(0, 16), new Uint8Array(numbers.buffer), new Uint8Array(offsets.buffer)];
  writeFileSync(input, Buffer.concat([...parts, ...scripts, values]));
  return {
    compiler,
    run(times) {
      const [matched, ns] = execFileSync(program, [input, String(times)], { encoding: 'utf8' }).split(' ');
      if (matched !== '0') throw new Error('the loop in C finds a script that is not there');
      return Number(ns);
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}
