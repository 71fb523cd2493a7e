import { toHex } from '@keepwatch/base';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findBitcoind } from '../bitcoind/find.ts';
import { startBitcoind, type BitcoindNode } from '../bitcoind/node.ts';
import { startDevnet, type Devnet } from './devnet.ts';

/** A real node as the judge: it follows the devnet, checks every rule of its blocks, and computes their filters itself. */

const found = await findBitcoind();
const SLOW = { timeout: 90_000, interval: 200 };

describe.skipIf('missing' in found)(
  `the devnet under a real node’s eyes${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  () => {
    let devnet: Devnet | undefined;
    let node: BitcoindNode | undefined;
    afterEach(async () => {
      await node?.stop();
      await devnet?.stop();
    });

    it('serves blocks that it accepts, a reorganisation, filters that are the same, and transactions both ways', async () => {
      devnet = await startDevnet();
      node = await startBitcoind('bitcoind' in found ? found.bitcoind : undefined!);
      const { rpc, tip } = node;
      await rpc('addnode', `127.0.0.1:${devnet.p2pPort}`, 'add');
      const isSame = () => vi.waitFor(async () => expect(await tip()).toEqual(devnet!.tip()), SLOW);
      const waits = () => rpc<string[]>('getrawmempool');
      await isSame();

      const coin = devnet.receive(150_000_000n);
      await vi.waitFor(async () => expect(await waits()).toEqual([coin]), SLOW);
      devnet.mine(1);
      await isSame();
      const first = devnet.spend(70_000_000n, 2n);
      await vi.waitFor(async () => expect(await waits()).toEqual([first]), SLOW);
      const second = devnet.replace(first, 20n);
      await vi.waitFor(async () => expect(await waits()).toEqual([second]), SLOW);
      devnet.mine(1);
      await isSame();
      expect(await waits()).toEqual([]);
      const before = devnet.tip();
      expect(devnet.reorg(2).height).toBe(before.height + 1);
      await isSame();

      // Its own index of filters (BIP158) says the same of each block, and so do the bytes of each.
      for (let height = 0; height <= devnet.tip().height; height++) {
        const hash = await rpc<string>('getblockhash', height);
        const raw = Buffer.from(await rpc<string>('getblock', hash, 0), 'hex');
        const theirs = await rpc<{ filter: string }>('getblockfilter', hash);
        const ours = devnet.blockAt(height)!;
        expect([toHex(ours.raw), toHex(ours.filter)]).toEqual([toHex(raw), theirs.filter]);
      }

      // What a peer relays is taken, if it holds.
      const wallet = await node.wallet('theirs');
      devnet.payTo(await wallet<string>('getnewaddress'), 30_000_000n);
      devnet.mine(1);
      await isSame();
      const relayed = await wallet<string>('sendtoaddress', await wallet<string>('getnewaddress'), 0.1);
      await vi.waitFor(() => expect(waiting(devnet!)).toEqual([relayed]), SLOW);
      devnet.mine(1);
      await isSame();
    });
  },
);

describe('the devnet’s own judgement', () => {
  it('refuses what spends nothing, too much, twice, too early, or without a signature that holds', async () => {
    const devnet = await startDevnet();
    try {
      expect(() => devnet.spend(1n, 1n)).toThrow('has too little');
      const coin = devnet.receive(100_000n);
      const { raw } = devnet.waiting()[0]!;
      const bent = Uint8Array.from(raw);
      // A bit in the middle of its signature.
      bent[raw.length - 80]! ^= 1;
      expect(() => devnet.submit(bent)).toThrow('script_invalid');
      expect(() => devnet.submit(raw.subarray(1))).toThrow('transaction_malformed');
      expect(devnet.submit(raw)).toBe(coin);
      devnet.mine(1);
      expect(() => devnet.submit(raw)).toThrow('coins_missing');
      const spend = devnet.spend(50_000n, 5n);
      const replaced = devnet.waiting()[0]!.raw;
      // The same at the same fees is the same transaction.
      expect(devnet.replace(spend, 5n)).toBe(spend);
      expect(() => devnet.replace(spend, 4n)).toThrow('replacement_underpays');
      expect(() => devnet.replace('00'.repeat(32), 9n)).toThrow('No payment');
      const better = devnet.replace(spend, 7n);
      expect(waiting(devnet)).toEqual([better]);
      expect(() => devnet.submit(replaced)).toThrow('replacement_underpays');
      devnet.reorg(1);
      expect(waiting(devnet)).toEqual([]);
    } finally {
      await devnet.stop();
    }
  });
});

const waiting = (devnet: Devnet) => devnet.waiting().map(({ txid }) => txid);
