import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { generateHeaders } from './generated-chain.ts';
import { startHeaderPeer } from './header-peer.ts';

export interface HeaderSyncReport {
  readonly count: number;
  /** Where the second run began: what the first had on disk when it was killed. */
  readonly resumedAt: number;
  readonly killedAt: number;
  /** Reading and judging again what was on disk, ms. */
  readonly loadedMs: number;
  /** Both runs together, ms. */
  readonly ms: number;
  /** Largest resident set of the second run, bytes. */
  readonly rss: number;
  readonly reached: number;
}

interface Line {
  readonly from: number;
  readonly headers: number;
  readonly loadedMs: number;
  readonly ms: number;
  readonly most: number;
}

/** Synchronises `count` headers with a light client that is killed half-way and started again. */
export async function measureHeaderSync(count: number): Promise<HeaderSyncReport> {
  const peer = await startHeaderPeer(generateHeaders(count));
  const dir = mkdtempSync(join(tmpdir(), 'keepwatch-sync-'));
  try {
    const first = await run(dir, peer.port, count, count / 2);
    const second = await run(dir, peer.port, count, Infinity);
    return {
      count,
      killedAt: first.headers,
      resumedAt: second.from,
      loadedMs: second.loadedMs,
      ms: first.ms + second.ms,
      rss: second.most,
      reached: second.headers,
    };
  } finally {
    await peer.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** One process, killed with -9 once it has `killAt` headers. Gives its last line. */
async function run(dir: string, port: number, count: number, killAt: number): Promise<Line> {
  const program = fileURLToPath(new URL('./fixtures/light-client.ts', import.meta.url));
  const child = spawn(process.execPath, [program, dir, String(port), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last: Line | undefined;
  for await (const text of createInterface({ input: child.stdout })) {
    last = JSON.parse(text) as Line;
    if (last.headers >= killAt) child.kill('SIGKILL');
  }
  if (!last) throw new Error('the light client said nothing');
  return last;
}
