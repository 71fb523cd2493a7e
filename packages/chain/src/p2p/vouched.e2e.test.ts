import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlockHash, Vouched } from '@keepwatch/bitcoin';
import { findBitcoind, startBitcoind, type BitcoindNode } from '@keepwatch/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ChainEvent } from '../source.ts';
import { createP2pSource } from './source.ts';

/** What a release vouches for, held against a node of another chain: one that cost less, or one that cost more. */

const found = await findBitcoind();
const bitcoind = 'bitcoind' in found ? found.bitcoind : undefined!;
const WAIT = { timeout: 60_000, interval: 50 };
/** Work of a block of regtest (2^256 / (target + 1)). */
const BLOCK_WORK = 2n;

describe.skipIf('missing' in found)(
  `what the release vouches for${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  () => {
    let real: BitcoindNode;
    let fake: BitcoindNode;
    const dirs: string[] = [];
    const stops: (() => Promise<void>)[] = [];
    beforeAll(async () => {
      real = await startBitcoind(bitcoind);
      fake = await startBitcoind(bitcoind);
      await real.mine(50);
      // More work than the real one, and none of its blocks.
      await fake.mine(80);
    });
    afterEach(async () => {
      for (const stop of stops.splice(0)) await stop();
      for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
    });
    afterAll(async () => {
      await real?.stop();
      await fake?.stop();
    });

    function run(nodes: readonly BitcoindNode[], vouched: Vouched) {
      const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-vouched-'));
      dirs.push(dataDir);
      const lines: string[] = [];
      const light = createP2pSource(
        { entropy: randomBytes, nowMs: Date.now, log: (line) => lines.push(line) },
        {
          ...{ name: 'light', network: 'regtest', dataDir, vouched },
          peers: nodes.map(({ p2pPort }) => `127.0.0.1:${p2pPort}`),
          tuning: { tickMs: 200, answerMs: 5_000, dialMs: 3_000 },
        },
      );
      const stop = new AbortController();
      const seen: ChainEvent[] = [];
      const done = (async () => {
        for await (const event of light.events(null, stop.signal)) seen.push(event);
      })();
      stops.push(async () => {
        stop.abort();
        await done;
        await light.close();
      });
      const until = (what: () => boolean) =>
        vi.waitFor(() => expect(what(), lines.slice(-9).join('\n')).toBe(true), WAIT);
      return { light, lines, until, told: () => seen.filter(({ kind }) => kind === 'connected') };
    }
    const checkpointAt = async (height: number): Promise<Vouched> => {
      const hash = (await real.rpc<string>('getblockhash', height)) as BlockHash;
      return { checkpoints: [{ height, hash }], minimumWork: 0n };
    };

    it('lets nobody lead onto a chain without a block that the release names, however much work it has', async () => {
      const { light, lines, until, told } = run([fake, real], await checkpointAt(30));
      const { hash, height } = await real.tip();
      await until(() => light.progress().synced && light.progress().tip.hash === hash);
      await until(() => lines.includes(`127.0.0.1:${fake.p2pPort}: left (header_against_checkpoint)`));
      await until(() => told().length > 0);
      expect(told().at(-1)).toMatchObject({ block: { height, hash } });
      expect(light.bans()).toMatchObject([{ host: `127.0.0.1:${fake.p2pPort}` }]);
    });

    it('tells nothing of a chain with less work than there must be, and says why', async () => {
      const work = BLOCK_WORK * 100n;
      const { light, until, told } = run([real, fake], { checkpoints: [], minimumWork: work });
      await until(() => light.health().problem?.code === 'chain_low_work');
      expect(light.health().state).toBe('syncing');
      expect(told()).toEqual([]);
      // Blocks that were kept back come after all.
      await fake.mine(40);
      const { hash } = await fake.tip();
      await until(() => light.health().state === 'live' && told().length > 0);
      expect(light.progress().tip.hash).toBe(hash);
    });
  },
);
