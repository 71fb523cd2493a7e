import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICES, type NetAddress } from '@keepwatch/bitcoin/p2p';
import { generateHeaders, startHeaderPeer, type HeaderPeer } from '@keepwatch/testkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestProxy, type TestProxy } from '../../net/socks.fixture.ts';
import type { P2pOptions } from '../options.ts';
import { createP2pSource, type P2pSource } from '../source.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const headers = generateHeaders(20);
const open: (() => Promise<void>)[] = [];
let dataDir: string;
let lines: string[];
let resolved: string[];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-peers-'));
  lines = [];
  resolved = [];
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function node(addresses: readonly NetAddress[] = []): Promise<HeaderPeer> {
  const peer = await startHeaderPeer(headers, { addresses });
  open.push(() => peer.stop());
  return peer;
}

async function proxy(): Promise<TestProxy> {
  const started = await startTestProxy();
  open.push(() => started.stop());
  return started;
}

function client(options: Partial<P2pOptions>, leadsTo: readonly string[] = ['127.0.0.1']): P2pSource {
  const light = createP2pSource(
    {
      entropy: randomBytes,
      nowMs: Date.now,
      log: (line) => lines.push(line),
      resolve(name) {
        resolved.push(name);
        return Promise.resolve(leadsTo);
      },
    },
    {
      ...{ name: 'light', network: 'regtest', dataDir, discover: true, ...options },
      tuning: { tickMs: 50, dialMs: 10_000, answerMs: 10_000, ...options.tuning },
    },
  );
  open.push(() => light.close());
  light.start();
  return light;
}

const at = (ip: string, port: number): NetAddress => ({
  network: 'ipv4',
  bytes: Uint8Array.from(ip.split('.'), Number),
  port,
  services: SERVICES.network | SERVICES.witness,
  timeSeconds: 1_700_000_000,
});
const until = (what: () => boolean) =>
  vi.waitFor(() => {
    if (!what()) throw new Error(`in vain: ${String(what)}\n${lines.slice(-15).join('\n')}`);
  }, WAIT);

describe('nodes are found', () => {
  it('by the names of seeds, through the resolver that was handed in', async () => {
    const { port } = await node();
    const light = client({ seeds: [`seed.example:${port}`] });
    await until(() => light.progress().headers === 20);
    expect(resolved).toEqual(['seed.example']);
    expect(light.peers().map(({ address }) => address)).toEqual([`127.0.0.1:${port}`]);
  });

  it('through a proxy without resolving a name here: a seed is asked once, and each connection has a circuit of its own', async () => {
    const [far, other] = [await node(), await node()];
    const seed = await node([at('9.1.2.3', far.port), at('9.7.2.3', other.port), at('10.0.0.1', far.port)]);
    const { port, asked } = await proxy();
    const options = { seeds: [`seed.example:${seed.port}`], proxy: { host: '127.0.0.1', port, isolate: true } };
    const light = client(options);
    await until(() => light.peers().length === 2 && light.progress().headers === 20);
    expect(light.peers().map(({ address }) => address)).toContain(`9.7.2.3:${other.port}`);
    expect(resolved).toEqual([]);
    expect(asked.map(({ host }) => host)).toContain('seed.example');
    expect(asked.map(({ host }) => host)).not.toContain('10.0.0.1');
    expect(new Set(asked.map(({ user }) => user)).size).toBe(asked.length);
    expect(asked.every(({ user }) => user.length >= 8)).toBe(true);
  });

  it('in networks of their own: what one network has many of counts once', async () => {
    const nodes = await Promise.all([node(), node(), node(), node()]);
    const ports = nodes.map((each) => each.port) as [number, number, number, number];
    // Three of one /16, one of another.
    const seed = await node([
      at('9.1.0.1', ports[0]),
      at('9.1.0.2', ports[1]),
      at('9.1.0.3', ports[2]),
      at('9.2.0.1', ports[3]),
    ]);
    const { port } = await proxy();
    const light = client({ seeds: [`seed.example:${seed.port}`], proxy: { host: '127.0.0.1', port, isolate: true } });
    await until(() => light.peers().length === 2);
    const groups = () => light.peers().map(({ address }) => address.split('.').slice(0, 2).join('.'));
    expect(groups().sort()).toEqual(['9.1', '9.2']);
    // Time for many more looks at what is missing.
    const looks = lines.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(groups().sort()).toEqual(['9.1', '9.2']);
    expect(lines.length).toBe(looks);
  });

  it('again after a restart without asking a seed, from what was kept on disk', async () => {
    const { port } = await node();
    const first = client({ seeds: [`seed.example:${port}`] });
    await until(() => first.progress().headers === 20);
    await open.pop()!();
    expect(readFileSync(join(dataDir, 'peers.json'), 'utf8')).toContain(`127.0.0.1:${port}`);
    resolved = [];
    const second = client({ seeds: ['nowhere.example:1'] });
    await until(() => second.peers().length === 1);
    expect(second.peers()[0]!.address).toBe(`127.0.0.1:${port}`);
  });

  it('and one after the other is exchanged, so that nobody holds all connections for ever', async () => {
    const nodes = await Promise.all([node(), node(), node()]);
    const addresses = nodes.map((each, i) => at(`9.${i + 1}.0.1`, each.port));
    const seed = await node(addresses);
    const { port } = await proxy();
    const light = client({
      seeds: [`seed.example:${seed.port}`],
      proxy: { host: '127.0.0.1', port, isolate: true },
      tuning: { target: 2, rotateMs: 300 },
    });
    await until(() => lines.some((line) => line.endsWith('left (peer_rotated)')));
    await until(() => nodes.every((each) => each.connections() > 0));
    await until(() => light.peers().length === 2);
  });

  it('on the main network never within one’s own, whatever a resolver says', async () => {
    const { port } = await node();
    const own = ['127.0.0.1', '10.1.2.3', '192.168.1.1', '169.254.169.254', '::1', 'fe80::1', '0.0.0.0', 'nonsense'];
    const light = client({ network: 'main', seeds: [`seed.example:${port}`] }, own);
    await until(() => resolved.length === 1);
    await until(() => light.health().state !== 'live');
    await open.pop()!();
    expect(lines.filter((line) => line !== 'closed')).toEqual([]);
  });
});
