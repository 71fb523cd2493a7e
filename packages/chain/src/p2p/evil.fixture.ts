import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEvilPeer, type EvilPeer, type Mischief } from '@keepwatch/testkit';
import { vi } from 'vitest';
import type { ChainEvent, Cursor } from '../source.ts';
import type { P2pTuning } from './options.ts';
import { createP2pSource, type P2pSource } from './source.ts';

const WAIT = { timeout: 60_000, interval: 50 };

/** A light client that runs, and what it told. */
export interface RunningLight {
  readonly light: P2pSource;
  readonly seen: ChainEvent[];
  readonly lines: string[];
  until(what: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

export interface LightOptions {
  readonly ports: readonly number[];
  readonly dataDir: string;
  readonly watched: readonly Uint8Array[];
  readonly from?: Cursor;
  readonly tuning?: Partial<P2pTuning>;
}

export function runLight({ ports, dataDir, watched, from, tuning }: LightOptions): RunningLight {
  const lines: string[] = [];
  const seen: ChainEvent[] = [];
  const light = createP2pSource(
    { entropy: randomBytes, nowMs: Date.now, log: (line) => lines.push(line) },
    {
      ...{ name: 'light', network: 'regtest', dataDir, peers: ports.map((port) => `127.0.0.1:${port}`) },
      tuning: { tickMs: 200, answerMs: 60_000, dialMs: 5_000, recheckMs: 600_000, ...tuning },
    },
  );
  light.watch.addScripts(watched);
  const ending = new AbortController();
  const done = (async () => {
    for await (const event of light.events(from ?? null, ending.signal)) seen.push(event);
  })();
  done.catch(() => undefined);
  return {
    light,
    seen,
    lines,
    until: (what) =>
      vi.waitFor(() => {
        if (what()) return;
        const standing = light.peers().map(({ address, height }) => `${address} at ${height}`);
        const now = [JSON.stringify({ ...light.progress(), ...light.health(), standing }), ...lines.slice(-15)];
        throw new Error(`in vain: ${String(what)}\n${now.join('\n')}`);
      }, WAIT),
    async stop() {
      ending.abort();
      await done;
      await light.close();
    },
  };
}

export interface Beside {
  /** Ports of honest nodes, or of what stands before them. */
  readonly honest: readonly number[];
  readonly watched: readonly Uint8Array[];
  readonly tuning?: Partial<P2pTuning>;
}

/** Runs a light client with an evil peer in front of the node at `nodePort`, and with honest ones beside it. */
export async function beside(
  nodePort: number,
  mischief: Mischief,
  { honest, watched, tuning }: Beside,
  check: (world: RunningLight & { readonly evil: EvilPeer }) => Promise<void>,
): Promise<void> {
  const evil = await startEvilPeer(nodePort, 'regtest', mischief);
  const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-evil-'));
  const running = runLight({ ports: [evil.port, ...honest], dataDir, watched, ...(tuning ? { tuning } : {}) });
  try {
    await check({ ...running, evil });
  } finally {
    await running.stop();
    await evil.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export const tipIs = (seen: readonly ChainEvent[], hash: string) =>
  seen.some((event) => event.kind === 'connected' && event.block.hash === hash);
export const met = (lines: readonly string[], port: number) =>
  lines.some((line) => line.startsWith(`127.0.0.1:${port}: met `));
export const left = (lines: readonly string[], port: number, code: string) =>
  lines.some((line) => line === `127.0.0.1:${port}: left (${code})`);
