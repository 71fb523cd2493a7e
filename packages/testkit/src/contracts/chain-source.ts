import { layoutTransaction, toDisplay, txidAt, type Txid } from '@keepwatch/bitcoin';
import type { BroadcastResult, Grade } from '@keepwatch/chain';
import type { BitcoindNode } from '@keepwatch/devnet';
import { describe, expect, it } from 'vitest';
import { follow, type SourceUnderContract } from './follow.ts';
import { COIN_SATS, moneyOf } from './money.ts';

/** In what sources differ, and may. */
export interface SourceTraits {
  /** How far it believes a payment to us, and a spend of our coin whose script it can verify. */
  readonly payment: Exclude<Grade, 'confirmed'>;
  readonly spend: Exclude<Grade, 'confirmed'>;
  /** What it says of a transaction that nodes refuse: nodes of the network do not say why. */
  readonly refused: 'rejected' | 'unknown';
  readonly packages: boolean;
}

export interface SourceWorld {
  readonly node: BitcoindNode;
  /** Opens the source anew; what it keeps on disk stays. */
  open(): Promise<SourceUnderContract>;
  /** The same kind of source, of something that nobody answers for. */
  openDead(): Promise<SourceUnderContract>;
}

/**
 * What the port of sources promises, against a real node: every adapter passes it, and so does a quorum of
 * several. `world` is made before the first test; its node has 120 blocks or more and a wallet called `payer` that has money.
 */
