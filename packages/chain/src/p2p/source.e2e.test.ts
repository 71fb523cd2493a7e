import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex } from '@keepwatch/base';
import { addressToScript, type Txid } from '@keepwatch/bitcoin';
import { findBitcoind, startBitcoind, type BitcoindNode, type Rpc } from '@keepwatch/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ChainEvent, Cursor } from '../source.ts';
import type { P2pTuning } from './options.ts';
import { createP2pSource, type P2pSource } from './source.ts';

const found = await findBitcoind();
const bitcoind = 'bitcoind' in found ? found.bitcoind : undefined!;
const skipped = 'missing' in found ? ` (skipped: ${found.missing})` : '';
const WAIT = { timeout: 60_000, interval: 50 };
const QUICK: Partial<P2pTuning> = { tickMs: 200, answerMs: 5_000, dialMs: 5_000, recheckMs: 500, broadcastMs: 20_000 };

const dirs: string[] = [];
const open: { stop(): Promise<void> }[] = [];
const lines: string[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.stop();
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
  lines.length = 0;
});

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'keepwatch-p2p-'));
  dirs.push(dir);
  return dir;
}

function source(nodes: readonly BitcoindNode[], dataDir = newDir()): P2pSource {
  return createP2pSource(
    { entropy: randomBytes, nowMs: Date.now, log: (line) => lines.push(line) },
    {
      ...{ name: 'light', network: 'regtest', dataDir, tuning: QUICK },
      peers: nodes.map(({ p2pPort }) => `127.0.0.1:${p2pPort}`),
    },
  );
}

/** Follows a source in the background. */
function follow(of: P2pSource, from: Cursor | null = null) {
  const ending = new AbortController();
  const seen: ChainEvent[] = [];
  const done = (async () => {
    for await (const event of of.events(from, ending.signal)) seen.push(event);
  })();
  done.catch(() => undefined);
  const blocks = () => seen.filter((event) => event.kind === 'connected' || event.kind === 'disconnected');
  const followed = {
    seen,
    story: () => blocks().map((event) => `${event.kind === 'connected' ? '+' : '-'}${event.block.hash.slice(-8)}`),
    cursor: (): Cursor => ({ blocks: [blocks().at(-1)!.block] }),
    async until(check: (events: readonly ChainEvent[]) => boolean) {
      await vi.waitFor(() => {
        if (!check(seen)) throw new Error(`in vain; ${lines.slice(-20).join('\n')}`);
      }, WAIT);
    },
    tip: (hash: string) =>
      followed.until(() => {
        const last = seen.findLast(({ kind }) => kind === 'connected');
        return last?.kind === 'connected' && last.block.hash === hash;
      }),
    async stop() {
      ending.abort();
      await done;
      await of.close();
    },
  };
  open.push(followed);
  return followed;
}

const plus = (hashes: readonly string[]) => hashes.map((hash) => `+${hash.slice(-8)}`);
const minus = (hashes: readonly string[]) => hashes.map((hash) => `-${hash.slice(-8)}`).reverse();

