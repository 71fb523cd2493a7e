import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findBitcoind, startBitcoind, type BitcoindNode, type Rpc } from '@keepwatch/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCommandLine, type CommandLine } from './fixtures/command-line.ts';
import { createMonitorRuns, type MonitorRuns } from './fixtures/monitor-runs.ts';
import { startReceivers, type TestReceivers } from './receivers.fixture.ts';

/** `keepwatch monitor …` against a real node on regtest, by the real command, with real receivers of what it tells. */

const found = await findBitcoind();
const bitcoind = 'bitcoind' in found ? found.bitcoind : undefined!;
const SLOW = { timeout: 120_000, interval: 250 };

interface Row {
  readonly seq: number;
  readonly finding: {
    readonly id: string;
    readonly wallet: string | null;
    readonly severity: string;
    readonly late: boolean;
    readonly detail: { readonly kind: string; readonly txid?: string; readonly by?: string; readonly depth?: number };
  };
}

describe.skipIf('missing' in found)(
  `keepwatch monitor${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  { timeout: 400_000 },
  () => {
    let cli: CommandLine;
    let node: BitcoindNode;
    let others: Rpc;
    let alice: Rpc;
    let miner: string;
    let receivers: TestReceivers;
    let runs: MonitorRuns;

    beforeAll(async () => {
      cli = await createCommandLine();
      node = await startBitcoind(bitcoind);
      receivers = await startReceivers(cli);
      runs = createMonitorRuns(cli);
      others = await node.wallet('others');
      alice = await node.wallet('alice');
      miner = await others<string>('getnewaddress');
      await node.mine(120, miner);
    }, 180_000);
    afterAll(async () => {
      runs?.killAll();
      await node?.stop();
      await receivers?.stop();
      await cli?.remove();
    });

    const data = (name: string) => join(cli.directory, name);
    const at = (name: string) => ['--data', data(name)];
    const byNode = () => [
      ...['--network', 'regtest', '--bitcoind', `http://127.0.0.1:${node.rpcPort}`, '--cookie', node.cookieFile],
    ];
    const byPeer = () => ['--network', 'regtest', '--peer', `127.0.0.1:${node.p2pPort}`];

    /** The receivers live in this process: it must not wait for a command with its eyes shut. */
    const ask = <T>(...args: readonly string[]) => cli.ask<T>(...args);

    /** With `new`, nobody looks for the coins that the wallet has already. */
    async function make(name: string, birthday: 'new' | '0' = 'new'): Promise<void> {
      await ask('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at(name));
      const { descriptors } = await alice<{ descriptors: { desc: string }[] }>('listdescriptors');
      const file = join(cli.directory, `${name}.json`);
      const wpkh = descriptors.filter(({ desc }) => desc.startsWith('wpkh('));
      writeFileSync(file, JSON.stringify({ wallet_name: 'alice', descriptors: wpkh }));
      await ask('watch', 'import', file, '--birthday', birthday, '--tag', 'hot', ...at(name));
    }

    const start = (name: string, sources: readonly string[]) => runs.start(name, sources);
    const end: MonitorRuns['end'] = (child, signal) => runs.end(child, signal);
    const isAble = async (name: string) => {
      await vi.waitFor(async () => {
        const status = await ask<{ able: boolean; tip: { hash: string } | null }>('monitor', 'status', ...at(name));
        expect(status.able).toBe(true);
        expect(status.tip?.hash).toBe((await node.tip()).hash);
      }, SLOW);
    };
    const findings = async (name: string) =>
      (await ask<{ findings: Row[] }>('findings', 'list', '--limit', '1000', ...at(name))).findings;
    const told = async (name: string, kind: string, txid: string) =>
      (await findings(name)).filter(({ finding: { detail } }) => detail.kind === kind && detail.txid === txid);
    const isTold = (name: string, kind: string, txid: string) =>
      vi.waitFor(async () => expect(await told(name, kind, txid)).toHaveLength(1), SLOW);
    const address = () => alice<string>('getnewaddress', '', 'bech32');
    const expectNoDoubles = (rows: readonly Row[]) => {
      expect(new Set(rows.map(({ finding }) => finding.id)).size).toBe(rows.length);
      expect(rows.map(({ seq }) => seq)).toEqual([...rows.map(({ seq }) => seq)].sort((a, b) => a - b));
    };

    /** A coin arrives, is spent, replaced, confirmed, and its block taken back. Gives the transactions. */
    async function live(name: string): Promise<Readonly<Record<'coin' | 'first' | 'second', string>>> {
      const coin = await others<string>('sendtoaddress', await address(), 1);
      await isTold(name, 'sighted', coin);
      await node.mine(1, miner);
      await isTold(name, 'received', coin);
      const first = await alice<string>(
        ...(['sendtoaddress', miner, 0.5, '', '', false, true, null, 'unset', false, 2] as const),
      );
      await isTold(name, 'sighted', first);
      const { txid: second } = await alice<{ txid: string }>('bumpfee', first);
      await isTold(name, 'replaced', first);
      await isTold(name, 'sighted', second);
      await node.mine(1, miner);
      await isTold(name, 'spent', second);
      await node.reorg(1, 2, miner);
      await isTold(name, 'disconnected', second);
      return { coin, first, second };
    }

    it('tells two channels of a coin that arrives, is spent, replaced, confirmed and reorganised away', async () => {
      await make('node');
      const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
      writeFileSync(join(cli.directory, 'secret'), secret);
      const { hooks, mails } = receivers;
      const child = await start('node', byNode());
      await isAble('node');
      const hook = [...receivers.hook(hooks, 'hook'), '--secret-file', join(cli.directory, 'secret')];
      expect(await ask('channel', 'add', 'hook', ...hook, '--from', 'info', ...at('node'))).toMatchObject({
        test: { kind: 'delivered' },
      });
      const mail = receivers.mail('owner@channel.test');
      expect(await ask('channel', 'add', 'mail', ...mail, '--from', 'info', ...at('node'))).toMatchObject({
        test: { kind: 'delivered' },
      });
      const before = (await findings('node')).at(-1)?.seq ?? 0;
      await live('node');

      // Whatever was journaled since reaches both, each once.
      const rows = (await findings('node')).filter(({ seq }) => seq > before);
      expectNoDoubles(await findings('node'));
      await vi.waitFor(async () => {
        const { channels } = await ask<{ channels: { waiting: number }[] }>('channel', 'list', ...at('node'));
        expect(channels.map(({ waiting }) => waiting)).toEqual([0, 0]);
      }, SLOW);
      // The monitor also looks whether it can reach it, and says nothing then.
      const posts = hooks.calls.filter(({ method }) => method === 'POST');
      const bodies = posts.map(({ body }) => JSON.parse(body) as { data: { finding: { id: string } | null } });
      const ids = bodies.flatMap(({ data: { finding } }) => (finding ? [finding.id] : []));
      for (const { finding } of rows) expect(ids.filter((id) => id === finding.id)).toHaveLength(1);
      expect(posts.every(({ headers }) => /^v1,/.test(String(headers['webhook-signature'])))).toBe(true);
      for (const kind of ['in a block', 'replaced', 'reorganised']) {
        expect(mails.mails.some((text) => text.includes(kind))).toBe(true);
      }

      // Health and metrics say how it is, and not whose it is.
      expect((await fetch(`${child.http}/readyz`)).status).toBe(200);
      const metrics = await (await fetch(`${child.http}/metrics`)).text();
      expect(metrics).toContain('keepwatch_monitor_findings_total{kind="disconnected"} 1');
      expect(metrics).toMatch(/^keepwatch_monitor_source_blocks_behind\{source="[^"]+"\} 0$/m);
      expect(metrics).toMatch(/^keepwatch_monitor_oldest_message_seconds \d+$/m);
      expect(metrics).not.toContain('alice');
      expect((await fetch(`${child.http}/nowhere`)).status).toBe(404);

      await end(child, 'SIGTERM');
      expect(cli.json('findings', 'verify', ...at('node'))).toMatchObject({ sameState: true });
      // A stolen copy of the directory without the key file would tell nothing: it is nowhere in clear.
      const needles = [await address(), 'alice', 'a secret of the mail server', secret, 'owner@channel.test'];
      const raw = readdirSync(data('node'), { recursive: true, withFileTypes: true })
        .filter((file) => file.isFile())
        .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
        .join('\n');
      expect(needles.filter((needle) => raw.includes(needle))).toEqual([]);
    });

    it('is killed again and again, and loses and doubles nothing', async () => {
      await make('killed');
      let child = await start('killed', byNode());
      // What came before its first block is the wallet's past, and no news.
      await isAble('killed');
      const paid: string[] = [];
      for (let round = 0; round < 4; round++) {
        // Not only when it rests: the kill comes while the last payment is on its way through it.
        paid.push(await others<string>('sendtoaddress', await address(), 0.1));
        if (round % 2 === 0) await node.mine(1, miner);
        await end(child, 'SIGKILL');
        paid.push(await others<string>('sendtoaddress', await address(), 0.1));
        await node.mine(1, miner);
        child = await start('killed', byNode());
      }
      await node.mine(1, miner);
      for (const txid of paid) await isTold('killed', 'received', txid);
      await isAble('killed');
      const rows = await findings('killed');
      expectNoDoubles(rows);
      expect(rows.filter(({ finding }) => finding.detail.kind === 'restarted').length).toBeGreaterThanOrEqual(1);
      await end(child, 'SIGTERM');
      expect(cli.json('findings', 'verify', ...at('killed'))).toMatchObject({ sameState: true });
      expect(await findings('killed')).toEqual(rows.length > 0 ? expect.arrayContaining(rows) : []);
    });

    it('sees the same by the light client alone', async () => {
      // What it spends may be one of the coins of the tests before.
      await make('light', '0');
      const child = await start('light', byPeer());
      await isAble('light');
      // It hears of transactions from one peer: a claim at first, and no fact.
      const coin = await others<string>('sendtoaddress', await address(), 1);
      await node.mine(1, miner);
      await isTold('light', 'received', coin);
      const spend = await alice<string>('sendtoaddress', miner, 0.2);
      await node.mine(1, miner);
      await isTold('light', 'spent', spend);
      await node.reorg(1, 2, miner);
      await isTold('light', 'disconnected', spend);
      expectNoDoubles(await findings('light'));
      await end(child, 'SIGTERM');
    });

    it('reads the past of a wallet that is added later, and goes on after a kill', async () => {
      const carol = await node.wallet('carol');
      const txid = await others<string>('sendtoaddress', await carol<string>('getnewaddress', '', 'bech32'), 0.3);
      await node.mine(5, miner);
      await ask('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at('past'));
      let child = await start('past', byNode());
      await isAble('past');
      const { descriptors } = await carol<{ descriptors: { desc: string }[] }>('listdescriptors');
      const wanted = descriptors
        .filter(({ desc }) => desc.startsWith('wpkh('))
        .flatMap(({ desc }) => ['--descriptor', desc]);
      await ask('watch', 'add', 'Carol', ...wanted, '--birthday', '0', ...at('past'));
      await end(child, 'SIGKILL');
      child = await start('past', byNode());
      await vi.waitFor(async () => {
        const { wallets } = await ask<{ wallets: { confirmedSats: string; scan: unknown }[] }>(
          'watch',
          'list',
          ...at('past'),
        );
        expect(wallets).toMatchObject([{ id: 'carol', confirmedSats: '30000000', scan: null }]);
      }, SLOW);
      const shown = await ask<{ coins: { txid: string }[] }>('watch', 'show', 'Carol', ...at('past'));
      expect(shown.coins).toMatchObject([{ txid }]);
      await end(child, 'SIGTERM');
      expect(cli.json('findings', 'verify', ...at('past'))).toMatchObject({ sameState: true });
    });

    it('looks further on through the past of a wallet whose gap limit is raised', async () => {
      const dave = await node.wallet('dave');
      await ask('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at('further'));
      const child = await start('further', byNode());
      await isAble('further');
      const { descriptors } = await dave<{ descriptors: { desc: string }[] }>('listdescriptors');
      const wanted = descriptors
        .filter(({ desc }) => desc.startsWith('wpkh('))
        .flatMap(({ desc }) => ['--descriptor', desc]);
      await ask('watch', 'add', 'Dave', ...wanted, '--gap-limit', '3', ...at('further'));
      // The sixth address: nobody looks so far.
      let far = '';
      for (let i = 0; i < 6; i++) far = await dave<string>('getnewaddress', '', 'bech32');
      const txid = await others<string>('sendtoaddress', far, 0.4);
      await node.mine(1, miner);
      await isAble('further');
      expect(await ask('watch', 'show', 'Dave', ...at('further'))).toMatchObject({ confirmedSats: '0' });
      const raised = await ask('watch', 'rescan', 'Dave', '--gap-limit', '10', ...at('further'));
      expect(raised).toMatchObject({ gapLimit: 10 });
      await isTold('further', 'received', txid);
      await vi.waitFor(async () => {
        expect(await ask('watch', 'show', 'Dave', ...at('further'))).toMatchObject({
          ...{ confirmedSats: '40000000', scan: null },
        });
      }, SLOW);
      const told = (await findings('further')).find(({ finding }) => finding.detail.kind === 'received');
      expect(told?.finding).toMatchObject({ wallet: 'dave', late: true });
      await end(child, 'SIGTERM');
      expect(cli.json('findings', 'verify', ...at('further'))).toMatchObject({ sameState: true });
    });

    it('raises the alarm when a coin leaves a vault, and says how long it can be answered', async () => {
      const vault = await node.wallet('vault');
      await ask('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at('vault'));
      const { descriptors } = await vault<{ descriptors: { desc: string }[] }>('listdescriptors');
      const own = descriptors.map(({ desc }) => desc).filter((desc) => desc.startsWith('wpkh('));
      const key = own[0]!.slice('wpkh('.length, own[0]!.indexOf(')'));
      const wayOut = `wsh(andor(pk(${key}),older(6),pk(02${'2'.padStart(64, '0')})))`;
      const { descriptor } = await node.rpc<{ descriptor: string }>('getdescriptorinfo', wayOut);
      const [waiting] = await node.rpc<string[]>('deriveaddresses', descriptor, [0, 0]);
      const deposits = own.flatMap((desc) => ['--descriptor', desc]);
      const twice = cli.run(['watch', 'add', 'twice', ...deposits, '--unvault', own[0]!, ...at('vault')]);
      expect(twice.err).toContain('wallet_vault_ambiguous');
      await ask('watch', 'add', 'vault', ...deposits, '--unvault', descriptor, ...at('vault'));
      const child = await start('vault', byNode());
      await isAble('vault');
      const mail = receivers.mail('owner@vault.test');
      await ask('channel', 'add', 'mail', ...mail, '--from', 'critical', ...at('vault'));
      const { mails } = receivers.mails;
      const before = mails.length;

      // What strangers send to the way out has not left the vault.
      const strangers = await others<string>('sendtoaddress', waiting, 0.001);
      const deposit = await others<string>('sendtoaddress', await vault<string>('getnewaddress', '', 'bech32'), 1);
      await isTold('vault', 'sighted', deposit);
      await node.mine(1, miner);
      await isTold('vault', 'received', strangers);
      const leaves = await vault<string>('sendtoaddress', waiting, 0.4);
      const started = async () =>
        (await findings('vault')).flatMap(({ finding }) =>
          finding.detail.kind === 'unvault-started' ? [finding] : [],
        );
      await vi.waitFor(async () => expect(await started()).toHaveLength(1), SLOW);
      await node.mine(1, miner);
      await vi.waitFor(async () => expect(await started()).toHaveLength(2), SLOW);
      const { height } = await node.tip();
      const coin = { outpoint: { txid: leaves }, sats: '40000000' };
      expect(await started()).toMatchObject([
        { severity: 'critical', detail: { ...coin, blocksLeft: 6 } },
        { severity: 'critical', detail: { ...coin, blocksLeft: 5, opensAtHeight: height + 6 } },
      ]);
      const words = cli.run(['findings', 'list', '--kind', 'unvault-started', ...at('vault')]).out;
      expect(words).toContain('LEAVES THE VAULT, in no block yet: its time lock ends in 6 blocks');
      expect(words).toContain(
        `LEAVES THE VAULT in block ${height}: its time lock ends in 5 blocks, with block ${height + 6}`,
      );
      await vi.waitFor(() => {
        expect(mails.slice(before).some((text) => text.includes('leaves the vault'))).toBe(true);
      }, SLOW);
      expect(cli.run(['watch', 'show', 'vault', ...at('vault')]).out).toContain('a way out of the vault');
      await end(child, 'SIGTERM');
      expect(cli.json('findings', 'verify', ...at('vault'))).toMatchObject({ sameState: true });
    });

    it('watches a transaction of which the id alone is given, and says where it cannot', async () => {
      await ask('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at('txid'));
      const add = (name: string, txid: string) => ['watch', 'add', name, '--txid', txid, ...at('txid')];
      const txid = await others<string>('sendtoaddress', miner, 0.25);
      expect(cli.fails(...add('payout', txid)).error).toBe('monitor_not_running');
      let child = await start('txid', byNode());
      await isAble('txid');
      await ask(...add('payout', txid.toUpperCase()));
      expect(await ask('watch', 'show', 'payout', ...at('txid'))).toMatchObject({ transactions: [txid] });
      await isTold('txid', 'sighted', txid);
      await node.mine(1, miner);
      await isTold('txid', 'watched', txid);

      const nobody = cli.run(['--json', ...add('none', 'ab'.repeat(32))]);
      expect(JSON.parse(nobody.err)).toMatchObject({ error: { code: 'watched_transaction_unknown' } });
      expect(nobody.err).toContain('neither in its mempool nor in its blocks');
      expect(cli.fails(...add('none', txid.slice(1))).error).toBe('usage_txid');
      // In a block, by the node's index of ids; and without one the error says what is missing.
      const buried = await others<string>('sendtoaddress', miner, 0.26);
      await node.mine(1, miner);
      await vi.waitFor(() => ask(...add('buried', buried), '--birthday', '0'), SLOW);
      await isTold('txid', 'watched', buried);
      await end(child, 'SIGTERM');
      await node.restart(['-txindex=0']);
      child = await start('txid', byNode());
      await isAble('txid');
      const unindexed = cli.run(['--json', ...add('again', buried)]);
      expect(JSON.parse(unindexed.err)).toMatchObject({ error: { code: 'watched_transaction_unknown' } });
      expect(unindexed.err).toContain('without -txindex');
      await end(child, 'SIGTERM');
      await node.restart(['-txindex=1']);
      // A node loads no wallet by itself.
      for (const name of ['others', 'alice']) await node.wallet(name);

      child = await start('txid', byPeer());
      await isAble('txid');
      expect(cli.fails(...add('again', txid)).error).toBe('watched_transaction_unknown');
      const { wallets } = await ask<{ wallets: { id: string }[] }>('watch', 'list', ...at('txid'));
      expect(wallets.map(({ id }) => id)).toEqual(['payout', 'buried']);
      await end(child, 'SIGTERM');
    });

    it('waits, locked, for its pass phrase', async () => {
      const file = join(cli.directory, 'pass');
      writeFileSync(file, 'correct horse battery');
      writeFileSync(join(cli.directory, 'wrong'), 'wrong horse battery');
      cli.json('monitor', 'init', '--network', 'regtest', '--passphrase-file', file, ...at('locked'));
      const child = cli.start('--json', 'monitor', 'run', ...at('locked'), '--http', 'off', ...byNode());
      runs.track(child);
      const { value } = (await createInterface({ input: child.stdout! })[Symbol.asyncIterator]().next()) as {
        value: string;
      };
      expect(JSON.parse(value)).toMatchObject({ event: 'locked' });
      expect(cli.fails('watch', 'list', ...at('locked')).error).toBe('monitor_locked');
      const wrong = ['--passphrase-file', join(cli.directory, 'wrong')];
      expect(cli.fails('monitor', 'unlock', ...wrong, ...at('locked')).error).toBe('monitor_key_wrong');
      expect(cli.json('monitor', 'unlock', '--passphrase-file', file, ...at('locked'))).toEqual({ phase: 'running' });
      expect(cli.json('watch', 'list', ...at('locked'))).toEqual({ wallets: [], evm: [] });
      await end(child, 'SIGTERM');
      expect(cli.fails('watch', 'list', ...at('locked')).error).toBe('usage_no_terminal');
    });

    it('follows from a cursor without a gap, and says what is wrong', async () => {
      const name = 'cursor';
      await make(name);
      const child = await start(name, byNode());
      await isAble(name);
      const tail = cli.start('--json', 'findings', 'tail', '--after', '0', '--wallet', 'alice', ...at(name));
      runs.track(tail);
      const lines = createInterface({ input: tail.stdout! })[Symbol.asyncIterator]();
      const coin = await others<string>('sendtoaddress', await address(), 0.2);
      const seen: Row[] = [];
      while (!seen.some(({ finding: { detail } }) => detail.kind === 'sighted' && detail.txid === coin)) {
        seen.push(JSON.parse(((await lines.next()) as { value: string }).value) as Row);
      }
      await end(tail, 'SIGTERM');
      expectNoDoubles(seen);
      expect(cli.fails('watch', 'add', 'alice', '--address', miner, ...at(name)).error).toBe('watched_wallet_exists');
      expect(cli.fails('watch', 'add', 'x', '--address', 'bc1qxyz', ...at(name)).error).toBe('usage_address');
      expect(cli.fails('watch', 'add', 'x', ...at(name)).error).toBe('usage_option_missing');
      expect(cli.fails('watch', 'show', 'nobody', ...at(name)).error).toBe('watched_wallet_unknown');
      expect(cli.fails('findings', 'list', '--severity', 'odd', ...at(name)).error).toBe('usage_severity');
      expect(cli.fails('channel', 'test', 'nobody', ...at(name)).error).toBe('channel_unknown');
      expect(cli.fails('monitor', 'run', ...at(name), ...byNode()).error).toBe('monitor_running');
      expect(cli.fails('monitor', 'run', ...at('nowhere'), ...byNode()).error).toBe('monitor_not_made');
      expect(cli.fails('monitor', 'init', ...at(name)).error).toBe('monitor_exists');
      await end(child, 'SIGTERM');
      expect(cli.fails('findings', 'tail', ...at(name)).error).toBe('monitor_not_running');
      const other = ['--network', 'main', ...byNode().slice(2)];
      expect(cli.fails('monitor', 'run', ...at(name), ...other, '--http', 'off').error).toBe('monitor_other_network');
    });
  },
);
