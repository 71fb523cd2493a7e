import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  findBitcoind,
  startBitcoind,
  startElectrumEndpoint,
  startEsploraEndpoint,
  type BitcoindNode,
  type Rpc,
} from '@keepwatch/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCommandLine, type CommandLine } from './fixtures/command-line.ts';

/** `keepwatch chain …` against real nodes on regtest, by the real command. */

const found = await findBitcoind();
const bitcoind = 'bitcoind' in found ? found.bitcoind : undefined!;
const NOBODY = '127.0.0.1:1';

interface Scan {
  readonly from: number;
  readonly to: number;
  readonly sats: string;
  readonly coins: readonly {
    txid: string;
    sats: string;
    branch: number;
    index: number;
    spentBy: { txid: string } | null;
  }[];
  readonly descriptors: readonly { derived: readonly number[] }[];
  readonly disputed: readonly { txid: string; seenBy: string[]; others: string[] }[];
  readonly failed: readonly { source: string; code: string }[];
}

describe.skipIf('missing' in found)(
  `keepwatch chain${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  { timeout: 300_000 },
  () => {
    let cli: CommandLine;
    let node: BitcoindNode;
    let alice: Rpc;
    let miner: string;
    /** One descriptor with both branches, as wallets show it. */
    let descriptor: string;
    let byPeer: readonly string[];
    let byNode: readonly string[];

    beforeAll(async () => {
      cli = await createCommandLine();
      node = await startBitcoind(bitcoind);
      const others = await node.wallet('others');
      miner = await others<string>('getnewaddress');
      await node.mine(130, miner);
      alice = await node.wallet('alice');
      const { descriptors } = await alice<{ descriptors: { desc: string; internal: boolean }[] }>('listdescriptors');
      const { desc } = descriptors.find(({ desc, internal }) => desc.startsWith('wpkh(') && !internal)!;
      descriptor = desc.replace(/\/0\/\*\).*$/, '/<0;1>/*)');
      // More addresses than the gap limit, one payment each; then one coin is spent.
      for (let i = 0; i < 12; i++) {
        const address = await alice<string>('getnewaddress', '', 'bech32');
        await others('sendtoaddress', address, 0.1);
        await node.mine(2, miner);
      }
      await alice('sendtoaddress', miner, 0.05, '', '', false, true, null, 'unset', false, 2);
      await node.mine(1, miner);
      byPeer = ['--network', 'regtest', '--peer', `127.0.0.1:${node.p2pPort}`];
      byNode = ['--network', 'regtest', '--bitcoind', `http://127.0.0.1:${node.rpcPort}`, '--cookie', node.cookieFile];
    });
    afterAll(async () => {
      await node?.stop();
      await cli?.remove();
    });
    const balance = async () => {
      const coins = await alice<{ amount: number; desc: string }[]>('listunspent');
      return coins
        .filter(({ desc }) => desc.startsWith('wpkh'))
        .reduce((sum, { amount }) => sum + Math.round(amount * 1e8), 0);
    };

    it('synchronises, and says where each source is and who its peers are', async () => {
      const { height, hash } = await node.tip();
      expect(cli.json('chain', 'sync', ...byPeer)).toMatchObject({ sources: [{ source: 'p2p', height, hash }] });
      const status = cli.json<{ sources: object[] }>(
        'chain',
        'status',
        ...byPeer,
        ...byNode.slice(2),
        '--electrum',
        NOBODY,
      );
      expect(status).toMatchObject({
        ...{ network: 'regtest', able: true, bestHeight: height, suffices: [['p2p'], ['bitcoind']] },
        sources: [
          { name: 'p2p', state: 'live', tip: { height, hash }, peers: 1, lagBlocks: 0, problem: null },
          { name: 'bitcoind', state: 'live', tip: { height, hash }, lagBlocks: 0, sync: null },
          { name: 'electrum', state: 'down', tip: null, lagBlocks: null, problem: { code: 'server_unreachable' } },
        ],
      });
      const peers = cli.json<{ sources: { peers: object[]; bans: object[] }[] }>('chain', 'peers', ...byPeer);
      expect(peers.sources[0]).toMatchObject({
        peers: [
          {
            address: `127.0.0.1:${node.p2pPort}`,
            transport: 'v2',
            userAgent: expect.stringContaining('Satoshi') as string,
            services: expect.arrayContaining(['network', 'witness', 'compact-filters', 'v2']) as string[],
            latencyMs: expect.any(Number) as number,
            height,
          },
        ],
        bans: [],
      });
      const words = cli.run(['chain', 'status', ...byPeer]);
      expect(words.out).toContain(hash);
      expect(words.out).toContain('enough sources are live');
    });

    it.each<[string, () => readonly string[]]>([
      ['the light client', () => byPeer],
      ['a node', () => byNode],
    ])('finds the coins of a descriptor by %s, with more addresses than the gap limit', async (_, by) => {
      const scan = cli.json<Scan>(
        'chain',
        'scan',
        ...by(),
        '--descriptor',
        descriptor,
        '--from',
        '0',
        '--gap-limit',
        '5',
      );
      expect(scan.sats).toBe(String(await balance()));
      expect(scan.to).toBe((await node.tip()).height);
      const received = scan.coins.filter(({ branch }) => branch === 0).map(({ index }) => index);
      expect(received).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      expect(scan.coins.some(({ spentBy }) => spentBy !== null)).toBe(true);
      expect(scan.descriptors[0]!.derived[0]).toBeGreaterThanOrEqual(17);
      expect(scan.disputed).toEqual([]);
      const words = cli.run(['chain', 'scan', ...by(), '--descriptor', descriptor, '--from', '0', '--gap-limit', '5']);
      expect(words.err).toBe('');
      expect(words.out).toMatch(/BTC in \d+ coins · \d coins? spent · blocks 0 to \d+\n$/);
    });

    it('goes on where it ended, finds what has come since, and forgets what was reorganised away', async () => {
      const args = ['chain', 'scan', ...byNode, '--descriptor', descriptor, '--from', '2020-01-01'];
      const before = cli.json<Scan>(...args);
      const others = await node.wallet('others');
      const txid = await others<string>('sendtoaddress', await alice<string>('getnewaddress', '', 'bech32'), 0.7);
      await node.mine(1, miner);
      const after = cli.json<Scan>(...args);
      expect(after.coins.map((coin) => coin.txid)).toEqual([...before.coins.map((coin) => coin.txid), txid]);
      // The block goes, and its payment is spent otherwise before another block can take it.
      const { height } = await node.tip();
      await node.rpc('invalidateblock', await node.rpc<string>('getblockhash', height));
      await node.rpc('generateblock', miner, []);
      await node.rpc('generateblock', miner, []);
      const again = cli.json<Scan>(...args);
      expect(again.coins.map((coin) => coin.txid)).toEqual(before.coins.map((coin) => coin.txid));
      expect(again.to).toBe(height + 1);
      await node.mine(1, miner);
    });

    it('compares what several sources find, and names the one that is silent', async () => {
      const electrum = await startElectrumEndpoint(node);
      const esplora = await startEsploraEndpoint(node);
      const file = join(cli.directory, 'sources.json');
      const sources = [
        { kind: 'bitcoind', name: 'own', url: `http://127.0.0.1:${node.rpcPort}`, cookieFile: node.cookieFile },
        { kind: 'electrum', name: 'server', server: `127.0.0.1:${electrum.port}`, certificate: 'none' },
        { kind: 'esplora', url: esplora.url },
      ];
      writeFileSync(file, JSON.stringify({ network: 'regtest', sources, suffices: [['own'], ['server', 'esplora']] }));
      const args = ['--json', 'chain', 'scan', '--config', file, '--descriptor', descriptor, '--from', '0'];
      // The endpoints live in this process: it must not wait for the command with its eyes shut.
      const run = async (...more: string[]) => {
        const child = cli.start(...args, ...more);
        let out = '';
        child.stdout!.on('data', (chunk: Buffer) => (out += chunk.toString()));
        await once(child, 'close');
        return JSON.parse(out) as Scan;
      };
      try {
        const agreed = await run();
        expect(agreed).toMatchObject({ sats: String(await balance()), disputed: [], failed: [] });
        // A transaction whose coins nobody has spent: with it, the spends of it would differ as well.
        const spent = new Set(agreed.coins.filter(({ spentBy }) => spentBy !== null).map((coin) => coin.txid));
        const { txid } = agreed.coins.find((coin) => !spent.has(coin.txid))!;
        electrum.lies.withheld.add(txid);
        const differing = await run('--anew');
        expect(differing.sats).toBe(agreed.sats);
        expect(differing.disputed).toMatchObject([{ txid, seenBy: ['own', 'esplora'], others: ['server'] }]);
        await esplora.stop();
        expect(await run('--anew')).toMatchObject({ sats: agreed.sats, failed: [{ source: 'esplora' }] });
      } finally {
        await electrum.stop();
        await esplora.stop().catch(() => undefined);
      }
    });

    it('is killed in the middle of a scan and of a synchronisation, and goes on', async () => {
      const far = await startBitcoind(bitcoind);
      try {
        // Long enough that a kill comes before the end, and that threads are used.
        for (let i = 0; i < 6; i++) await far.mine(500);
        const args = [
          ...['--network', 'regtest', '--bitcoind', `http://127.0.0.1:${far.rpcPort}`, '--cookie', far.cookieFile],
          ...['--descriptor', 'raw(51000001)', '--from', '0'],
        ];
        const folder = join(cli.directory, '.local/share/keepwatch/chain/regtest/scans');
        const known = new Set(existsSync(folder) ? readdirSync(folder) : []);
        const next = () => {
          const mine = readdirSync(folder).filter((name) => name.endsWith('.json') && !known.has(name));
          return mine.length === 0
            ? 0
            : (JSON.parse(readFileSync(join(folder, mine[0]!), 'utf8')) as { next: number }).next;
        };
        const child = cli.start('chain', 'scan', ...args);
        await vi.waitFor(() => expect(next()).toBeGreaterThan(0), { timeout: 120_000, interval: 5 });
        child.kill('SIGKILL');
        await once(child, 'exit');
        const at = next();
        const { height } = await far.tip();
        expect(cli.json<Scan>('chain', 'scan', ...args)).toMatchObject({ from: 0, to: height });
        // Killed at the very end, it has nothing left to do; else it went on, and not from the start.
        expect(at).toBeLessThanOrEqual(height + 1);

        const elsewhere = join(cli.directory, 'elsewhere');
        const sync = [
          'chain',
          'sync',
          '--network',
          'regtest',
          '--peer',
          `127.0.0.1:${far.p2pPort}`,
          '--data',
          elsewhere,
        ];
        const headers = join(elsewhere, 'regtest/p2p/headers.dat');
        const first = cli.start(...sync);
        await vi.waitFor(() => expect(existsSync(headers) ? readFileSync(headers).length : 0).toBeGreaterThan(0), {
          timeout: 120_000,
          interval: 5,
        });
        first.kill('SIGKILL');
        await once(first, 'exit');
        expect(cli.json(...sync)).toMatchObject({ sources: [{ height }] });
        // It is used by one at a time.
        const nobody = [...sync.slice(2, 4), '--peer', NOBODY, '--data', elsewhere, '--within', '120s'];
        const hold = () => cli.start('chain', 'status', ...nobody);
        let holder = hold();
        const isHeld = () => {
          // Whoever came first had it: one that came too late is started again, and given time.
          const isGone = holder.exitCode !== null;
          if (isGone) holder = hold();
          expect(isGone).toBe(false);
          expect(cli.fails(...sync).error).toBe('data_dir_in_use');
        };
        await vi.waitFor(isHeld, { timeout: 100_000, interval: 3_000 });
        holder.kill('SIGTERM');
        await once(holder, 'exit');
      } finally {
        await far.stop();
      }
    });

    it('says what is wrong, and what to do next', async () => {
      const scan = ['chain', 'scan', ...byNode];
      expect(cli.fails(...scan, '--from', '0')).toEqual({ code: 2, error: 'usage_option_missing' });
      expect(cli.fails(...scan, '--descriptor', 'wpkh(xprv)', '--from', '0').error).toBe('usage_descriptor');
      expect(cli.fails(...scan, '--descriptor', descriptor, '--from', 'soon').error).toBe('usage_beginning');
      expect(cli.fails('chain', 'status', '--network', 'test3')).toEqual({ code: 2, error: 'usage_network' });
      expect(cli.fails('chain', 'status', '--electrum', 'no-port').error).toBe('usage_chain_source');
      expect(cli.fails('chain', 'peers', ...byNode).error).toBe('no_light_client');
      expect(cli.fails('chain', 'sync', '--network', 'regtest', '--peer', NOBODY, '--within', '2s').error).toBe(
        'chain_not_reached',
      );
      const dead = ['--network', 'regtest', '--bitcoind', `http://${NOBODY}`, '--cookie', node.cookieFile];
      expect(cli.fails('chain', 'scan', ...dead, '--descriptor', descriptor, '--from', '0').error).toBe(
        'node_unreachable',
      );
      writeFileSync(join(cli.directory, 'bad.json'), '{"network":"main","sources":[{"kind":"bitcoind"}]}');
      expect(cli.fails('chain', 'status', '--config', 'bad.json').error).toBe('chain_configuration_invalid');
      expect(cli.fails('chain', 'status', '--config', 'bad.json', '--peer', NOBODY).error).toBe(
        'usage_options_conflict',
      );
    });
  },
);
