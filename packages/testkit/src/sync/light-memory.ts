import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundled } from '../bundled.ts';
import { generateHeaders } from './generated-chain.ts';
import { startHeaderPeer } from './header-peer.ts';

export interface LightMemory {
  /** Largest resident set of the process, bytes. */
  readonly most: number;
  /** From its start to the end of its work, ms, and how long a core was busy with it. */
  readonly ms: number;
  readonly cpuMs: number;
  /** Bytes from its peer. */
  readonly received: number;
  readonly headers: number;
  readonly filterHeaders: number;
  /** Blocks looked through. */
  readonly scanned: number;
}

export interface LightMemoryReport {
  /** From an empty directory to all headers. */
  readonly initial: LightMemory;
  /** Started again on what the first one kept, it brings the filter headers too, and looks through blocks. */
  readonly filters: LightMemory;
  /** Started once more: all is there, and it looks through blocks. */
  readonly settled: LightMemory;
  /** Bytes on disk in the end. */
  readonly disk: number;
}

/**
 * How much memory a light client takes over `count` headers, with `scripts` scripts, looking through the last `blocks`
 * blocks. It runs as it is published.
 */
export async function measureLightMemory(
  count: number,
  scripts: number,
  blocks: number,
  filter: Uint8Array,
): Promise<LightMemoryReport> {
  const peer = await startHeaderPeer(generateHeaders(count), { filter });
  const dir = mkdtempSync(join(tmpdir(), 'keepwatch-light-'));
  let program = '';
  const run = (...work: readonly number[]) =>
    runLight(program, [join(dir, 'data'), ...[peer.port, count, ...work].map(String)]);
  try {
    program = await bundled(new URL('./fixtures/light-client.ts', import.meta.url), join(dir, 'program'));
    const initial = await run();
    const filters = await run(scripts, blocks);
    const settled = await run(scripts, blocks);
    const data = join(dir, 'data');
    const disk = readdirSync(data).reduce((sum, name) => sum + statSync(join(data, name)).size, 0);
    return { initial, filters, settled, disk };
  } finally {
    await peer.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runLight(program: string, args: readonly string[]): Promise<LightMemory> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let last: (LightMemory & { readonly done: boolean }) | undefined;
  for await (const text of createInterface({ input: child.stdout })) last = JSON.parse(text) as typeof last;
  if (!last?.done) throw new Error('the light client ended before its work was done');
  return last;
}
