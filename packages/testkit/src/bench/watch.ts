import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBitcoind, startBitcoind, type BitcoindNode } from '@keepwatch/devnet';
import { bundled } from '../bundled.ts';
import { startMonitorProcess, type MonitorProcess } from '../watching/monitor-process.ts';
import { createPayments, type Payments } from '../watching/payments.ts';
import { prepareMonitor, type Watched } from '../watching/prepared.ts';
import { median, type Figure } from './figure.ts';

const MIDDLE: Watched = { wallets: 1_000, scriptsEach: 100 };
const LARGE: Watched = { wallets: 10_000, scriptsEach: 100 };
/** As many as are paid: each once, for what is told of one wallet again and again is told in one message. */
const SMALL: Watched = { wallets: 100, scriptsEach: 100 };

/** Blocks until all of the monitor is compiled, and that are counted: enough for a 99th percentile. */
const WARM_UP = 30;
const PAYING = 200;
const COMPARED = 60;

/** How fast a monitor tells of a block of its own node, and what many wallets cost it. */
export async function* measureWatch(): AsyncGenerator<Figure> {
  const found = await findBitcoind();
  if ('missing' in found) {
    console.error(`watch: left out, for there is no bitcoind: ${found.missing}`);
    return;
  }
  const dir = mkdtempSync(join(tmpdir(), 'keepwatch-watch-'));
  const node = await startBitcoind(found.bitcoind, { zmq: true });
  const receiver = await startReceiver();
  try {
    const payments = await createPayments(node, WARM_UP + PAYING + 2 * (WARM_UP + COMPARED));
    const program = await bundled(new URL('../watching/fixtures/monitor.ts', import.meta.url), join(dir, 'program'));
    const world: World = { dir, node, payments, program, receiver };
    yield* measureArrival(world);
    yield* measureMany(world);
  } finally {
    await receiver.stop();
    await node.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

interface World {
  readonly dir: string;
  readonly node: BitcoindNode;
  readonly payments: Payments;
  readonly program: string;
  readonly receiver: Receiver;
}

async function* measureArrival(world: World): AsyncGenerator<Figure> {
  const { finding, channel } = await withMonitor(world, 'middle', MIDDLE, async (monitor, scripts) => {
    await payBlocks(world, monitor, scripts.slice(0, WARM_UP));
    return payBlocks(world, monitor, scripts.slice(WARM_UP, WARM_UP + PAYING));
  });
  const over = `${PAYING} blocks, ${MIDDLE.wallets * MIDDLE.scriptsEach} scripts of ${MIDDLE.wallets} wallets`;
  const from = `p99 from the moment the node is given the block, over ${over}; median ${median(finding).toFixed(1)} ms`;
  yield {
    ...{ name: 'watch/arrival-to-finding', value: percentile(finding, 99), unit: 'ms', ratio: null },
    against: `${from}: until the finding is durable`,
  };
  yield {
    ...{ name: 'watch/arrival-to-channel', value: percentile(channel, 99), unit: 'ms', ratio: null },
    against: `p99 from the same moment, over the same; median ${median(channel).toFixed(1)} ms: until a local webhook is asked`,
  };
}

/** Both follow the same node at once and are paid in turns, so that whatever else the machine does hits both. */
async function* measureMany(world: World): AsyncGenerator<Figure> {
  const { few, many } = await withMonitor(world, 'small', SMALL, (small, fewScripts) =>
    withMonitor(world, 'large', LARGE, async (large, manyScripts) => {
      const inTurns = async (from: number, count: number) => {
        const before = [small.cpuMs(), large.cpuMs()] as const;
        const told: [number[], number[]] = [[], []];
        for (let i = from; i < from + count; i++) {
          told[0].push(...(await payBlocks(world, small, fewScripts.slice(i, i + 1))).finding);
          told[1].push(...(await payBlocks(world, large, manyScripts.slice(i, i + 1))).finding);
        }
        const of = (monitor: MonitorProcess, which: 0 | 1): Touched => ({
          ...{ startMs: monitor.startMs, ...monitor.memory() },
          cpuMs: (monitor.cpuMs() - before[which]) / (2 * count),
          finding: median(told[which]),
        });
        return { few: of(small, 0), many: of(large, 1) };
      };
      await inTurns(0, WARM_UP);
      return inTurns(WARM_UP, COMPARED);
    }),
  );
  const watched = `${LARGE.wallets * LARGE.scriptsEach} scripts of ${LARGE.wallets} wallets`;
  yield {
    ...{ name: 'watch/start-1m', value: many.startMs, unit: 'ms', ratio: many.startMs / few.startMs },
    against: `from the start of the process until it watches ${watched}; ratio: to ${SMALL.wallets} wallets`,
  };
  yield {
    ...{ name: 'watch/rss-1m', value: many.most / 1e6, unit: 'MB', ratio: many.most / few.most },
    against: `most that was resident; ${(many.now / 1e6).toFixed(0)} MB in the end; ratio: to ${SMALL.wallets} wallets`,
  };
  yield {
    ...{ name: 'watch/block-1m', value: many.cpuMs, unit: 'ms', ratio: many.cpuMs / few.cpuMs },
    against: `processor time of a block; every second pays one of ${watched}; ratio: to ${SMALL.wallets} wallets`,
  };
  yield {
    ...{ name: 'watch/finding-1m', value: many.finding, unit: 'ms', ratio: many.finding / few.finding },
    against: `median until the finding of such a block is durable; ratio: to ${SMALL.wallets} wallets`,
  };
}

interface Touched {
  readonly startMs: number;
  readonly now: number;
  readonly most: number;
  readonly cpuMs: number;
  readonly finding: number;
}

async function withMonitor<T>(
  { dir, node, program, receiver }: World,
  name: string,
  watched: Watched,
  use: (monitor: MonitorProcess, scripts: readonly Uint8Array[]) => Promise<T>,
): Promise<T> {
  const dataDir = join(dir, name);
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const scripts = await prepareMonitor(dataDir, watched, {
    ...{ kind: 'webhook', name: 'local', from: 'info', url: receiver.url, secrets: [secret] },
  });
  const url = `http://127.0.0.1:${node.rpcPort}`;
  const zmq = [node.zmqEndpoint!];
  const monitor = await startMonitorProcess(program, dataDir, {
    network: 'regtest',
    sources: [{ kind: 'bitcoind', url, cookieFile: node.cookieFile, zmq }],
  });
  try {
    return await use(monitor, scripts);
  } finally {
    await monitor.stop();
  }
}

/** Blocks that pay one wallet each, one after the other; how long it took to tell of each, ms. */
async function payBlocks(
  { node, payments, receiver }: World,
  monitor: MonitorProcess,
  scripts: readonly Uint8Array[],
): Promise<{ readonly finding: number[]; readonly channel: number[] }> {
  const finding: number[] = [];
  const channel: number[] = [];
  for (const script of scripts) {
    const { hex, txid } = await payments.block(script);
    const asked = receiver.asked(txid);
    const arrivedNs = process.hrtime.bigint();
    const refused = await node.rpc<string | null>('submitblock', hex);
    if (refused !== null) throw new Error(`the node refused a block: ${refused}`);
    const told = await monitor.told(arrivedNs, ({ words, kind }) => words === 'finding' && kind === 'received');
    finding.push(Number(told.ns - arrivedNs) / 1e6);
    channel.push(Number((await asked) - arrivedNs) / 1e6);
  }
  return { finding, channel };
}

interface Receiver {
  readonly url: string;
  /** When the first request that tells of this transaction began to come in, on the clock of `process.hrtime`. */
  asked(txid: string): Promise<bigint>;
  stop(): Promise<void>;
}

/** A receiver of webhooks on loopback that says yes to all. */
async function startReceiver(): Promise<Receiver> {
  const waiting = new Map<string, (ns: bigint) => void>();
  const server = createServer((request, response) => {
    const ns = process.hrtime.bigint();
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      response.end();
      for (const [txid, tell] of waiting) {
        if (!body.includes(txid)) continue;
        waiting.delete(txid);
        tell(ns);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked: (txid) => new Promise((resolve) => waiting.set(txid, resolve)),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The smallest value that so many of a hundred do not exceed. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * share) / 100) - 1]!;
}
