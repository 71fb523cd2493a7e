import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex } from '@keepwatch/base';
import {
  findBitcoind,
  startBitcoind,
  startElectrumEndpoint,
  startEsploraEndpoint,
  type BitcoindNode,
  type ElectrumEndpoint,
  type EsploraEndpoint,
  type Rpc,
} from '@keepwatch/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { TEST_CERTIFICATE } from '../net/certificate.fixture.ts';
import { createElectrumSource } from '../electrum/electrum.ts';
import type { LineEndpoint } from '../electrum/lines.ts';
import { startTestProxy } from '../net/socks.fixture.ts';
import { createEsploraSource } from '../esplora/esplora.ts';
import type { BlockRef, ChainEvent, ChainSource, Cursor } from '../source.ts';

// A real node, and before it an endpoint of ours that speaks the documented protocol. No server that people run is here.

const found = await findBitcoind();
const deps = { entropy: (length: number) => new Uint8Array(randomBytes(length)), nowMs: () => Date.now() };
const network = 'regtest' as const;
const PATIENCE = { timeout: 60_000, interval: 50 };

type Endpoint = ElectrumEndpoint | EsploraEndpoint;
const sourceOf = (endpoint: Endpoint, name = 'server'): ChainSource =>
  'url' in endpoint
    ? createEsploraSource(deps, { name, network, endpoint: { url: endpoint.url }, pollMs: 200 })
    : createElectrumSource(deps, { name, network, endpoint: { host: '127.0.0.1', port: endpoint.port, tls: null } });

/** Runs a source in the background and keeps what it says. */
function follow(source: ChainSource, from: Cursor | null) {
  const events: ChainEvent[] = [];
  const abort = new AbortController();
  const done = (async () => {
    for await (const event of source.events(from, abort.signal)) events.push(event);
  })();
  return {
    events,
    of: <K extends ChainEvent['kind']>(kind: K) =>
      events.filter((e) => e.kind === kind) as Extract<ChainEvent, { kind: K }>[],
    seen: (what: (event: ChainEvent) => boolean) => vi.waitFor(() => expect(events.some(what)).toBe(true), PATIENCE),
    async stop() {
      abort.abort();
      await done;
    },
  };
}
type Following = ReturnType<typeof follow>;

/** The chain that the blocks told of make up, taken back ones left out. */
function chainOf(events: readonly ChainEvent[]): BlockRef[] {
  const chain: BlockRef[] = [];
  for (const event of events) {
    if (event.kind === 'connected') {
      if (chain.length > 0) expect(event.block.height).toBe(chain.at(-1)!.height + 1);
      chain.push(event.block);
    }
    if (event.kind === 'disconnected') expect(chain.pop()).toEqual(event.block);
  }
  return chain;
}

