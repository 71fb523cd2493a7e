import { fromHex } from '@keepwatch/base';
import { addressToScript, decodeTransaction, encodeTransaction, type Txid } from '@keepwatch/bitcoin';
import { findBitcoind, startBitcoind, type BitcoindNode, type Mischief, type Rpc } from '@keepwatch/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beside, left, met, tipIs } from './evil.fixture.ts';

const found = await findBitcoind();
const skipped = 'missing' in found ? ` (skipped: ${found.missing})` : '';

describe.skipIf('missing' in found)(`a peer that lies, beside an honest one${skipped}`, () => {
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

  const lie = (
    mischief: Mischief,
    check: Parameters<typeof beside>[3],
    more: Partial<Parameters<typeof beside>[2]> = {},
  ) => beside(node.p2pPort, mischief, { honest: [node.p2pPort], watched: [watched], ...more }, check);

  it('headers against the rules are refused, and their sender is banned', async () => {
    const mischief: Mischief = ({ command, payload }) => {
      if (command !== 'headers' || payload.length < 82) return 'pass';
      const spoiled = payload.slice();
      // The compact target of the first header.
      spoiled[1 + 72]! ^= 1;
      return { payload: spoiled };
    };
    await lie(
      mischief,
      async ({ seen, lines, evil, until }) => {
        await until(() => left(lines, evil.port, 'header_wrong_bits'));
        await until(() => seen.some((event) => event.kind === 'health' && event.health.state === 'down'));
        expect(evil.connections()).toBe(1);
        expect(seen.filter(({ kind }) => kind === 'connected')).toEqual([]);
      },
      { honest: [] },
    );
  });

  it('a block whose transactions are not its own is refused, and its sender is banned', async () => {
    const mischief: Mischief = ({ command, payload }) => {
      if (command !== 'block') return 'pass';
      const spoiled = payload.slice();
      // The lock time of the last transaction.
      spoiled[spoiled.length - 1]! ^= 1;
      return { payload: spoiled };
    };
    await lie(mischief, async ({ seen, lines, evil, until }) => {
      await until(() => lines.filter((line) => line.includes(': met ')).length >= 2);
      // Which of the two is asked for a block is a matter of chance.
      for (let tries = 0; !left(lines, evil.port, 'merkle_root') && tries < 30; tries++) {
        const txid = await alice<Txid>('sendtoaddress', address, 0.01);
        const [block] = await node.mine(1);
        await until(() => tipIs(seen, block!));
        const event = seen.findLast((each) => each.kind === 'connected');
        expect(event?.matches.map((match) => match.txid)).toContain(txid);
      }
      expect(left(lines, evil.port, 'merkle_root')).toBe(true);
    });
  });

  it.each([
    ['garbage', { bytes: new Uint8Array(500).fill(7) }, 'frame_magic'],
    ['a message that announces four gigabytes', { bytes: hugeFrame() }, 'frame_too_large'],
    ['a malformed message', { payload: new Uint8Array(7) }, 'peer_message_malformed'],
  ] as const)('%s ends the connection for good', async (_, act, code) => {
    await lie(
      ({ command }) => (command === 'headers' ? act : 'pass'),
      async ({ seen, lines, evil, until }) => {
        const { hash } = await node.tip();
        await until(() => tipIs(seen, hash) && left(lines, evil.port, code));
        const [block] = await node.mine(1);
        await until(() => tipIs(seen, block!));
        expect(evil.connections()).toBe(1);
      },
    );
  });

  it.each([['headers'], ['cfheaders'], ['cfilter'], ['block']])(
    'one that keeps back %s holds nothing up',
    async (command) => {
      await lie(
        (message) => (message.command === command ? 'drop' : 'pass'),
        async ({ seen, until }) => {
          const { hash } = await node.tip();
          await until(() => tipIs(seen, hash));
          const txid = await alice<Txid>('sendtoaddress', address, 0.02);
          const [block] = await node.mine(1);
          await until(() => tipIs(seen, block!));
          const event = seen.findLast((each) => each.kind === 'connected');
          expect(event?.matches.map((match) => match.txid)).toContain(txid);
        },
        { tuning: { answerMs: 2_000 } },
      );
    },
  );

  it('a spend of our coin with a broken witness stays a claim, the true one becomes valid', async () => {
    await lie(
      () => 'pass',
      async ({ seen, lines, evil, until }) => {
        const { hash } = await node.tip();
        await until(() => tipIs(seen, hash) && met(lines, evil.port));
        const paid = await alice<Txid>('sendtoaddress', address, 0.3);
        const [block] = await node.mine(1);
        await until(() => tipIs(seen, block!));
        const event = seen.findLast((each) => each.kind === 'connected');
        const { vout } = event!.matches.find(({ txid }) => txid === paid)!.received[0]!;
        const made = await alice<string>('createrawtransaction', [{ txid: paid, vout }], [{ [address]: 0.299 }]);
        const { hex } = await alice<{ hex: string }>('signrawtransactionwithwallet', made);
        const good = decodeTransaction(fromHex(hex)!);
        if (!good.ok) throw new Error(good.error);
        const [input] = good.value.inputs;
        const signature = input!.witness[0]!.slice();
        signature[20]! ^= 1;
        const broken = encodeTransaction({
          ...good.value,
          inputs: [{ ...input!, witness: [signature, input!.witness[1]!] }],
        });
        evil.say('tx', broken);
        const sightings = () => seen.filter((each) => each.kind === 'sighted' && each.tx.spent.length === 1);
        await until(() => sightings().length === 1);
        expect(sightings()).toMatchObject([{ grade: 'claimed' }]);
        await alice('sendrawtransaction', hex);
        await until(() => sightings().length === 2);
        expect(sightings()[1]).toMatchObject({ grade: 'valid' });
        // Told once more, the broken one takes nothing back.
        evil.say('tx', broken);
        const [last] = await node.mine(1);
        await until(() => tipIs(seen, last!));
        expect(sightings().length).toBe(2);
        expect(seen.filter(({ kind }) => kind === 'replaced' || kind === 'evicted')).toEqual([]);
      },
    );
  });
});

function hugeFrame(): Uint8Array {
  const head = new Uint8Array(24);
  head.set(fromHex('fabfb5da')!);
  head.set(Buffer.from('headers'), 4);
  head.fill(0xff, 16, 20);
  return head;
}
