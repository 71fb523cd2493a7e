import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex, toHex } from '@keepwatch/base';
import {
  addressToScript,
  buildBasicFilter,
  filterHash,
  filterHeadersFrom,
  layoutBlock,
  toInternal,
  type InternalHash,
  type Txid,
} from '@keepwatch/bitcoin';
import { decodeMessage, encodePayload } from '@keepwatch/bitcoin/p2p';
import {
  findBitcoind,
  startBitcoind,
  startEvilPeer,
  type BitcoindNode,
  type Mischief,
  type Rpc,
} from '@keepwatch/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChainEvent } from '../source.ts';
import { beside, left, met, runLight, tipIs } from './evil.fixture.ts';

const found = await findBitcoind();
const skipped = 'missing' in found ? ` (skipped: ${found.missing})` : '';
const EMPTY = Uint8Array.of(0);

/** Filters of its own for some blocks (by hash in internal order, as hex), and a chain of filter headers that fits them. */
function liar() {
  const filters = new Map<string, Uint8Array>();
  const own = new Map<string, InternalHash>();
  const swapped = new Map<string, InternalHash>();
  let hide = false;
  const mischief: Mischief = ({ command, payload }) => {
    const read = decodeMessage(command, payload);
    if (!read.ok) return 'pass';
    const message = read.value;
    if (message.kind === 'cfheaders') {
      const honest = filterHeadersFrom(message.previous, message.filterHashes);
      const previous = own.get(toHex(message.previous)) ?? message.previous;
      const hashes = [...message.filterHashes];
      // Blocks are not named but for the last one: the others come by the hash of their true filter.
      const last = filters.get(toHex(message.stop)) ?? (hide ? EMPTY : undefined);
      for (const [i, hash] of hashes.entries()) hashes[i] = swapped.get(toHex(hash)) ?? hash;
      if (last) {
        swapped.set(toHex(message.filterHashes.at(-1)!), filterHash(last));
        filters.set(toHex(message.stop), last);
        hashes[hashes.length - 1] = filterHash(last);
      }
      const lies = filterHeadersFrom(previous, hashes);
      for (const [i, header] of honest.entries()) own.set(toHex(header), lies[i]!);
      return { payload: encodePayload({ ...message, previous, filterHashes: hashes }) };
    }
    if (message.kind !== 'cfilter') return 'pass';
    const filter = filters.get(toHex(message.block)) ?? (hide ? EMPTY : message.filter);
    return { payload: encodePayload({ ...message, filter }) };
  };
  return {
    mischief,
    hide: (is: boolean) => void (hide = is),
    forge: (block: string, filter: Uint8Array) => void filters.set(toHex(toInternal(block)!), filter),
  };
}

