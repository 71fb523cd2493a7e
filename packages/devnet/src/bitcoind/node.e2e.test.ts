import { describe, expect, it } from 'vitest';
import { findBitcoind } from './find.ts';
import { startBitcoind } from './node.ts';

const found = await findBitcoind((words) => console.log(words));

describe.skipIf('missing' in found)(
  `a real bitcoind${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  () => {
    const bitcoind = 'bitcoind' in found ? found.bitcoind : undefined!;

    it('mines, relays to a second one, reorganises, and lives on after a kill', async () => {
      const one = await startBitcoind(bitcoind);
      const two = await startBitcoind(bitcoind, { connectTo: [one], zmq: true });
      try {
        const hashes = await one.mine(10);
        await two.reach(hashes[9]!);
        const other = await one.reorg(3, 4);
        await two.reach(other[3]!);
        expect(await two.tip()).toEqual({ height: 11, hash: other[3] });
        await two.kill();
        await one.mine(2);
        await two.restart();
        await two.connect(one);
        await two.reach((await one.tip()).hash);
        expect((await two.tip()).height).toBe(13);
      } finally {
        await two.stop();
        await one.stop();
      }
    });

    it('keeps wallets apart and spends by them', async () => {
      const node = await startBitcoind(bitcoind);
      try {
        const [alice, bob] = [await node.wallet('alice'), await node.wallet('bob')];
        await node.mine(101, await alice<string>('getnewaddress'));
        await alice('sendtoaddress', await bob<string>('getnewaddress'), 1);
        await node.mine(1);
        expect(await bob('getbalance')).toBe(1);
      } finally {
        await node.stop();
      }
    });
  },
);
