import type { ChainSource, WatchMark } from '@keepwatch/chain';
import type { BitcoindNode } from '@keepwatch/devnet';
import { describe, expect, it, vi } from 'vitest';
import { follow, PATIENCE } from './follow.ts';
import { COIN_SATS, moneyOf } from './money.ts';

/** What is asked of one source and never of a quorum: scans, and what it had to find in a block. */
export function loneSourceContract(
  name: string,
  world: () => { readonly node: BitcoindNode; open(): Promise<ChainSource> },
): void {
  describe(`${name} keeps the contract of a source that is alone`, { timeout: 240_000 }, () => {
    it('can say later of each block whether a transaction had to be found in it', async () => {
      const { node, open } = world();
      const [early, late, coin] = [await moneyOf(node), await moneyOf(node), await moneyOf(node)];
      const txid = await coin.pay();
      await node.mine(1);
      const run = follow(await open(), null, ({ watch }) => watch.addScripts([early.script]));
      await run.tip((await node.tip()).hash);
      const before = run.of('connected').at(-1)!.watched;
      const { watch } = run.source;
      watch.addScripts([late.script]);
      const outpoint = { txid, vout: (await coin.coins())[0]!.vout };
      watch.addOutpoints([{ ...outpoint, output: { script: coin.script, sats: BigInt(COIN_SATS) } }]);
      const [toEarly, toLate] = [await early.pay(), await late.pay()];
      const spent = await coin.spend(1_000);
      const [block] = await node.mine(1);
      await run.tip(block!);
      const { matches, watched } = run.of('connected').find((event) => event.block.hash === block)!;
      const covered = (mark: WatchMark) => matches.filter((tx) => watch.covers(tx, mark)).map((tx) => tx.txid);
      expect(covered(before)).toEqual([toEarly]);
      expect(covered(watched).sort()).toEqual([toEarly, toLate, spent].sort());
      watch.removeScripts([early.script]);
      watch.removeOutpoints([outpoint]);
      expect(covered(watched)).toEqual([toLate]);
      await run.stop();
    });

    it('scans the past of scripts and coins, from a height or a time', async () => {
      const { node, open } = world();
      const money = await moneyOf(node);
      const paid = await money.pay();
      const [block] = await node.mine(1);
      const spent = await money.spend(1_000);
      const [last] = await node.mine(1);
      const source = await open();
      const at = async (hash: string) => await node.rpc<{ height: number; time: number }>('getblockheader', hash);
      const { height, time } = await at(block!);
      const signal = AbortSignal.timeout(PATIENCE.timeout);
      const from = await source.heightAt(time, signal);
      expect(from).toBeLessThanOrEqual(height);
      const found = await vi.waitFor(async () => {
        const events = await Array.fromAsync(source.scan({ scripts: [money.script], from, to: null }, signal));
        const matches = events.flatMap((event) =>
          event.kind === 'match' ? event.matches.map(({ txid }) => txid) : [],
        );
        expect(matches).toEqual([paid, spent]);
        return events;
      }, PATIENCE);
      const end = await at(last!);
      expect(found.at(-1)).toMatchObject({ kind: 'progress', height: end.height, done: end.height - from + 1 });
      // No later than the first block whose median time past is that late.
      expect(await source.heightAt(end.time + 100_000_000, signal)).toBe(end.height);
      expect(await source.heightAt(0, signal)).toBeLessThanOrEqual(1);
      await source.close();
    });
  });
}
