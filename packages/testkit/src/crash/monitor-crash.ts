import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startHttpService, type HttpService } from '@keepwatch/devnet';
import {
  createLocalApi,
  makeMonitor,
  openLock,
  openMonitor,
  type MonitorApi,
  type OpenMonitor,
} from '@keepwatch/monitor';

/**
 * Kills a monitor again and again while it tells, climbs and is answered, and looks in the end whether anything was lost:
 * each channel has every number once, each number is one message, and the journal folds to the same state.
 */
const BIN = fileURLToPath(new URL('../../../cli/bin/keepwatch.mjs', import.meta.url));
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
/** A start takes one second or two; kills fall before it is done, and some seconds into the work. */
const LONGEST_LIFE_MS = 8_000;

export interface MonitorCrashes {
  readonly kills: number;
  readonly messages: number;
  readonly repeated: number;
  readonly violations: readonly string[];
}

export async function runMonitorCrashTest(options: {
  readonly rounds: number;
  readonly say: (line: string) => void;
}): Promise<MonitorCrashes> {
  const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-monitor-crash-'));
  const services = new Map<string, HttpService>();
  for (const name of ['one', 'two', 'three']) services.set(name, await startHttpService(() => ({ status: 200 })));
  try {
    return await crash(dataDir, services, options);
  } finally {
    for (const each of services.values()) await each.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function crash(
  dataDir: string,
  services: ReadonlyMap<string, HttpService>,
  { rounds, say }: { readonly rounds: number; readonly say: (line: string) => void },
): Promise<MonitorCrashes> {
  await makeMonitor(dataDir, { kind: 'file' }, 'regtest');
  async function whileDown<T>(work: (api: MonitorApi, monitor: OpenMonitor) => Promise<T>): Promise<T> {
    const rootKey = await openLock(dataDir, { credentials: undefined });
    const monitor = await openMonitor({ dataDir, rootKey, network: 'regtest' });
    try {
      return await work(createLocalApi(monitor), monitor);
    } finally {
      await monitor.close();
    }
  }
  await whileDown(async (api) => {
    for (const [name, { url, ca }] of services) {
      await api.call('channel.put', { channel: { name, kind: 'webhook', url, ca, secrets: [SECRET], from: 'info' } });
    }
    const rungs = [
      { who: 'Ada', tell: ['one', 'two'], wait: '2s' },
      { who: 'Bo', tell: ['three'], wait: '2s' },
    ];
    await api.call('ladder.apply', { ladder: { rungs, rounds: 50 } });
    await api.call('schedule.apply', { schedule: { heartbeat: { every: '5s', tell: ['one', 'three'] } } });
  });
  const violations: string[] = [];
  let kills = 0;
  for (let round = 0; round < rounds; round++) {
    await whileDown(async (api, monitor) => {
      const lost = monitor.engine.state.ladder.escalations;
      for (const able of [false, true]) await monitor.engine.submit({ room: 'watch', input: { kind: 'quorum', able } });
      const open = [...lost.values()].find(({ over }) => over === null);
      if (open && round % 3 === 2) await api.call('findings.acknowledge', { what: open.id, by: 'Ada' });
    });
    const daemon = start(dataDir);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_LIFE_MS));
    const ended = once(daemon, 'exit');
    daemon.kill('SIGKILL');
    await ended;
    kills++;
    if (round % 10 === 9) say(`${round + 1} kills`);
  }
  // Nothing new any more; what is due is told.
  await whileDown(async (api) => {
    await api.call('schedule.clear');
    const open = (await api.call('findings.list', { limit: 10_000 })) as {
      finding: { id: string };
      answer: { state: string } | null;
    }[];
    for (const { finding, answer } of open) {
      if (answer?.state === 'awaited')
        await api.call('findings.acknowledge', { what: finding.id, by: 'Ada' }).catch(() => 0);
    }
  });
  const last = start(dataDir);
  const lines = createInterface({ input: last.stdout! })[Symbol.asyncIterator]();
  await lines.next();
  await settled(services);
  const ended = once(last, 'exit');
  last.kill('SIGTERM');
  await ended;
  await whileDown(async (api, monitor) => {
    const { sameState } = (await api.call('findings.verify')) as { readonly sameState: boolean };
    if (!sameState) violations.push('the journal folds to another state');
    for (const [name, { waiting, nextNumber }] of monitor.engine.state.outbox.lanes) {
      const due = waiting.filter(({ notBeforeMs }) => notBeforeMs <= monitor.engine.nowMs());
      if (due.length > 0) violations.push(`${name}: ${due.length} messages were never told`);
      const told = messagesOf(services.get(name)!);
      const numbers = [...told.keys()].sort((a, b) => a - b);
      const missing = Array.from({ length: nextNumber - 1 }, (_, i) => i + 1).filter((each) => !told.has(each));
      if (missing.length > 0) violations.push(`${name}: numbers ${missing.join(', ')} of ${numbers.length} never came`);
      for (const [number, texts] of told) {
        const different = [...new Set(texts)];
        if (different.length > 1)
          violations.push(`${name}: number ${number} is two messages:\n${different.join('\n')}`);
      }
    }
  });
  const all = [...services.values()].map(messagesOf);
  const messages = all.reduce((sum, each) => sum + each.size, 0);
  const repeated = all.flatMap((each) => [...each.values()]).filter((texts) => texts.length > 1).length;
  // At most one try of each channel is under way when it is killed.
  if (repeated > kills * services.size) violations.push(`${repeated} messages came twice after ${kills} kills`);
  return { kills, messages, repeated, violations };
}

const start = (dataDir: string) =>
  spawn(
    process.execPath,
    [
      ...[BIN, '--json', 'monitor', 'run', '--data', dataDir, '--http', 'off', '--network', 'regtest'],
      ...['--bitcoind', 'http://127.0.0.1:1', '--cookie', '/nowhere'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );

/** By number: what came under it, with its id. A probe of a self-test is none. */
function messagesOf({ calls }: HttpService): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>();
  for (const { method, body, headers } of calls) {
    if (method !== 'POST') continue;
    const { number } = (JSON.parse(body) as { readonly data: { readonly number: number } }).data;
    found.set(number, [...(found.get(number) ?? []), `${String(headers['webhook-id'])} ${body}`]);
  }
  return found;
}

/** Until nothing came for some seconds. */
async function settled(services: ReadonlyMap<string, HttpService>): Promise<void> {
  const count = () => [...services.values()].reduce((sum, { calls }) => sum + calls.length, 0);
  for (let before = -1; before !== count();) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 8_000));
  }
}
