import { fromHex } from '@keepwatch/base';
import { addressToScript, layoutTransaction, toDisplay, txidAt, type BlockHash, type Txid } from '@keepwatch/bitcoin';
import type {
  BroadcastResult,
  ChainEvent,
  ChainSource,
  Cursor,
  Grade,
  SourceWatch,
  WatchMark,
  WatchSet,
} from '@keepwatch/chain';
import { describe, expect, it, vi } from 'vitest';
import type { BitcoindNode, Rpc } from '@keepwatch/devnet';

/** What the contract uses of a source; a quorum of several has the same, but for scans and for what was watched when. */
export type SourceUnderContract = Pick<ChainSource, 'broadcast' | 'feerates' | 'close'> & {
  readonly watch: WatchSet & Partial<Pick<SourceWatch, 'covers'>>;
  events(from: Cursor | null, signal: AbortSignal): AsyncIterable<ChainEvent>;
} & Partial<Pick<ChainSource, 'scan' | 'heightAt' | 'transaction'>>;

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

const PATIENCE = { timeout: 90_000, interval: 50 };
const COIN_SATS = 500_000;

/**
 * What the port of sources promises, against a real node: every adapter passes it. `world` is made before the first test;
 * its node has 120 blocks or more and a wallet called `payer` that has money.
 */
export function chainSourceContract(name: string, traits: SourceTraits, world: () => SourceWorld): void {
  describe(`${name} keeps the contract of a source`, { timeout: 240_000 }, () => {
    it('tells the tip first, then each block once, and reorganisations of any depth with their fork', async () => {
      const { node } = world();
      const run = await follow(world());
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
      const first = await follow(world());
      await first.tip((await node.tip()).hash);
      const old = await node.mine(4);
      await first.tip(old.at(-1)!);
      const cursor = first.cursor();
      await first.stop();
      const next = await node.reorg(2, 4);
      const second = await follow(world(), cursor);
      await second.tip(next.at(-1)!);
      const back = [old[3]!, old[2]!].map((hash) => `-${hash}`);
      expect(second.of('disconnected').map(({ fork }) => fork.hash)).toEqual([old[1]!, old[1]!]);
      expect(second.story()).toEqual([...back, ...next.map((hash) => `+${hash}`)]);
      await second.stop();
    });

    it('sights a payment and a spend with the grade that it can answer for, a replacement, and the block', async () => {
      const { node } = world();
      const money = await moneyOf(node);
      const run = await follow(world(), null, (source) => source.watch.addScripts([money.script]));
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
      const run = await follow(world(), null, (source) => source.watch.addScripts([money.script]));
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
      const run = await follow(world(), null, (source) => source.watch.addScripts([early.script]));
      await run.tip((await node.tip()).hash);
      const before = run.of('connected').at(-1)!.watched;
      run.source.watch.addScripts([late.script]);
      const { vout } = (await coin.coins())[0]!;
      const outpoint = { txid: owned, vout };
      run.source.watch.addOutpoints([{ ...outpoint, output: { script: coin.script, sats: BigInt(COIN_SATS) } }]);
      const [toEarly, toLate] = [await early.pay(), await late.pay()];
      const spent = await coin.spend(1_000);
      const [block] = await node.mine(1);
      await run.tip(block!);
      expect([...run.matchesIn(block!)].sort()).toEqual([toEarly, toLate, spent].sort());
      // Of each block it can be said later whether a transaction had to be found in it.
      const { matches, watched } = run.of('connected').find((event) => event.block.hash === block)!;
      const covered = (mark: WatchMark) =>
        matches.filter((tx) => run.source.watch.covers!(tx, mark)).map(({ txid }) => txid);
      const isOne = run.source.watch.covers !== undefined;
      if (isOne) {
        expect(covered(before)).toEqual([toEarly]);
        expect(covered(watched).sort()).toEqual([toEarly, toLate, spent].sort());
      }

      run.source.watch.removeScripts([early.script]);
      run.source.watch.removeOutpoints([outpoint]);
      if (isOne) expect(covered(watched)).toEqual([toLate]);
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
      const run = await follow(world(), null, (source) => source.watch.addScripts([money.script]));
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
      const run = await follow(world(), null, (source) => source.watch.addScripts([money.script]));
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
      const run = await follow(world());
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
      const run = await follow(world(), null, (source) => source.watch.addScripts([money.script]));
      await run.tip((await node.tip()).hash);
      const paid = await money.pay();
      await run.until((event) => event.kind === 'sighted' && event.tx.txid === paid);
      const answer = await run.source.transaction!(paid);
      if (answer.kind !== 'found') throw new Error(answer.why);
      const read = layoutTransaction(answer.raw);
      if (!read.ok) throw new Error(read.error);
      expect(toDisplay(txidAt(read.value, 0))).toBe(paid);
      expect(await run.source.transaction!('ab'.repeat(32) as Txid)).toMatchObject({ kind: 'unknown' });
      await run.stop();
      const dead = await world().openDead();
      expect(['failed', 'unknown']).toContain((await dead.transaction!(paid)).kind);
      await dead.close();
      await node.mine(1);
    });

    it('scans the past of scripts and coins, from a height or a time', async () => {
      const { node } = world();
      const money = await moneyOf(node);
      const paid = await money.pay();
      const [block] = await node.mine(1);
      const spent = await money.spend(1_000);
      const [last] = await node.mine(1);
      const source = await world().open();
      const { scan, heightAt } = source;
      if (!scan || !heightAt) return source.close();
      const at = async (hash: string) => await node.rpc<{ height: number; time: number }>('getblockheader', hash);
      const { height, time } = await at(block!);
      const signal = AbortSignal.timeout(PATIENCE.timeout);
      const from = await heightAt(time, signal);
      expect(from).toBeLessThanOrEqual(height);
      const found = await vi.waitFor(async () => {
        const events = await Array.fromAsync(scan({ scripts: [money.script], from, to: null }, signal));
        const matches = events.flatMap((event) =>
          event.kind === 'match' ? event.matches.map(({ txid }) => txid) : [],
        );
        expect(matches).toEqual([paid, spent]);
        return events;
      }, PATIENCE);
      const end = await at(last!);
      expect(found.at(-1)).toMatchObject({ kind: 'progress', height: end.height, done: end.height - from + 1 });
      // No later than the first block whose median time past is that late.
      expect(await heightAt(end.time + 100_000_000, signal)).toBe(end.height);
      expect(await heightAt(0, signal)).toBeLessThanOrEqual(1);
      await source.close();
    });
  });
}