export function chainSourceContract(name: string, traits: SourceTraits, world: () => SourceWorld): void {
  describe(`${name} keeps the contract of a source`, { timeout: 240_000 }, () => {
    it('tells the tip first, then each block once, and reorganisations of any depth with their fork', async () => {
      const { node } = world();
      const run = follow(await world().open());
      const start = await node.tip();
      await run.tip(start.hash);
      const expected = [`+${start.hash}`];
      for (const depth of [1, 6, 100]) {
        const fork = (await node.tip()).hash;
        const old = await node.mine(depth);
        await run.tip(old.at(-1)!);
        const next = await node.reorg(depth, depth + 1);
        await run.tip(next.at(-1)!);
        expected.push(...old.map((hash) => `+${hash}`));
        expected.push(...[...old].reverse().map((hash) => `-${hash}`));
        expected.push(...next.map((hash) => `+${hash}`));
        expect(run.of('disconnected').at(-1)?.fork.hash).toBe(fork);
      }
      // A server may be a block behind its node at the start; what it tells first is then that block.
      const story = run.story();
      expect(story.slice(story.indexOf(expected[0]!))).toEqual(expected);
      expect(story.length).toBeLessThanOrEqual(expected.length + 1);
      run.checkForks();
      await run.stop();
    });

    it('goes on from a cursor: what was taken back meanwhile is said first, and nothing twice', async () => {
      const { node } = world();
      const first = follow(await world().open());
      await first.tip((await node.tip()).hash);
      const old = await node.mine(4);
      await first.tip(old.at(-1)!);
      const cursor = first.cursor();
      await first.stop();
      const next = await node.reorg(2, 4);
      const second = follow(await world().open(), cursor);
      await second.tip(next.at(-1)!);
      const back = [old[3]!, old[2]!].map((hash) => `-${hash}`);
      expect(second.of('disconnected').map(({ fork }) => fork.hash)).toEqual([old[1]!, old[1]!]);
      expect(second.story()).toEqual([...back, ...next.map((hash) => `+${hash}`)]);
      await second.stop();
    });

    it('sights a payment and a spend with the grade that it can answer for, a replacement, and the block', async () => {
      const { node } = world();
      const money = await moneyOf(node);
      const run = follow(await world().open(), null, (source) => source.watch.addScripts([money.script]));
      await run.tip((await node.tip()).hash);
      const paid = await money.pay();
      await run.until((event) => event.kind === 'sighted' && event.tx.txid === paid && event.grade === traits.payment);
      expect(run.of('sighted').find(({ tx }) => tx.txid === paid)?.tx).toMatchObject({
        received: [{ sats: BigInt(COIN_SATS), script: money.script }],
        spent: [],
      });
      const [block] = await node.mine(1);
      await run.tip(block!);
      expect(run.matchesIn(block!)).toEqual([paid]);

      const first = await money.spend(1_000);
      await run.until((event) => event.kind === 'sighted' && event.tx.txid === first && event.grade === traits.spend);
      const second = await money.spend(20_000);
      await run.until((event) => event.kind === 'replaced' && event.txid === first && event.by === second);
      await run.until((event) => event.kind === 'sighted' && event.tx.txid === second && event.grade === traits.spend);
      const [last] = await node.mine(1);
      await run.tip(last!);
      expect(run.matchesIn(last!)).toEqual([second]);
      expect(run.of('evicted')).toEqual([]);
      await run.stop();
    });

    it('says when what was sighted is gone from the mempool without a successor', async () => {
      const { node } = world();
      const money = await moneyOf(node);
      const run = follow(await world().open(), null, (source) => source.watch.addScripts([money.script]));
      await run.tip((await node.tip()).hash);
      const paid = await money.pay();
      await run.until((event) => event.kind === 'sighted' && event.tx.txid === paid);
      // A node that forgets its mempool.
      await node.restart(['-persistmempool=0']);
      await run.until((event) => event.kind === 'evicted' && event.txid === paid);
      expect(run.of('replaced')).toEqual([]);
      await run.stop();
      await node.mine(1);
    });

    it('follows scripts and coins that come and go while it runs', async () => {
      const { node } = world();
      const [early, late, coin] = [await moneyOf(node), await moneyOf(node), await moneyOf(node)];
      const owned = await coin.pay();
      await node.mine(1);
      const run = follow(await world().open(), null, (source) => source.watch.addScripts([early.script]));
      await run.tip((await node.tip()).hash);
      run.source.watch.addScripts([late.script]);
      const { vout } = (await coin.coins())[0]!;
      const outpoint = { txid: owned, vout };
      run.source.watch.addOutpoints([{ ...outpoint, output: { script: coin.script, sats: BigInt(COIN_SATS) } }]);
      const [toEarly, toLate] = [await early.pay(), await late.pay()];
      const spent = await coin.spend(1_000);
      const [block] = await node.mine(1);
      await run.tip(block!);
      expect([...run.matchesIn(block!)].sort()).toEqual([toEarly, toLate, spent].sort());

      run.source.watch.removeScripts([early.script]);
      run.source.watch.removeOutpoints([outpoint]);
      await early.pay();
      const again = await late.pay();
      const [next] = await node.mine(1);
      await run.tip(next!);
      expect(run.matchesIn(next!)).toEqual([again]);
      await run.stop();
    });

    it('says precisely what became of a broadcast', async () => {
      const { node } = world();
      const money = await moneyOf(node);
      const run = follow(await world().open(), null, (source) => source.watch.addScripts([money.script]));
      await run.tip((await node.tip()).hash);
      await run.until((event) => event.kind === 'health' && event.health.state === 'live');
      await money.pay();
      const [block] = await node.mine(1);
      await run.tip(block!);
      const raw = await money.make(1_000);
      const send = (bytes: Uint8Array): Promise<BroadcastResult> => run.source.broadcast([bytes]);
      expect(await send(raw)).toMatchObject({ kind: 'accepted' });
      expect(await send(raw)).toEqual({ kind: 'already-known', confirmed: false });
      // Another spend of the same coin that pays no more: no node takes it.
      const refused = await send(await money.make(1_001));
      expect(refused.kind).toBe(traits.refused);
      if (refused.kind === 'rejected') expect(refused.reason).toMatch(/replacement|fee/i);
      expect(await send(raw.subarray(0, 20))).toMatchObject({ kind: 'rejected' });
      expect((await run.source.broadcast([])).kind).toBe('rejected');
      const [last] = await node.mine(1);
      await run.tip(last!);
      expect(await send(raw)).toEqual({ kind: 'already-known', confirmed: true });
      await run.stop();
      const dead = await world().openDead();
      expect((await dead.broadcast([raw])).kind).toBe('unknown');
      await dead.close();
    });

    it.skipIf(!traits.packages)('broadcasts a parent that pays nothing with the child that pays for it', async () => {
      const { node } = world();
      const money = await moneyOf(node);
      const run = follow(await world().open(), null, (source) => source.watch.addScripts([money.script]));
      await money.pay();
      const [block] = await node.mine(1);
      await run.tip(block!);
      await run.until((event) => event.kind === 'health' && event.health.state === 'live');
      const [parent, child] = await money.makePackage();
      expect(await run.source.broadcast([parent, child])).toMatchObject({ kind: 'accepted' });
      expect(await node.rpc<string[]>('getrawmempool')).toHaveLength(2);
      await run.stop();
      await node.mine(1);
    });

    it('says how it is, and estimates feerates or says that it cannot', async () => {
      const { node } = world();
      const run = follow(await world().open());
      const { hash, height } = await node.tip();
      await run.until(
        (event) => event.kind === 'health' && event.health.state === 'live' && event.health.tip?.hash === hash,
      );
      const health = run.of('health').findLast((event) => event.health.state === 'live')!.health;
      expect(health).toMatchObject({ tip: { height }, problem: null });
      const rates = await run.source.feerates([2, 6]);
      expect(rates.map(({ targetBlocks }) => targetBlocks)).toEqual([2, 6]);
      for (const { satPerVbyte } of rates) expect(satPerVbyte === null || satPerVbyte > 0).toBe(true);
      await run.stop();
    });

    it('has the bytes of a transaction of a mempool by its id, and says where it has none', async () => {
      const { node } = world();
      const money = await moneyOf(node);
      const run = follow(await world().open(), null, (source) => source.watch.addScripts([money.script]));
      await run.tip((await node.tip()).hash);
      const paid = await money.pay();
      await run.until((event) => event.kind === 'sighted' && event.tx.txid === paid);
      const answer = await run.source.transaction(paid);
      if (answer.kind !== 'found') throw new Error(answer.why);
      const read = layoutTransaction(answer.raw);
      if (!read.ok) throw new Error(read.error);
      expect(toDisplay(txidAt(read.value, 0))).toBe(paid);
      expect(await run.source.transaction('ab'.repeat(32) as Txid)).toMatchObject({ kind: 'unknown' });
      await run.stop();
      const dead = await world().openDead();
      expect(['failed', 'unknown']).toContain((await dead.transaction(paid)).kind);
      await dead.close();
      await node.mine(1);
    });
  });
}