describe.skipIf('missing' in found)(
  `servers that index by script${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  { timeout: 240_000 },
  () => {
    let node: BitcoindNode;
    let payer: Rpc;
    let owner: Rpc;
    let script: Uint8Array;
    let address: string;

    beforeAll(async () => {
      node = await startBitcoind('bitcoind' in found ? found.bitcoind : undefined!);
      payer = await node.wallet('payer');
      owner = await node.wallet('owner');
      await node.mine(120, await payer<string>('getnewaddress'));
    });
    afterAll(() => node?.stop());

    const fresh = async (type = 'bech32') => {
      address = await owner<string>('getnewaddress', '', type);
      const info = await owner<{ scriptPubKey: string }>('getaddressinfo', address);
      script = fromHex(info.scriptPubKey)!;
    };
    const pay = (sats = 100_000) => payer<string>('sendtoaddress', address, sats / 1e8);
    interface Coin {
      readonly txid: string;
      readonly vout: number;
      readonly amount: number;
    }
    const coinsOf = () => owner<Coin[]>('listunspent', 0, 999, [address]);
    /** The owner spends these coins, for so many sats of fee, in a way that can be replaced. */
    const spend = async (coins: readonly Coin[], fee = 1_000) => {
      const inputs = coins.map(({ txid, vout }) => ({ txid, vout, sequence: 0xffff_fffd }));
      const total = coins.reduce((sum, { amount }) => sum + Math.round(amount * 1e8), 0);
      const outputs = [{ [await payer<string>('getnewaddress')]: (total - fee) / 1e8 }];
      const raw = await owner<string>('createrawtransaction', inputs, outputs);
      const { hex } = await owner<{ hex: string }>('signrawtransactionwithwallet', raw);
      return node.rpc<string>('sendrawtransaction', hex);
    };
    const tipIs = async (run: Following) => {
      const { hash } = await node.tip();
      await run.seen((event) => event.kind === 'connected' && event.block.hash === hash);
    };

    describe.each([
      ['Electrum 1.4', (): Promise<Endpoint> => startElectrumEndpoint(node)],
      ['Electrum 1.6', (): Promise<Endpoint> => startElectrumEndpoint(node, { protocol: '1.6' })],
      ['Esplora', (): Promise<Endpoint> => startEsploraEndpoint(node)],
    ])('%s', (_name, start) => {
      let endpoint: Endpoint;
      let source: ChainSource;
      let run: Following | undefined;
      beforeEach(async () => {
        endpoint = await start();
        source = sourceOf(endpoint);
      });
      afterEach(async () => {
        await run?.stop();
        run = undefined;
        await source.close();
        await endpoint.stop();
      });

      it.each(['bech32', 'bech32m'])(
        'sees a coin of ours (%s) come and go, with the grade of each sight',
        async (type) => {
          await fresh(type);
          source.watch.addScripts([script]);
          const { height, hash } = await node.tip();
          run = follow(source, null);
          await run.seen((event) => event.kind === 'health' && event.health.state === 'live');
          expect(run.of('connected')[0]).toMatchObject({ block: { height, hash }, matches: [] });

          const paid = await pay();
          await run.seen((event) => event.kind === 'sighted' && event.tx.txid === paid);
          // That somebody pays us, only a node could verify.
          expect(run.of('sighted')[0]).toMatchObject({
            grade: 'claimed',
            tx: { received: [{ sats: 100_000n }], spent: [] },
          });
          await node.mine(1);
          await tipIs(run);
          expect(
            run
              .of('connected')
              .at(-1)!
              .matches.map(({ txid }) => txid),
          ).toEqual([paid]);

          const coins = await coinsOf();
          const first = await spend(coins);
          await run.seen((event) => event.kind === 'sighted' && event.tx.txid === first);
          expect(run.of('sighted').at(-1)).toMatchObject({
            grade: 'valid',
            tx: { spent: [{ outpoint: { txid: paid } }] },
          });
          const second = await spend(coins, 9_000);
          await run.seen((event) => event.kind === 'replaced' && event.txid === first && event.by === second);
          await run.seen((event) => event.kind === 'sighted' && event.tx.txid === second && event.grade === 'valid');
          await node.mine(1);
          await tipIs(run);
          expect(run.of('connected').at(-1)!.matches).toMatchObject([{ txid: second, spent: [{ vin: 0 }] }]);
          expect(run.of('evicted')).toEqual([]);
          chainOf(run.events);
        },
      );

      it('follows reorganisations, and goes on from a cursor without a gap', async () => {
        await fresh();
        source.watch.addScripts([script]);
        run = follow(source, null);
        await run.seen((event) => event.kind === 'health' && event.health.state === 'live');
        const paid = await pay();
        await node.mine(2);
        await tipIs(run);
        const inOld = chainOf(run.events);
        // Deeper, and the payment would not be final there: wallets set a lock time of the height that they see.
        await node.reorg(2, 4);
        await tipIs(run);
        const chain = chainOf(run.events);
        const back = run.of('disconnected');
        expect(back.map(({ block }) => block.height)).toEqual(
          inOld
            .map(({ height }) => height)
            .slice(-back.length)
            .reverse(),
        );
        // The payment was in the mempool again, and a block of the new branch took it in.
        const told = run.of('connected').filter(({ matches }) => matches.some(({ txid }) => txid === paid));
        expect(told).toHaveLength(2);
        expect(chain.filter(({ hash }) => told.some(({ block }) => block.hash === hash))).toEqual([told[1]!.block]);

        await run.stop();
        const cursor = { blocks: chain.slice(-10).reverse() };
        await node.reorg(1, 3);
        const later = sourceOf(endpoint, 'later');
        later.watch.addScripts([script]);
        run = follow(later, cursor);
        await tipIs(run);
        const resumed = run.events.filter(({ kind }) => kind === 'connected' || kind === 'disconnected');
        expect(resumed[0]).toMatchObject({ kind: 'disconnected', block: chain.at(-1), fork: chain.at(-2) });
        expect(resumed.slice(1).map(({ kind }) => kind)).toEqual(['connected', 'connected', 'connected']);
        await later.close();
      });

      it('says when what was sighted is gone without a successor', async () => {
        await fresh();
        source.watch.addScripts([script]);
        run = follow(source, null);
        await run.seen((event) => event.kind === 'health' && event.health.state === 'live');
        const paid = await pay();
        await run.seen((event) => event.kind === 'sighted' && event.tx.txid === paid);
        endpoint.lies.withheld.add(paid);
        // Whatever makes the server tell of the script again.
        await pay();
        await run.seen((event) => event.kind === 'evicted' && event.txid === paid);
        expect(run.of('evicted')).toHaveLength(1);
      });

      it('finds the past of a script, and of a coin', async () => {
        await fresh();
        const paid = await pay();
        const [block] = await node.mine(1);
        const spent = await spend(await coinsOf());
        await node.mine(1);
        // The server's index may be a moment behind its node.
        const scanned = await vi.waitFor(async () => {
          const events = await collect(
            source.scan({ scripts: [script], from: 0, to: null }, new AbortController().signal),
          );
          expect(events.filter(({ kind }) => kind === 'match')).toHaveLength(2);
          return events;
        }, PATIENCE);
        const matches = scanned.flatMap((event) => (event.kind === 'match' ? event.matches : []));
        expect(matches.map(({ txid }) => txid)).toEqual([paid, spent]);
        expect(scanned.find(({ kind }) => kind === 'match')).toMatchObject({ block: { hash: block } });
        expect(scanned.at(-1)).toMatchObject({ kind: 'progress', height: (await node.tip()).height, etaSeconds: 0 });

        const vout = matches[0]!.received[0]!.vout;
        const request = { scripts: [], outpoints: [{ txid: matches[0]!.txid, vout }], from: 0, to: null };
        const byCoin = await collect(source.scan(request, new AbortController().signal));
        expect(byCoin.flatMap((event) => (event.kind === 'match' ? event.matches : []))).toMatchObject([
          { txid: spent },
        ]);
      });

      it('hands over transactions and says what became of them', async () => {
        await fresh();
        await pay();
        await node.mine(1);
        const coins = await owner<{ txid: string; vout: number; amount: number }[]>('listunspent', 1, 999, [address]);
        const to = await payer<string>('getnewaddress');
        const raw = await owner<string>('createrawtransaction', coins, [{ [to]: 0.0009 }]);
        const unsigned = await source.broadcast([fromHex(raw)!]);
        expect(unsigned.kind).toBe('rejected');
        const { hex } = await owner<{ hex: string }>('signrawtransactionwithwallet', raw);
        expect(await source.broadcast([fromHex(hex)!])).toEqual({ kind: 'accepted', heardBack: false });
        await node.mine(1);
        expect(await source.broadcast([fromHex(hex)!])).toEqual({ kind: 'already-known', confirmed: true });
        expect(await source.feerates([2])).toMatchObject([{ targetBlocks: 2 }]);
      });

      it.each([
        ['falseProof', 'server_false_proof'],
        ['otherTransaction', 'server_wrong_transaction'],
        ['falseHeaders', 'header_no_work'],
      ] as const)(
        'believes nothing of a server that lies (%s), and goes on when it no longer does',
        async (lie, code) => {
          await fresh();
          source.watch.addScripts([script]);
          run = follow(source, null);
          await run.seen((event) => event.kind === 'health' && event.health.state === 'live');
          endpoint.lies[lie] = true;
          const before = run.of('connected').length;
          const paid = await pay();
          await node.mine(1);
          await run.seen((event) => event.kind === 'health' && event.health.problem?.code === code);
          expect(
            run
              .of('connected')
              .slice(before)
              .flatMap(({ matches }) => matches),
          ).toEqual([]);
          endpoint.lies[lie] = false;
          await tipIs(run);
          expect(
            run
              .of('connected')
              .at(-1)!
              .matches.map(({ txid }) => txid),
          ).toEqual([paid]);
          chainOf(run.events);
        },
      );

      it('takes a block back and tells it anew when a server was late with a transaction of it', async () => {
        await fresh();
        source.watch.addScripts([script]);
        run = follow(source, null);
        await run.seen((event) => event.kind === 'health' && event.health.state === 'live');
        const paid = await pay();
        endpoint.lies.withheld.add(paid);
        await node.mine(1);
        await tipIs(run);
        endpoint.lies.withheld.delete(paid);
        // Whatever makes the server tell of the script again.
        await pay();
        await run.seen((event) => event.kind === 'connected' && event.matches.some(({ txid }) => txid === paid));
        expect(run.of('disconnected')).toHaveLength(1);
        chainOf(run.events);
      });
    });

    describe('the way to an Electrum server', () => {
      let endpoint: ElectrumEndpoint;
      beforeAll(async () => {
        endpoint = await startElectrumEndpoint(node, { tls: TEST_CERTIFICATE });
      });
      afterAll(() => endpoint?.stop());

      const problemOf = async (line: Omit<LineEndpoint, 'port'> & { port?: number }) => {
        const source = createElectrumSource(deps, { name: 'e', network, endpoint: { port: endpoint.port, ...line } });
        const run = follow(source, null);
        await run.seen((event) => event.kind === 'health' && event.health.state !== 'starting');
        const health = run.of('health')[0]!.health;
        await run.stop();
        await source.close();
        return health.problem?.code ?? health.state;
      };

      it('is a certificate that was pinned, or seen before, and no other', async () => {
        let seen = '';
        const firstUse = (known: string | null) => ({
          kind: 'first-use' as const,
          known,
          remember: (sha256: string) => (seen = sha256),
        });
        const host = '127.0.0.1';
        expect(await problemOf({ host, tls: firstUse(null) })).toBe('live');
        expect(seen).toMatch(/^[0-9a-f]{64}$/);
        expect(await problemOf({ host, tls: firstUse(seen) })).toBe('live');
        expect(await problemOf({ host, tls: { kind: 'pinned', sha256: seen } })).toBe('live');
        const before = endpoint.asked.get('server.version');
        expect(await problemOf({ host, tls: { kind: 'pinned', sha256: 'ab'.repeat(32) } })).toBe(
          'server_certificate_changed',
        );
        expect(await problemOf({ host, tls: firstUse('cd'.repeat(32)) })).toBe('server_certificate_changed');
        expect(await problemOf({ host, tls: { kind: 'authorities' } })).toBe('server_unreachable');
        // Refused before a word was said.
        expect(endpoint.asked.get('server.version')).toBe(before);
      });

      it('goes through a proxy that resolves the name itself, on a circuit of its own', async () => {
        const proxy = await startTestProxy();
        try {
          const through = { host: '127.0.0.1', port: proxy.port, isolation: 'server-1' };
          let seen = '';
          const tls = { kind: 'first-use' as const, known: null, remember: (sha256: string) => (seen = sha256) };
          expect(await problemOf({ host: 'electrum.onion', tls, proxy: through })).toBe('live');
          expect(seen).not.toBe('');
          expect(proxy.asked[0]).toEqual({ user: 'server-1', host: 'electrum.onion', port: endpoint.port });
          const dead = { ...through, port: 1 };
          expect(await problemOf({ host: 'electrum.onion', tls, proxy: dead })).toBe('server_unreachable');
        } finally {
          await proxy.stop();
        }
      });

      it('asks only for the headers that are new where it keeps them, one process at a time', async () => {
        const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-server-'));
        const esplora = await startEsploraEndpoint(node);
        const open = () =>
          createEsploraSource(deps, { name: 'kept', network, dataDir, endpoint: { url: esplora.url }, pollMs: 200 });
        const askedFor = () => esplora.asked.filter((path) => path.startsWith('/blocks/')).length;
        const reachTip = async () => {
          const source = open();
          const before = askedFor();
          const run = follow(source, null);
          try {
            expect(open).toThrow(expect.objectContaining({ code: 'data_dir_in_use' }));
            await tipIs(run);
            return askedFor() - before;
          } finally {
            await run.stop();
            await source.close();
          }
        };
        try {
          const all = await reachTip();
          await node.mine(1);
          const again = await reachTip();
          expect(all).toBeGreaterThan(10);
          expect(again).toBeLessThan(all / 2);
          // What is there no longer is asked for again.
          truncateSync(join(dataDir, 'headers.dat'), 80 * 20 + 7);
          expect(await reachTip()).toBeGreaterThan(again);
        } finally {
          await esplora.stop();
          rmSync(dataDir, { recursive: true, force: true });
        }
      });

      it('is found again after it was lost, with what happened meanwhile', async () => {
        await fresh();
        const plain = await startElectrumEndpoint(node);
        const source = sourceOf(plain);
        source.watch.addScripts([script]);
        const run = follow(source, null);
        try {
          await run.seen((event) => event.kind === 'health' && event.health.state === 'live');
          plain.disconnect();
          const paid = await pay();
          await node.mine(2);
          await tipIs(run);
          await run.seen((event) => event.kind === 'connected' && event.matches.some(({ txid }) => txid === paid));
          chainOf(run.events);
        } finally {
          await run.stop();
          await source.close();
          await plain.stop();
        }
      });
    });
  },
);

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
