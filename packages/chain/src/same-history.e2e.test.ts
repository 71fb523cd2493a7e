import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressToScript } from '@keepwatch/bitcoin';
import { findBitcoind, startBitcoind } from '@keepwatch/testkit';
import { describe, expect, it, vi } from 'vitest';
import { createBitcoindSource } from './bitcoind/source.ts';
import { createP2pSource } from './p2p/source.ts';
import type { ChainEvent, ChainSource, Cursor } from './source.ts';

/** The light client and a node, side by side over one history: both must tell the same, in the same order. */

const found = await findBitcoind();
const deps = { entropy: (length: number) => new Uint8Array(randomBytes(length)), nowMs: Date.now };
const WAIT = { timeout: 120_000, interval: 50 };
/** Blocks mined before each reorganisation, and how deep it goes. More than 2,000 blocks in all. */
const CHAPTERS = [
  { blocks: 400, depth: 1 },
  { blocks: 420, depth: 6 },
  { blocks: 400, depth: 25 },
  { blocks: 420, depth: 100 },
  { blocks: 440, depth: 3 },
];

function follow(source: ChainSource, from: Cursor) {
  const stop = new AbortController();
  const seen: Extract<ChainEvent, { kind: 'connected' | 'disconnected' }>[] = [];
  const done = (async () => {
    for await (const event of source.events(from, stop.signal)) {
      if (event.kind === 'connected' || event.kind === 'disconnected') seen.push(event);
    }
  })();
  return {
    seen,
    tip: (hash: string) =>
      vi.waitFor(() => {
        const last = seen.at(-1);
        expect(last?.kind === 'connected' && last.block.hash).toBe(hash);
      }, WAIT),
    async stop() {
      stop.abort();
      await done;
      await source.close();
    },
  };
}

describe.skipIf('missing' in found)(
  `one history${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  { timeout: 600_000 },
  () => {
    it('of more than 2,000 blocks and five reorganisations is the same for the light client and for a node', async () => {
      const node = await startBitcoind('bitcoind' in found ? found.bitcoind : undefined!);
      const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-history-'));
      const payer = await node.wallet('payer');
      const owner = await node.wallet('owner');
      const miner = await payer<string>('getnewaddress');
      await node.mine(101, miner);
      const access = {
        url: `http://127.0.0.1:${node.rpcPort}`,
        auth: { cookieFile: node.cookieFile },
      };
      const own = createBitcoindSource(deps, { name: 'own', network: 'regtest', access, pollMs: 200 });
      const light = createP2pSource(deps, {
        ...{ name: 'light', network: 'regtest', dataDir, peers: [`127.0.0.1:${node.p2pPort}`] },
        tuning: { tickMs: 200, answerMs: 20_000 },
      });
      try {
        const addresses = await Promise.all(
          ['bech32', 'bech32m', 'p2sh-segwit', 'legacy'].map((type) => owner<string>('getnewaddress', '', type)),
        );
        const scripts = addresses.map((address) => {
          const read = addressToScript(address, 'regtest');
          if (!read.ok) throw new Error(read.error);
          return read.value;
        });
        for (const source of [own, light]) source.watch.addScripts(scripts);
        const hash = (await node.rpc<string>('getblockhash', 0)) as never;
        const { time } = await node.rpc<{ time: number }>('getblockheader', hash);
        // Both are told the blocks from the first one on.
        const cursor: Cursor = { blocks: [{ height: 0, hash, timeSeconds: time }] };
        const runs = [follow(own, cursor), follow(light, cursor)] as const;
        const together = async (tip: string) => void (await Promise.all(runs.map((run) => run.tip(tip))));
        let mined = 101;
        for (const { blocks, depth } of CHAPTERS) {
          for (const address of addresses) await payer('sendtoaddress', address, 0.2);
          await node.mine(1, miner);
          // Spends of what came, some of which the reorganisation takes back.
          await owner('sendtoaddress', miner, 0.3, '', '', true);
          await node.mine(blocks - depth - 1);
          for (const address of addresses) await payer('sendtoaddress', address, 0.1);
          const old = await node.mine(depth);
          await together(old.at(-1)!);
          const next = await node.reorg(depth, depth + 1);
          await together(next.at(-1)!);
          mined += blocks + depth + 1;
        }
        await Promise.all(runs.map((run) => run.stop()));
        const [ofNode, ofClient] = runs.map(({ seen }) => seen);
        expect(mined).toBeGreaterThan(2_000);
        expect(ofNode!.length).toBeGreaterThanOrEqual(mined);
        expect(ofNode!.filter(({ kind }) => kind === 'disconnected')).toHaveLength(135);
        const matches = ofNode!.flatMap((event) => (event.kind === 'connected' ? event.matches : []));
        expect(matches.filter(({ received }) => received.length > 0).length).toBeGreaterThan(30);
        expect(matches.filter(({ spent }) => spent.length > 0).length).toBeGreaterThanOrEqual(5);
        expect(ofClient!.map(plain)).toEqual(ofNode!.map(plain));
      } finally {
        await node.stop();
        rmSync(dataDir, { recursive: true, force: true });
      }
    });
  },
);

/**
 * All that is told but the fork of a block that is taken back: a node takes blocks back one by one, and who looks in between
 * sees a higher one first.
 */
function plain(event: ChainEvent) {
  if (event.kind === 'disconnected') return { kind: event.kind, block: event.block };
  if (event.kind !== 'connected') return event;
  // What was watched each source says in numbers of its own.
  const { watched: _, ...told } = event;
  return told;
}