/** Follows a source in the background and keeps what it says. */
async function follow(
  world: SourceWorld,
  from: Cursor | null = null,
  prepare: (source: SourceUnderContract) => void = () => undefined,
) {
  const source = await world.open();
  prepare(source);
  const ending = new AbortController();
  const seen: ChainEvent[] = [];
  let failure: unknown;
  const done = (async () => {
    for await (const event of source.events(from, ending.signal)) seen.push(event);
  })().catch((error) => void (failure = error));
  const of = <K extends ChainEvent['kind']>(kind: K) =>
    seen.filter((event) => event.kind === kind) as Extract<ChainEvent, { kind: K }>[];
  const until = (what: (event: ChainEvent) => boolean) =>
    vi.waitFor(() => {
      if (failure !== undefined) throw failure;
      expect(seen.some(what)).toBe(true);
    }, PATIENCE);
  const blocks = () => seen.filter((event) => event.kind === 'connected' || event.kind === 'disconnected');
  return {
    source,
    seen,
    of,
    until,
    story: () => blocks().map((event) => `${event.kind === 'connected' ? '+' : '-'}${event.block.hash}`),
    /**
     * A fork is a block that both branches share. A node takes blocks back one by one, so a source that looks meanwhile sees
     * a higher one first; what is told then builds on what was said last.
     */
    checkForks() {
      const chain: string[] = [];
      for (const event of blocks()) {
        if (event.kind === 'connected') chain.push(event.block.hash);
        else {
          expect(chain.pop()).toBe(event.block.hash);
          expect(event.fork.height).toBeLessThan(event.block.height);
          const below = chain.at(event.fork.height - event.block.height);
          if (below !== undefined) expect(event.fork.hash).toBe(below);
        }
      }
    },
    cursor(): Cursor {
      const chain: Cursor['blocks'][number][] = [];
      for (const event of blocks()) {
        if (event.kind === 'connected') chain.unshift(event.block);
        else chain.shift();
      }
      return { blocks: chain };
    },
    tip: (hash: string) =>
      vi.waitFor(() => {
        if (failure !== undefined) throw failure;
        expect(of('connected').at(-1)?.block.hash).toBe(hash as BlockHash);
      }, PATIENCE),
    matchesIn: (hash: string): readonly Txid[] =>
      of('connected')
        .findLast(({ block }) => block.hash === (hash as BlockHash))!
        .matches.map(({ txid }) => txid),
    async stop() {
      ending.abort();
      await done;
      await source.close();
      if (failure !== undefined) throw failure;
    },
  };
}

