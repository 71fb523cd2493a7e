import { randomBytes } from 'node:crypto';
import { fromHex } from '@keepwatch/base';
import { addressToScript, type BlockHash, type Txid } from '@keepwatch/bitcoin';
import { findBitcoind, startBitcoind, type BitcoindNode, type Rpc } from '@keepwatch/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ChainEvent, ChainSource, Cursor } from '../source.ts';
import { createBitcoindSource } from './source.ts';

const found = await findBitcoind();
const bitcoind = 'bitcoind' in found ? found.bitcoind : undefined!;
const WAIT = { timeout: 60_000, interval: 50 };

function open(node: BitcoindNode, more: { zmq?: readonly string[]; pollMs?: number } = {}): ChainSource {
  return createBitcoindSource(
    { entropy: randomBytes, nowMs: Date.now },
    {
      ...{ name: 'node', network: 'regtest', pollMs: 300 },
      access: { url: `http://127.0.0.1:${node.rpcPort}`, auth: { cookieFile: node.cookieFile } },
      ...more,
    },
  );
}

/** Follows a source in the background. */
function follow(source: ChainSource, from: Cursor | null = null) {
  const ending = new AbortController();
  const seen: ChainEvent[] = [];
  const done = (async () => {
    for await (const event of source.events(from, ending.signal)) seen.push(event);
  })();
  const blocks = () => seen.filter((event) => event.kind === 'connected' || event.kind === 'disconnected');
  return {
    seen,
    story: () => blocks().map((event) => `${event.kind === 'connected' ? '+' : '-'}${event.block.hash.slice(0, 8)}`),
    async until(check: (events: readonly ChainEvent[]) => boolean) {
      await vi.waitFor(() => expect(check(seen)).toBe(true), WAIT);
    },
    async tip(hash: string) {
      await vi.waitFor(
        () => expect(seen.findLast(({ kind }) => kind === 'connected')).toMatchObject({ block: { hash } }),
        WAIT,
      );
    },
    async stop() {
      ending.abort();
      await done;
      await source.close();
    },
  };
}

const plus = (hashes: readonly string[]) => hashes.map((hash) => `+${hash.slice(0, 8)}`);
const minus = (hashes: readonly string[]) => hashes.map((hash) => `-${hash.slice(0, 8)}`);

