import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectClient, type TestClient } from './fixtures/client.ts';
import { startSupervisor, type Running } from './fixtures/running.ts';

const FLOOD = fileURLToPath(new URL('./fixtures/flood/main.ts', import.meta.url));

let dataDir: string;
let running: Running;
let flood: ChildProcess | undefined;
let port: number;
let tls: string;
let metricsPort: number;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'flood-'));
  running = startSupervisor({ dataDir, metrics: { host: '127.0.0.1', port: 0 } });
  const listening = await running.event('gate_listening');
  ({ port } = listening.address);
  metricsPort = listening.metricsAddress!.port;
  tls = listening.tls;
  await running.keepMessage('ready');
});
afterEach(async () => {
  flood?.kill('SIGKILL');
  flood = undefined;
  await running.stop();
  rmSync(dataDir, { recursive: true });
});

function startFlood(count: number, mode: 'half-open' | 'drip'): Promise<void> {
  const child = spawn(process.execPath, [FLOOD, String(port), String(count), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  flood = child;
  return new Promise((resolve) => {
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      if (text.includes('open ')) resolve();
    });
  });
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`keepwatch_gate_${name} `))!
      .split(' ')[1],
  );
}

/** Resident memory of gate in bytes; elsewhere than on Linux it is not looked at. */
async function gateMemory(): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const { pid } = await running.event('gate_started');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

/** Asks every 20 ms until told to stop; the round trips in milliseconds. */
function keepAsking(client: TestClient): () => Promise<number[]> {
  const times: number[] = [];
  let going = true;
  const loop = (async () => {
    while (going) {
      const from = performance.now();
      expect(await client.ask('ping')).toBe('ping');
      times.push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return async () => {
    going = false;
    await loop;
    return times.sort((a, b) => a - b);
  };
}

/** All come from one address here: a newcomer who is slow may have to make room, and knocks again. */
const newcomer = () => vi.waitFor(() => connectClient(port, tls), { timeout: 30_000 });

describe('10,000 half-open connections', () => {
  it('neither lock a good client out nor disturb one that is in, and cost little memory', async () => {
    const inside = await connectClient(port, tls);
    await inside.ask('auth');
    const before = await gateMemory();
    const stop = keepAsking(inside);
    const opened = startFlood(10_000, 'half-open');
    // New clients come in while the flood is being poured, and when it stands.
    for (let i = 0; i < 5; i++) {
      const client = await newcomer();
      expect(await client.ask('auth')).toBe('auth');
      client.ws.close();
    }
    await opened;
    const late = await newcomer();
    expect(await late.ask('auth')).toBe('auth');
    const times = await stop();
    expect(times.length).toBeGreaterThan(5);
    expect(inside.ws.readyState).toBe(inside.ws.OPEN);
    expect(await metric('connections')).toBeLessThanOrEqual(4096);
    expect(await metric('ended_total{reason="evicted"}')).toBeGreaterThan(5_000);
    expect((await gateMemory()) - before).toBeLessThan(200 * 1024 * 1024);
  });

  it('are let go one by one when they only drip, and their places are free again', async () => {
    await startFlood(500, 'drip');
    const client = await connectClient(port, tls);
    expect(await client.ask('auth')).toBe('auth');
    // TLS handshakes have 5 s by default, however steadily bytes drip in.
    await new Promise((resolve) => setTimeout(resolve, 6_500));
    expect(await metric('connections')).toBe(1);
    expect(await client.ask('still here')).toBe('still here');
  });
});
