import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex } from '@keepwatch/base';
import { buildBasicFilter, headerHash, layoutBlock, type Network } from '@keepwatch/bitcoin';
import { generatedBlock, generateHeaders, startHeaderPeer, type HeaderPeer } from '@keepwatch/testkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { P2pTuning } from './options.ts';
import { createP2pSource, type P2pSource } from './source.ts';

// What follows from time and from doubt. The clock is ours; the peers show generated chains.

const WAIT = { timeout: 60_000, interval: 20 };
const FILTER = Uint8Array.of(0);
const open: (() => Promise<void>)[] = [];
let dataDir: string;
let lines: string[];
let nowMs: number;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-standing-'));
  lines = [];
  nowMs = Date.now();
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function node(...args: Parameters<typeof startHeaderPeer>): Promise<HeaderPeer> {
  const peer = await startHeaderPeer(...args);
  open.push(() => peer.stop());
  return peer;
}

function client(
  peers: readonly HeaderPeer[],
  network: Network = 'regtest',
  tuning: Partial<P2pTuning> = {},
): P2pSource {
  const light = createP2pSource(
    { entropy: randomBytes, nowMs: () => nowMs, log: (line) => lines.push(line) },
    {
      ...{ name: 'light', network, dataDir, discover: false, vouched: { checkpoints: [], minimumWork: 0n } },
      peers: peers.map(({ port }) => `127.0.0.1:${port}`),
      tuning: { tickMs: 50, dialMs: 20_000, answerMs: 20_000, pingMs: 1e9, graceMs: 0, ...tuning },
    },
  );
  open.push(() => light.close());
  light.start();
  return light;
}

const reach = (light: P2pSource, height: number) =>
  vi.waitFor(
    () => expect(light.progress()).toMatchObject({ headers: height, filterHeaders: height, synced: true }),
    WAIT,
  );
const left = (peer: HeaderPeer, code: string) => lines.includes(`127.0.0.1:${peer.port}: left (${code})`);

describe('a tip that does not move', () => {
  const headers = generateHeaders(30);

  it('makes the client ask all peers anew, after half an hour: for a block that nobody announced', async () => {
    const peer = await node(headers, { filter: FILTER, shown: 20 });
    const light = client([peer]);
    await reach(light, 20);
    peer.showAll();
    nowMs += 29 * 60_000;
    // Some rounds of looking at the clock.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(light.progress().headers).toBe(20);
    nowMs += 2 * 60_000;
    await reach(light, 30);
  });

  it('makes it leave a peer that is behind all this time, and keep the others', async () => {
    const slow = await node(headers.subarray(0, 20 * 80), { filter: FILTER });
    const good = await node(headers, { filter: FILTER });
    const light = client([slow, good]);
    await reach(light, 30);
    await vi.waitFor(() => expect(light.peers()).toHaveLength(2), WAIT);
    nowMs += 31 * 60_000;
    await vi.waitFor(() => expect(left(slow, 'peer_behind')).toBe(true), WAIT);
    expect(left(good, 'peer_behind')).toBe(false);
    // To be slow is no lie.
    expect(light.bans()).toEqual([]);
  });

  it('is called stale on the main chain once it is two hours old', async () => {
    // Blocks 1 and 2 of the main chain.
    const real = fromHex(
      '010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299' +
        '010000004860eb18bf1b1620e37e9490fc8a427514416fd75159ab86688e9a8300000000d5fdcc541e25de1c7a5addedf24858b8bb665c9f36ef744ee42c316022c90f9bb0bc6649ffff001d08d2bd61',
    )!;
    const tipMs = 1_231_469_744_000;
    nowMs = tipMs + 2 * 3_600_000;
    const light = client([await node(real, { filter: FILTER, network: 'main' })], 'main');
    await reach(light, 2);
    expect(light.health().state).toBe('live');
    nowMs += 1;
    expect(light.health().state).toBe('stale');
  });
});

it('a ban ends when its time is over, and not before', async () => {
  const headers = generateHeaders(10);
  // Another target than the rules ask for.
  headers[5 * 80 + 72]! ^= 1;
  const liar = await node(headers);
  const light = client([liar]);
  await vi.waitFor(() => expect(left(liar, 'header_wrong_bits')).toBe(true), WAIT);
  expect(light.bans()).toEqual([{ host: `127.0.0.1:${liar.port}`, untilMs: nowMs + 24 * 3_600_000 }]);
  const met = liar.connections();
  nowMs += 24 * 3_600_000 - 1;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(liar.connections()).toBe(met);
  nowMs += 2;
  await vi.waitFor(() => expect(liar.connections()).toBeGreaterThan(met), WAIT);
});

describe('filters that differ where no block decides', () => {
  const blocks = { spends: true };
  const headers = generateHeaders(60, blocks);
  /** The filter of the block at this height, if what it spends had these scripts. */
  const filterFor = (scripts: readonly Uint8Array[], from: number) => (height: number) => {
    if (height < from) return FILTER;
    const block = generatedBlock(headers, height, blocks);
    const layout = layoutBlock(block);
    if (!layout.ok) throw new Error(layout.error);
    return buildBasicFilter(layout.value, headerHash(block), scripts);
  };
  const world = async (differing: number) => {
    const from = 60 - differing + 1;
    const one = await node(headers, { blocks, filter: filterFor([Uint8Array.of(0x52)], from) });
    // Of two possible ones the longer is believed: it names more.
    const longer = [Uint8Array.of(0x53), Uint8Array.of(0x54), Uint8Array.of(0x55)];
    const other = await node(headers, { blocks, filter: filterFor(longer, from) });
    return { one, other, light: client([one, other], 'regtest', { graceMs: 60_000 }) };
  };

  it('in fifty blocks are lived with, and said', async () => {
    const { one, other, light } = await world(50);
    await reach(light, 60);
    await vi.waitFor(() => expect(light.health().problem?.code).toBe('filter_undecided'), WAIT);
    expect([left(one, 'filter_undecided'), left(other, 'filter_undecided')]).toEqual([false, false]);
    expect(light.bans()).toEqual([]);
  });

  it('in more than fifty blocks cost one side its connection, and no ban', async () => {
    const { one, other, light } = await world(51);
    // Who was there first is believed first, and the other one is left.
    await vi.waitFor(() => expect(left(one, 'filter_undecided') || left(other, 'filter_undecided')).toBe(true), WAIT);
    expect(light.bans()).toEqual([]);
    await vi.waitFor(() => expect(light.progress().filterHeaders).toBe(60), WAIT);
  });
});

describe('a light client that is started again', () => {
  it('looks through filters where its tip is a checkpoint of filter headers', { timeout: 120_000 }, async () => {
    // More than one question of headers, so that checkpoints are asked for; they stand at every thousandth block (BIP157).
    const peer = await node(generateHeaders(3_000), { filter: FILTER });
    await reach(client([peer]), 3_000);
    await open.pop()!();
    const again = client([peer]);
    await reach(again, 3_000);
    const request = { scripts: [Uint8Array.of(0x51)], from: 2_990, to: 3_000 };
    let done = 0;
    for await (const event of again.scan(request, AbortSignal.timeout(60_000))) {
      if (event.kind === 'progress') done = event.done;
    }
    expect(done).toBe(11);
    expect(left(peer, 'peer_stalled')).toBe(false);
  });
});