describe.skipIf('missing' in found)(
  `a node as a source${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  () => {
    let node: BitcoindNode;
    let alice: Rpc;
    let miner: string;
    beforeAll(async () => {
      node = await startBitcoind(bitcoind, { zmq: true });
      alice = await node.wallet('alice');
      miner = await alice<string>('getnewaddress');
      await node.mine(120, miner);
    });
    afterAll(() => node?.stop());
    const script = (address: string) => {
      const read = addressToScript(address, 'regtest');
      if (!read.ok) throw new Error(read.error);
      return read.value;
    };

    it.each([
      ['by ZMQ and polling', true],
      ['by polling alone', false],
    ])('tells blocks and reorganisations of any depth in order, %s', async (_, zmq) => {
      const start = (await node.tip()).hash;
      const followed = follow(open(node, zmq ? { zmq: [node.zmqEndpoint!], pollMs: 5_000 } : {}));
      await followed.tip(start);
      const expected = plus([start]);
      for (const depth of [1, 6, 100]) {
        const old = await node.mine(depth);
        await followed.tip(old.at(-1)!);
        const next = await node.reorg(depth, depth + 1);
        await followed.tip(next.at(-1)!);
        expected.push(...plus(old), ...minus([...old].reverse()), ...plus(next));
      }
      expect(followed.story()).toEqual(expected);
      await followed.stop();
    });

    it('goes on from a cursor: what was taken back meanwhile is said first', async () => {
      const first = await node.mine(3);
      const refs = await Promise.all(
        first.map(async (hash) => {
          const { height, time } = await node.rpc<{ height: number; time: number }>('getblockheader', hash);
          return { hash: hash as BlockHash, height, timeSeconds: time };
        }),
      );
      const next = await node.reorg(2, 3);
      const followed = follow(open(node), { blocks: [...refs].reverse() });
      await followed.tip(next.at(-1)!);
      expect(followed.story()).toEqual([...minus([first[2]!, first[1]!]), ...plus(next)]);
      await followed.stop();
      // Even where the cursor names a single block, and that one is gone.
      const again = follow(open(node), { blocks: [refs[2]!] });
      await again.tip(next.at(-1)!);
      expect(again.story()).toEqual([...minus([first[2]!, first[1]!]), ...plus(next)]);
      await again.stop();
    });

    it('sees what waits, what replaces it, and what becomes of it', async () => {
      const address = await alice<string>('getnewaddress');
      const source = open(node, { zmq: [node.zmqEndpoint!] });
      source.watch.addScripts([script(address)]);
      const followed = follow(source);
      await followed.until((events) => events.some(({ kind }) => kind === 'connected'));

      const txid = await alice<Txid>('sendtoaddress', address, 0.5);
      await followed.until((events) => events.some((e) => e.kind === 'sighted' && e.tx.txid === txid));
      const sighted = followed.seen.find((e) => e.kind === 'sighted');
      expect(sighted).toMatchObject({ grade: 'relayed', tx: { received: [{ sats: 50_000_000n }] } });

      const { txid: bumped } = await alice<{ txid: Txid }>('bumpfee', txid);
      await followed.until((events) => events.some((e) => e.kind === 'replaced' && e.txid === txid && e.by === bumped));
      await followed.until((events) => events.some((e) => e.kind === 'sighted' && e.tx.txid === bumped));
      const [block] = await node.mine(1);
      await followed.tip(block!);
      const last = followed.seen.findLast((e) => e.kind === 'connected');
      expect(last).toMatchObject({ matches: [{ txid: bumped, received: [{ sats: 50_000_000n }] }] });

      // The coin that came is watched by itself: its spend is seen without being asked for.
      const spend = await alice<Txid>('sendall', [miner], null, 'unset', null, {
        inputs: [
          {
            txid: bumped,
            vout: last!.matches[0]!.received[0]!.vout,
          },
        ],
      } as never).then((answer) => (answer as unknown as { txid: Txid }).txid);
      await followed.until((events) =>
        events.some((e) => e.kind === 'sighted' && e.tx.txid === spend && e.tx.spent.length === 1),
      );
      expect(followed.seen.filter((e) => e.kind === 'evicted')).toEqual([]);
      await followed.stop();
      await node.mine(1);
    });

    it('tells of a conflict that a block decides', async () => {
      const address = await alice<string>('getnewaddress');
      const source = open(node);
      source.watch.addScripts([script(address)]);
      const followed = follow(source);
      await followed.until((events) => events.some(({ kind }) => kind === 'connected'));
      const [coin] = await alice<{ txid: string; vout: number; amount: number }[]>('listunspent', 100);
      const make = async (to: string, amount: number) => {
        const raw = await alice<string>(
          'createrawtransaction',
          [{ txid: coin!.txid, vout: coin!.vout }],
          [{ [to]: amount }],
        );
        return (await alice<{ hex: string }>('signrawtransactionwithwallet', raw)).hex;
      };
      const lost = await make(address, coin!.amount - 0.001);
      const won = await make(miner, coin!.amount - 0.002);
      const sent = await source.broadcast([fromHex(lost)!]);
      expect(sent).toEqual({ kind: 'accepted', heardBack: false });
      await followed.until((events) => events.some(({ kind }) => kind === 'sighted'));
      // A miner takes the other one past the mempool.
      const { hash } = await node.rpc<{ hash: string }>('generateblock', miner, [won]);
      await followed.tip(hash);
      await followed.until((events) => events.some(({ kind }) => kind === 'replaced'));
      const { txid: by } = await node.rpc<{ txid: string }>('decoderawtransaction', won);
      expect(followed.seen.find(({ kind }) => kind === 'replaced')).toMatchObject({ by });
      expect(followed.seen.filter(({ kind }) => kind === 'evicted')).toEqual([]);
      await followed.stop();
    });

    it('says exactly what became of a broadcast', async () => {
      const source = open(node);
      const [coin] = await alice<{ txid: string; vout: number; amount: number }[]>('listunspent', 100);
      const make = async (amount: number) => {
        const raw = await alice<string>(
          'createrawtransaction',
          [{ txid: coin!.txid, vout: coin!.vout }],
          [{ [miner]: amount }],
        );
        return fromHex((await alice<{ hex: string }>('signrawtransactionwithwallet', raw)).hex)!;
      };
      const good = await make(coin!.amount - 0.001);
      expect(await source.broadcast([good])).toEqual({ kind: 'accepted', heardBack: false });
      expect(await source.broadcast([good])).toEqual({ kind: 'already-known', confirmed: false });
      expect(await source.broadcast([await make(coin!.amount - 0.00100001)])).toMatchObject({
        kind: 'rejected',
        reason: expect.stringContaining('replacement') as string,
      });
      expect(await source.broadcast([await make(coin!.amount + 1)])).toMatchObject({ kind: 'rejected' });
      expect(await source.broadcast([good.subarray(0, 20)])).toMatchObject({ kind: 'rejected' });
      expect(await source.broadcast([])).toMatchObject({ kind: 'rejected' });
      await node.mine(1);
      expect(await source.broadcast([good])).toEqual({ kind: 'already-known', confirmed: true });
      await source.close();
      const dead = createBitcoindSource(
        { entropy: randomBytes, nowMs: Date.now },
        { name: 'dead', network: 'regtest', access: { url: 'http://127.0.0.1:1', auth: { user: 'a', password: 'b' } } },
      );
      expect(await dead.broadcast([good])).toMatchObject({ kind: 'unknown' });
      await dead.close();
    });

    it('finds coins of the past, with progress', async () => {
      const address = await alice<string>('getnewaddress');
      const from = (await node.tip()).height + 1;
      await alice('sendtoaddress', address, 0.25);
      await node.mine(1);
      const source = open(node);
      const events = await Array.fromAsync(
        source.scan({ scripts: [script(address)], from: 0, to: null }, new AbortController().signal),
      );
      expect(events.filter(({ kind }) => kind === 'match')).toMatchObject([
        { block: { height: from }, matches: [{ received: [{ sats: 25_000_000n }] }] },
      ]);
      expect(events.at(-1)).toMatchObject({ kind: 'progress', height: from, done: from + 1, total: from + 1 });
      await source.close();
    });

    it('lives through the death of its node, and says so', async () => {
      const other = await startBitcoind(bitcoind);
      try {
        await other.mine(5);
        const followed = follow(open(other));
        await followed.tip((await other.tip()).hash);
        await other.kill();
        await followed.until((events) => events.some((e) => e.kind === 'health' && e.health.state === 'down'));
        await other.restart();
        const next = await other.mine(2);
        await followed.tip(next[1]!);
        await followed.until((events) => {
          const last = events.findLast((e) => e.kind === 'health');
          return last?.kind === 'health' && last.health.state === 'live';
        });
        // Killed, it may have forgotten blocks that it told.
        expect(followed.story().slice(-2)).toEqual(plus(next));
        await followed.stop();
      } finally {
        await other.stop();
      }
    });
  },
);