describe.skipIf('missing' in found)(`the light client beside two real nodes${skipped}`, () => {
  let one: BitcoindNode;
  let two: BitcoindNode;
  let alice: Rpc;
  let miner: string;
  beforeAll(async () => {
    one = await startBitcoind(bitcoind);
    alice = await one.wallet('alice');
    miner = await alice<string>('getnewaddress');
    await one.mine(120, miner);
    two = await startBitcoind(bitcoind, { connectTo: [one] });
    await two.reach((await one.tip()).hash);
  });
  afterAll(async () => {
    await two?.stop();
    await one?.stop();
  });
  const script = (address: string) => {
    const read = addressToScript(address, 'regtest');
    if (!read.ok) throw new Error(read.error);
    return read.value;
  };

  it('synchronises by the encrypted transport and tells new blocks and reorganisations of any depth in order', async () => {
    const start = (await one.tip()).hash;
    const light = source([one, two]);
    const followed = follow(light);
    await followed.tip(start);
    await followed.until(() => light.peers().length === 2);
    expect(light.peers().map(({ transport }) => transport)).toEqual(['v2', 'v2']);
    const expected = plus([start]);
    for (const depth of [1, 6, 100]) {
      const old = await one.mine(depth);
      await followed.tip(old.at(-1)!);
      const next = await one.reorg(depth, depth + 1);
      await followed.tip(next.at(-1)!);
      expected.push(...plus(old), ...minus(old), ...plus(next));
    }
    expect(followed.story()).toEqual(expected);
    expect(light.health()).toMatchObject({ state: 'live', problem: null });
  });

  it('falls back to the first transport where a node has no other', async () => {
    const old = await startBitcoind(bitcoind, { args: ['-v2transport=0'] });
    try {
      await old.mine(3);
      const light = source([old]);
      const followed = follow(light);
      await followed.tip((await old.tip()).hash);
      expect(light.peers()[0]!.transport).toBe('v1');
      await followed.stop();
      open.pop();
    } finally {
      await old.stop();
    }
  });

  it('goes on from a cursor after it was ended, on what it kept on disk', async () => {
    const dir = newDir();
    const first = follow(source([one, two], dir));
    const blocks = await one.mine(5);
    await first.tip(blocks[4]!);
    const cursor = first.cursor();
    await first.stop();
    open.pop();
    const next = await one.reorg(2, 4);
    const second = follow(source([one, two], dir), cursor);
    await second.tip(next.at(-1)!);
    expect(second.story()).toEqual([...minus(blocks.slice(3)), ...plus(next)]);
  });

  it('finds a payment in the mempool and in its block, a replacement, and the spend of the coin', async () => {
    const address = await alice<string>('getnewaddress');
    const light = source([one, two]);
    light.watch.addScripts([script(address)]);
    const followed = follow(light);
    await followed.tip((await one.tip()).hash);
    await followed.until(() => light.peers().length === 2);

    const txid = await alice<Txid>('sendtoaddress', address, 0.5);
    await followed.until((all) => all.some((e) => e.kind === 'sighted' && e.tx.txid === txid && e.grade === 'claimed'));
    const { txid: bumped } = await alice<{ txid: Txid }>('bumpfee', txid);
    await followed.until((all) => all.some((e) => e.kind === 'replaced' && e.txid === txid && e.by === bumped));
    await followed.until((all) => all.some((e) => e.kind === 'sighted' && e.tx.txid === bumped));
    const [block] = await one.mine(1);
    await followed.tip(block!);
    const last = followed.seen.findLast((e) => e.kind === 'connected');
    expect(last).toMatchObject({ matches: [{ txid: bumped, received: [{ sats: 50_000_000n }] }] });
    expect(followed.seen.filter((e) => e.kind === 'evicted')).toEqual([]);
  });

  it('broadcasts, hears it back from the other node, and knows what is known', async () => {
    const light = source([one, two]);
    const followed = follow(light);
    await followed.until(() => light.peers().length === 2 && light.health().state === 'live');
    const [coin] = await alice<{ txid: string; vout: number; amount: number }[]>('listunspent', 100);
    const made = await alice<string>(
      'createrawtransaction',
      [{ txid: coin!.txid, vout: coin!.vout }],
      [{ [miner]: coin!.amount - 0.001 }],
    );
    const { hex } = await alice<{ hex: string }>('signrawtransactionwithwallet', made);
    const raw = fromHex(hex)!;
    expect(await light.broadcast([raw])).toEqual({ kind: 'accepted', heardBack: true });
    expect(await light.broadcast([raw])).toEqual({ kind: 'already-known', confirmed: false });
    expect(await light.broadcast([raw.subarray(0, 30)])).toMatchObject({ kind: 'rejected' });
    expect(await two.rpc<string[]>('getrawmempool')).toContain(
      (await one.rpc<{ txid: string }>('decoderawtransaction', hex)).txid,
    );
    await one.mine(1);
  });

  it('broadcasts a parent that pays nothing with the child that pays for both', async () => {
    const light = source([one, two]);
    const followed = follow(light);
    await followed.until(() => light.peers().length === 2 && light.health().state === 'live');
    const [coin] = await alice<{ txid: string; vout: number; amount: number }[]>('listunspent', 100);
    const between = await alice<string>('getnewaddress', '', 'bech32');
    // Version 3 (BIP431): only of such a one nodes take a parent that pays nothing at all.
    const sign = async (made: string, spent: readonly object[] = []) =>
      (await alice<{ hex: string }>('signrawtransactionwithwallet', made.replace(/^02/, '03'), spent)).hex;
    const inputs = [{ txid: coin!.txid, vout: coin!.vout }];
    const parent = await sign(await alice<string>('createrawtransaction', inputs, [{ [between]: coin!.amount }]));
    const { txid, vout } = await one.rpc<{ txid: string; vout: { scriptPubKey: { hex: string } }[] }>(
      'decoderawtransaction',
      parent,
    );
    const spent = { txid, vout: 0, scriptPubKey: vout[0]!.scriptPubKey.hex, amount: coin!.amount };
    const child = await sign(
      await alice<string>('createrawtransaction', [{ txid, vout: 0 }], [{ [miner]: coin!.amount - 0.001 }]),
      [spent],
    );
    // Alone nobody keeps it, and nobody says why.
    expect(await light.broadcast([fromHex(parent)!])).toMatchObject({ kind: 'unknown' });
    expect(await light.broadcast([fromHex(parent)!, fromHex(child)!])).toEqual({ kind: 'accepted', heardBack: true });
    expect(await two.rpc<string[]>('getrawmempool')).toContain(txid);
    await one.mine(1);
  });

  it('finds coins of the past by their filters, with progress', async () => {
    const address = await alice<string>('getnewaddress');
    const from = (await one.tip()).height + 1;
    await alice('sendtoaddress', address, 0.25);
    await one.mine(3);
    const light = source([one, two]);
    const request = { scripts: [script(address)], from: 0, to: null };
    const events = await Array.fromAsync(light.scan(request, AbortSignal.timeout(60_000)));
    expect(events.filter(({ kind }) => kind === 'match')).toMatchObject([
      { block: { height: from }, matches: [{ received: [{ sats: 25_000_000n }] }] },
    ]);
    expect(events.at(-1)).toMatchObject({ kind: 'progress', height: from + 2, done: from + 3, total: from + 3 });
    await light.close();
  });

  it('lives through the death of its only node in the middle of the work, and says so', async () => {
    const node = await startBitcoind(bitcoind);
    try {
      await node.mine(50);
      const light = source([node]);
      const followed = follow(light);
      await followed.tip((await node.tip()).hash);
      await node.kill();
      await followed.until((all) => all.some((e) => e.kind === 'health' && e.health.state === 'down'));
      await node.restart();
      // What it had not written is lost to it: its next chain, longer than the one that we saw, is another.
      const blocks = await node.mine(60);
      await followed.tip(blocks.at(-1)!);
      await followed.stop();
      open.pop();
    } finally {
      await node.stop();
    }
  });
});