interface RpcCoin {
  readonly txid: Txid;
  readonly vout: number;
  readonly amount: number;
}

/** Somebody with a script of his own, who is paid and spends what he got. */
async function moneyOf(node: BitcoindNode) {
  const payer: Rpc = await node.wallet('payer');
  const owner: Rpc = await node.wallet('owner');
  const address = await owner<string>('getnewaddress', '', 'bech32');
  const script = addressToScript(address, 'regtest');
  if (!script.ok) throw new Error(script.error);
  const coins = () => owner<RpcCoin[]>('listunspent', 0, 999, [address]);
  // The same in each call: it is replaced, and not sent elsewhere.
  const to = await payer<string>('getnewaddress', '', 'bech32');
  /** The coin as it was when it came: what spends it may wait in the mempool. */
  let coin: RpcCoin | undefined;
  const signed = async (
    inputs: readonly object[],
    outputs: readonly object[],
    prevouts: readonly object[] = [],
    version = 2,
  ) => {
    const made = await owner<string>('createrawtransaction', inputs, outputs);
    const raw = `0${version}${made.slice(2)}`;
    return (await owner<{ hex: string }>('signrawtransactionwithwallet', raw, prevouts)).hex;
  };
  const btc = (sats: number) => sats / 1e8;
  const spending = async () => {
    coin = (await coins())[0] ?? coin;
    return [{ txid: coin!.txid, vout: coin!.vout, sequence: 0xffff_fffd }];
  };
  const makeHex = async (fee: number) => signed(await spending(), [{ [to]: btc(COIN_SATS - fee) }]);
  return {
    script: script.value,
    coins,
    pay: () => payer<Txid>('sendtoaddress', address, btc(COIN_SATS)),
    make: async (fee: number) => fromHex(await makeHex(fee))!,
    spend: async (fee: number) => node.rpc<Txid>('sendrawtransaction', await makeHex(fee)),
    async makePackage(): Promise<readonly [Uint8Array, Uint8Array]> {
      const mine = await owner<string>('getnewaddress', '', 'bech32');
      // BIP431: only a TRUC transaction may pay nothing by itself.
      const parent = await signed(await spending(), [{ [mine]: btc(COIN_SATS) }], [], 3);
      const { txid, vout } = await node.rpc<{ txid: string; vout: { scriptPubKey: { hex: string } }[] }>(
        'decoderawtransaction',
        parent,
      );
      const scriptPubKey = vout[0]!.scriptPubKey.hex;
      const prevout = { txid, vout: 0, scriptPubKey, amount: btc(COIN_SATS) };
      const child = await signed([{ txid, vout: 0 }], [{ [to]: btc(COIN_SATS - 5_000) }], [prevout], 3);
      return [fromHex(parent)!, fromHex(child)!];
    },
  };
}