describe.skipIf('missing' in found)(`filters that hide a payment${skipped}`, () => {
  let node: BitcoindNode;
  let alice: Rpc;
  let address: string;
  let watched: Uint8Array;
  beforeAll(async () => {
    node = await startBitcoind('bitcoind' in found ? found.bitcoind : undefined!);
    alice = await node.wallet('alice');
    await node.mine(110, await alice<string>('getnewaddress'));
    address = await alice<string>('getnewaddress', '', 'bech32');
    const script = addressToScript(address, 'regtest');
    if (!script.ok) throw new Error(script.error);
    watched = script.value;
  });
  afterAll(() => node?.stop());
  const told = (seen: readonly ChainEvent[], hash: string) =>
    seen.flatMap((each) =>
      (each.kind === 'connected' || each.kind === 'disconnected') && each.block.hash === hash
        ? [each.kind === 'connected' ? each.matches.map(({ txid }) => txid) : 'taken back']
        : [],
    );

  it('are found out by the block, and the payment is told', async () => {
    const { mischief, hide } = liar();
    await beside(
      node.p2pPort,
      mischief,
      { honest: [node.p2pPort], watched: [watched] },
      async ({ seen, lines, evil, until }) => {
        const { hash } = await node.tip();
        await until(() => tipIs(seen, hash) && met(lines, evil.port) && met(lines, node.p2pPort));
        hide(true);
        const txid = await alice<Txid>('sendtoaddress', address, 0.1);
        const [block] = await node.mine(1);
        // Whoever was asked first: in the end both were.
        await until(() => told(seen, block!).some((matches) => matches.includes(txid)));
        await until(() => left(lines, evil.port, 'filter_wrong'));
      },
    );
  });

  it('are found out where the liar alone has the block for a while: it is taken back and told again', async () => {
    const { mischief, hide } = liar();
    const { promise: late, resolve: release } = Promise.withResolvers<void>();
    let holding = false;
    const slow = await startEvilPeer(node.p2pPort, 'regtest', ({ command }) =>
      holding && (command === 'headers' || command === 'inv') ? { hold: late } : 'pass',
    );
    const options = { honest: [slow.port], watched: [watched], tuning: { graceMs: 300, answerMs: 60_000 } };
    try {
      await beside(node.p2pPort, mischief, options, async ({ light, seen, lines, evil, until }) => {
        const { hash } = await node.tip();
        await until(() => tipIs(seen, hash) && met(lines, evil.port) && met(lines, slow.port));
        hide(true);
        holding = true;
        const txid = await alice<Txid>('sendtoaddress', address, 0.1);
        const [block] = await node.mine(1);
        await until(() => tipIs(seen, block!));
        expect(told(seen, block!)).toEqual([[]]);
        holding = false;
        release();
        await until(() => told(seen, block!).length === 3);
        expect(told(seen, block!)).toEqual([[], 'taken back', [txid]]);
        await until(() => left(lines, evil.port, 'filter_wrong'));
        expect(light.peers().map((peer) => peer.address)).toEqual([`127.0.0.1:${slow.port}`]);
        // Nothing is told twice for it.
        const [next] = await node.mine(1);
        await until(() => tipIs(seen, next!));
        expect(told(seen, block!).length).toBe(3);
      });
    } finally {
      await slow.stop();
    }
  });

  it('are found out by a later run as well, for what an earlier one told from its only peer', async () => {
    const { mischief, hide } = liar();
    const evil = await startEvilPeer(node.p2pPort, 'regtest', mischief);
    const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-evil-'));
    try {
      const { hash } = await node.tip();
      const first = runLight({ ports: [evil.port], dataDir, watched: [watched] });
      await first.until(() => tipIs(first.seen, hash));
      hide(true);
      const txid = await alice<Txid>('sendtoaddress', address, 0.1);
      const [block] = await node.mine(1);
      await first.until(() => tipIs(first.seen, block!));
      // The payment hides in its block, and another block without one is on top.
      const [above] = await node.mine(1);
      await first.until(() => tipIs(first.seen, above!));
      expect(told(first.seen, block!)).toEqual([[]]);
      const last = first.seen.findLast((each) => each.kind === 'connected')!.block;
      await first.stop();

      const ports = [evil.port, node.p2pPort];
      const second = runLight({ ports, dataDir, watched: [watched], from: { blocks: [last] } });
      try {
        await second.until(() => told(second.seen, above!).length === 2);
        expect(told(second.seen, block!)).toEqual(['taken back', [txid]]);
        expect(told(second.seen, above!)).toEqual(['taken back', []]);
        await second.until(() => left(second.lines, evil.port, 'filter_wrong'));
      } finally {
        await second.stop();
      }
      // What was put right stays right.
      const third = runLight({ ports: [node.p2pPort], dataDir, watched: [watched], from: { blocks: [last] } });
      const [next] = await node.mine(1);
      await third.until(() => tipIs(third.seen, next!));
      expect(third.seen.filter(({ kind }) => kind === 'disconnected')).toEqual([]);
      await third.stop();
    } finally {
      await evil.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('are found out after a difference that no block can decide, which itself hides nothing', async () => {
    const { mischief, hide, forge } = liar();
    let blocked = true;
    const shut: Mischief = (message) =>
      blocked && (message.command === 'headers' || message.command === 'inv') ? { hold: open } : mischief(message);
    const { promise: open, resolve: release } = Promise.withResolvers<void>();
    const options = { honest: [node.p2pPort], watched: [watched] };
    await beside(node.p2pPort, shut, options, async ({ light, seen, lines, evil, until }) => {
      await alice<Txid>('sendtoaddress', address, 0.1);
      const [doubtful] = await node.mine(1);
      const raw = fromHex(await node.rpc<string>('getblock', doubtful!, 0))!;
      const layout = layoutBlock(raw);
      if (!layout.ok) throw new Error(layout.error);
      const honest = await node.rpc<{ filter: string; header: string }>('getblockfilter', doubtful!);
      const spent: Uint8Array[] = [];
      const { tx } = await node.rpc<{ tx: { vin: { prevout?: { scriptPubKey: { hex: string } } }[] }[] }>(
        'getblock',
        doubtful!,
        3,
      );
      for (const { vin } of tx) {
        for (const { prevout } of vin) if (prevout) spent.push(fromHex(prevout.scriptPubKey.hex)!);
      }
      const internal = toInternal(doubtful!)!;
      expect(toHex(buildBasicFilter(layout.value, internal, spent))).toBe(honest.filter);
      // One script too many: no block refutes that.
      forge(doubtful!, buildBasicFilter(layout.value, internal, [...spent, new Uint8Array(22).fill(9)]));
      blocked = false;
      release();
      await until(() => tipIs(seen, doubtful!) && met(lines, evil.port) && met(lines, node.p2pPort));
      await until(() => light.health().problem?.code === 'filter_undecided');
      expect(light.peers().length).toBe(2);
      const [second] = await node.mine(1);
      await until(() => tipIs(seen, second!));
      hide(true);
      const hidden = await alice<Txid>('sendtoaddress', address, 0.1);
      const [block] = await node.mine(1);
      await until(() => told(seen, block!).some((matches) => matches.includes(hidden)));
      await until(() => left(lines, evil.port, 'filter_wrong'));
      await until(() => light.health().problem === null);
      expect(lines.filter((line) => line.startsWith(`127.0.0.1:${node.p2pPort}: left`))).toEqual([]);
    });
  });
});
