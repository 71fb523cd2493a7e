import { randomBytes } from 'node:crypto';
import { addressToScript } from '@keepwatch/bitcoin';
import { findBitcoind, startBitcoind } from '@keepwatch/testkit';
import { describe, expect, it, vi } from 'vitest';
import type { BlockRef, ChainEvent, Cursor } from '../source.ts';
import { createBitcoindSource } from './source.ts';

/** A node that pruned its blocks, one that dies in the middle of its own synchronisation, and a long way back. */

const found = await findBitcoind();
const bitcoind = 'bitcoind' in found ? found.bitcoind : undefined!;
const WAIT = { timeout: 120_000, interval: 50 };

function open(node: { rpcPort: number; cookieFile: string }, scanWorkers?: number) {
  return createBitcoindSource(
    { entropy: randomBytes, nowMs: Date.now },
    {
      ...{ name: 'node', network: 'regtest', pollMs: 200, ...(scanWorkers === undefined ? {} : { scanWorkers }) },
      access: { url: `http://127.0.0.1:${node.rpcPort}`, auth: { cookieFile: node.cookieFile } },
    },
  );
}

function follow(source: ReturnType<typeof open>, from: Cursor | null) {
  const stop = new AbortController();
  const seen: ChainEvent[] = [];
  const done = (async () => {
    for await (const event of source.events(from, stop.signal)) seen.push(event);
  })();
  return {
    seen,
    connected: (): BlockRef[] => seen.flatMap((event) => (event.kind === 'connected' ? [event.block] : [])),
    async tip(hash: string) {
      await vi.waitFor(() => expect(this.connected().at(-1)?.hash).toBe(hash), WAIT);
    },
    async stop() {
      stop.abort();
      await done;
      await source.close();
    },
  };
}

describe.skipIf('missing' in found)(
  `hard times of a node${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  { timeout: 300_000 },
  () => {
    it('pruned: a scan says from where on it has blocks, and what has to be told is fetched anew', async () => {
      const whole = await startBitcoind(bitcoind);
      const pruned = await startBitcoind(bitcoind, {
        // Small block files, so that there is something to prune after some hundred blocks.
        args: ['-prune=1', '-fastprune=1', '-txindex=0', '-blockfilterindex=0', '-peerblockfilters=0'],
        connectTo: [whole],
      });
      try {
        await whole.mine(800);
        const { hash, height } = await whole.tip();
        await pruned.reach(hash);
        await pruned.rpc('pruneblockchain', 500);
        const { pruneheight } = await pruned.rpc<{ pruneheight: number }>('getblockchaininfo');
        expect(pruneheight).toBeGreaterThan(50);

        const source = open(pruned);
        const request = { scripts: [], from: 0, to: null };
        await expect(Array.fromAsync(source.scan(request, new AbortController().signal))).rejects.toMatchObject({
          code: 'block_pruned',
          details: { from: 0, lowestKept: pruneheight },
        });
        const late = await Array.fromAsync(
          source.scan({ ...request, from: pruneheight }, new AbortController().signal),
        );
        expect(late.at(-1)).toMatchObject({ kind: 'progress', height });

        // Somebody who was away for long: the blocks since then are gone here, and not at the node’s peer.
        const at = pruneheight - 4;
        const back = await whole.rpc<string>('getblockhash', at);
        const { time } = await whole.rpc<{ time: number }>('getblockheader', back);
        const run = follow(source, { blocks: [{ height: at, hash: back as never, timeSeconds: time }] });
        await run.tip(hash);
        expect(run.connected().map((block) => block.height)).toEqual(
          Array.from({ length: height - at }, (_, i) => at + 1 + i),
        );
        await run.stop();

        // Without a peer that has them it is said, again and again, and nothing is left out.
        await pruned.rpc('setnetworkactive', false);
        // Peers are dropped a moment later, and one of them may still answer.
        await vi.waitFor(async () => expect(await pruned.rpc('getpeerinfo')).toEqual([]), WAIT);
        const older = await whole.rpc<string>('getblockhash', at - 40);
        const alone = follow(open(pruned), { blocks: [{ height: at - 40, hash: older as never, timeSeconds: time }] });
        await vi.waitFor(
          () =>
            expect(alone.seen).toContainEqual(
              expect.objectContaining({
                health: expect.objectContaining({
                  state: 'down',
                  problem: expect.objectContaining({ code: 'block_pruned' }) as unknown,
                }) as unknown,
              }),
            ),
          WAIT,
        );
        expect(alone.connected()).toEqual([]);
        await alone.stop();
      } finally {
        await pruned.stop();
        await whole.stop();
      }
    });

    it('killed while it synchronises itself, and started again: each block is told once, in order', async () => {
      const whole = await startBitcoind(bitcoind);
      const young = await startBitcoind(bitcoind);
      try {
        await whole.mine(1_500);
        const { hash, height } = await whole.tip();
        const { time } = await whole.rpc<{ time: number }>('getblockheader', await whole.rpc('getblockhash', 0));
        const genesis = { height: 0, hash: (await whole.rpc<string>('getblockhash', 0)) as never, timeSeconds: time };
        const run = follow(open(young), { blocks: [genesis] });
        await young.connect(whole);
        await vi.waitFor(() => expect(run.connected().length).toBeGreaterThan(20), { ...WAIT, interval: 5 });
        await young.kill();
        const told = run.connected().length;
        await young.restart();
        await young.connect(whole);
        await run.tip(hash);
        // What it had told and lost with its death it may have to take back; what is left is one chain.
        const chain: BlockRef[] = [genesis];
        for (const event of run.seen) {
          if (event.kind === 'connected') {
            expect(event.block.height).toBe(chain.at(-1)!.height + 1);
            chain.push(event.block);
          } else if (event.kind === 'disconnected') expect(chain.pop()).toEqual(event.block);
        }
        expect(chain).toHaveLength(height + 1);
        expect(told).toBeLessThanOrEqual(height);
        expect(new Set(run.connected().map((block) => block.hash)).size).toBe(height);
        await run.stop();
      } finally {
        await young.stop();
        await whole.stop();
      }
    });

    it('finds the same in a long past by threads as alone, block by block', async () => {
      const node = await startBitcoind(bitcoind);
      try {
        const owner = await node.wallet('owner');
        const address = await owner<string>('getnewaddress', '', 'bech32');
        const script = addressToScript(address, 'regtest');
        if (!script.ok) throw new Error(script.error);
        await node.mine(30, address);
        await node.mine(100);
        // Coins that come and go, also within one block.
        for (let i = 0; i < 10; i++) {
          for (let n = 0; n < 3; n++) await owner('sendtoaddress', address, 1 + i);
          await node.mine(60);
        }
        const scan = async (workers: number) => {
          const source = open(node, workers);
          const request = { scripts: [script.value], from: 0, to: null };
          const events = await Array.fromAsync(source.scan(request, new AbortController().signal));
          await source.close();
          return events.filter(({ kind }) => kind === 'match');
        };
        const alone = await scan(0);
        expect(alone.flatMap((event) => (event.kind === 'match' ? event.matches : [])).length).toBeGreaterThan(50);
        expect(await scan(2)).toEqual(alone);
      } finally {
        await node.stop();
      }
    });
  },
);
