import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressToScript } from '@keepwatch/bitcoin';
import {
  findBitcoind,
  findTor,
  startBitcoind,
  startElectrumEndpoint,
  startTorNetwork,
  type BitcoindNode,
  type ElectrumEndpoint,
  type Rpc,
  type TorNetwork,
} from '@keepwatch/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createElectrumSource } from './electrum/electrum.ts';
import { createP2pSource } from './p2p/source.ts';
import type { ChainEvent, ChainSource, ScanEvent } from './source.ts';

// Real Tor, in a network of its own on this machine: nine processes, of which each hop of a connection takes a while.

const bitcoind = await findBitcoind();
const tor = await findTor();
const missing = [bitcoind, tor].flatMap((each) => ('missing' in each ? [each.missing] : []));
const skipped = missing.length > 0 ? ` (skipped: ${missing.join('; ')})` : '';
const START_MS = 600_000;
const WAIT = { timeout: 300_000, interval: 100 };
const deps = { entropy: (length: number) => new Uint8Array(randomBytes(length)), nowMs: Date.now };

describe.skipIf(missing.length > 0)(`over real Tor${skipped}`, () => {
  const nodes: BitcoindNode[] = [];
  let alice: Rpc;
  let endpoint: ElectrumEndpoint;
  let network: TorNetwork;
  const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-tor-client-'));

  beforeAll(async () => {
    if (!('bitcoind' in bitcoind) || !('tor' in tor)) return;
    const first = await startBitcoind(bitcoind.bitcoind);
    nodes.push(first, await startBitcoind(bitcoind.bitcoind, { connectTo: [first] }));
    alice = await first.wallet('alice');
    await first.mine(120, await alice<string>('getnewaddress'));
    await nodes[1]!.reach((await first.tip()).hash);
    endpoint = await startElectrumEndpoint(first);
    network = await startTorNetwork(tor.tor, [
      { port: 8_333, target: first.p2pPort },
      { port: 8_334, target: nodes[1]!.p2pPort },
      { port: 50_001, target: endpoint.port },
    ]);
  }, START_MS);

  afterAll(async () => {
    await network?.stop();
    await endpoint?.stop();
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(dataDir, { recursive: true, force: true });
  }, START_MS);

  /** A script that is watched, and how it is paid. */
  async function wallet(source: ChainSource) {
    const address = await alice<string>('getnewaddress', '', 'bech32');
    const script = addressToScript(address, 'regtest');
    if (!script.ok) throw new Error(script.error);
    source.watch.addScripts([script.value]);
    return { script: script.value, pay: () => alice<string>('sendtoaddress', address, 1) };
  }

  function follow(source: ChainSource) {
    const seen: ChainEvent[] = [];
    const ending = new AbortController();
    const done = (async () => {
      for await (const event of source.events(null, ending.signal)) seen.push(event);
    })();
    done.catch(() => undefined);
    return {
      until: (what: (event: ChainEvent) => boolean) =>
        vi.waitFor(() => {
          if (!seen.some(what)) throw new Error(`in vain; ${JSON.stringify(source.health())}`);
        }, WAIT),
      async stop() {
        ending.abort();
        await done;
        await source.close();
      },
    };
  }

  const sighted = (txid: string) => (event: ChainEvent) => event.kind === 'sighted' && event.tx.txid === txid;
  const confirmed = (txid: string, hash: string) => (event: ChainEvent) =>
    event.kind === 'connected' && event.block.hash === hash && event.matches.some((match) => match.txid === txid);
  const isLive = (event: ChainEvent) => event.kind === 'health' && event.health.state === 'live';

  it(
    'the light client synchronises, sees a payment and finds it again, and has one circuit for each peer',
    async () => {
      const light = createP2pSource(deps, {
        ...{ name: 'light', network: 'regtest', dataDir },
        peers: [`${network.onion}:8333`, `${network.onion}:8334`],
        proxy: { host: '127.0.0.1', port: network.socksPort, isolate: true },
        tuning: { tickMs: 200, dialMs: 120_000, answerMs: 120_000 },
      });
      const { script, pay } = await wallet(light);
      const following = follow(light);
      try {
        await vi.waitFor(() => expect(light.peers()).toHaveLength(2), WAIT);
        await following.until(isLive);
        expect(light.peers().map(({ transport }) => transport)).toEqual(['v2', 'v2']);
        // Both lead to the same onion service: without isolation they would share a circuit.
        const streams = await network.streams();
        const circuits = new Set(streams.map(({ circuit }) => circuit));
        expect(new Set(streams.map(({ target }) => target))).toEqual(
          new Set([`${network.onion}:8333`, `${network.onion}:8334`]),
        );
        expect(circuits.size).toBe(streams.length);

        const txid = await pay();
        await following.until(sighted(txid));
        const [hash] = await nodes[0]!.mine(1);
        await following.until(confirmed(txid, hash!));
        const found: ScanEvent[] = [];
        for await (const event of light.scan(
          { scripts: [script], from: 100, to: 121 },
          AbortSignal.timeout(WAIT.timeout),
        ))
          found.push(event);
        expect(found.flatMap((event) => (event.kind === 'match' ? event.matches : []))).toMatchObject([{ txid }]);
        expect(light.bans()).toEqual([]);
      } finally {
        await following.stop();
      }
    },
    START_MS,
  );

  it(
    'an Electrum server is asked on a circuit of its own, and tells of a payment',
    async () => {
      const source = createElectrumSource(deps, {
        ...{ name: 'electrum', network: 'regtest' },
        endpoint: {
          ...{ host: network.onion, port: 50_001, tls: null },
          proxy: { host: '127.0.0.1', port: network.socksPort, isolation: 'electrum' },
        },
      });
      const { pay } = await wallet(source);
      const following = follow(source);
      try {
        await following.until(isLive);
        expect((await network.streams()).map(({ target }) => target)).toContain(`${network.onion}:50001`);
        const txid = await pay();
        await following.until(sighted(txid));
        const [hash] = await nodes[0]!.mine(1);
        await following.until(confirmed(txid, hash!));
      } finally {
        await following.stop();
      }
    },
    START_MS,
  );
});
