import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import {
  findBitcoind,
  freePorts,
  startBitcoind,
  startHttpService,
  type BitcoindNode,
  type HttpService,
  type Rpc,
} from '@keepwatch/devnet';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createClearTextScan, type Secret } from './fixtures/clear-text.ts';
import {
  BIN,
  createCommandLine,
  environmentOf,
  startDaemon,
  type CommandLine,
  type Daemon,
} from './fixtures/command-line.ts';

/**
 * What a stolen disk tells of a monitor that is locked by a pass phrase: every file of its data directory, and the log that
 * was written, by the real command on a real node, while it runs, after it stopped, and after kill -9.
 */

const found = await findBitcoind();
const bitcoind = 'bitcoind' in found ? found.bitcoind : undefined!;
const SLOW = { timeout: 150_000, interval: 300 };

const PASSPHRASE = 'a tortoise crosses the meadow at noon';
const CHANNEL_SECRET = Buffer.alloc(32, 'channel secret of nobody');
const LABEL = 'Großmutters Erbe, zweite Hälfte';
const OWNER = 'Wilhelmina Featherstone';
const ACCOUNT = '70997970c51812dc3a010c7d01b50e0d17dc79c8';
const TOKEN = '5fbdb2315678afecb367f032d93f642f64180aa3';

/** A table in docs/watch.md says of each of them what it tells. */
const KNOWN =
  /^(journal\.sqlite(-wal|-shm)?|lock\.json|monitor\.log|wire\/tls\.json(\.new)?|chain\/regtest\/p2p\/((filter-)?headers\.dat|lock(-journal)?|peers\.json(\.new)?))$/;

interface Row {
  readonly finding: { readonly id: string; readonly detail: { readonly kind: string; readonly txid?: string } };
}

describe.skipIf('missing' in found)(
  `a monitor at rest${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  { timeout: 600_000 },
  () => {
    let cli: CommandLine;
    let node: BitcoindNode;
    let hooks: HttpService;
    let vault: Daemon;
    let others: Rpc;
    let alice: Rpc;
    let miner: string;
    let port: number;
    const running = new Set<ChildProcess>();
    const secrets: Secret[] = [];

    const directory = () => join(cli.directory, 'monitor');
    const at = () => ['--data', directory()];
    const file = (name: string, content: string) => {
      const path = join(cli.directory, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    };
    const passphrase = () => ['--passphrase-file', join(cli.directory, 'passphrase')];
    const scan = () => createClearTextScan(secrets)(directory());
    const files = () =>
      readdirSync(directory(), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(directory(), join(entry.parentPath, entry.name)));
    /** And there is no file that docs/watch.md does not speak of, and none that others may read. */
    function expectSilence(): void {
      expect(scan()).toEqual([]);
      expect(files().filter((name) => !KNOWN.test(name))).toEqual([]);
      const open = files().filter((name) => name !== 'monitor.log' && modeOf(join(directory(), name)) & 0o077);
      expect(open).toEqual([]);
    }
    /** A secret that people read; and one of bytes, given in hex. */
    const text = (what: string, value: string) => void secrets.push({ what, text: value });
    const bytes = (what: string, hex: string) => void secrets.push({ what, bytes: Buffer.from(hex, 'hex') });

    /** The receivers live in this process: it must not wait for a command with its eyes shut. */
    const ask = <T>(who: CommandLine, ...args: readonly string[]) => who.ask<T>(...args);

    /** Its log goes into a file of the same directory, as where a disk holds both. */
    async function start(): Promise<ChildProcess> {
      const sources = [
        ...['--bitcoind', `http://127.0.0.1:${node.rpcPort}`, '--cookie', node.cookieFile],
        ...['--peer', `127.0.0.1:${node.p2pPort}`, '--network', 'regtest'],
      ];
      const args = ['monitor', 'run', ...at(), ...passphrase(), ...sources, '--http', 'off'];
      const log = openSync(join(directory(), 'monitor.log'), 'a');
      const line = [BIN, '--home', join(cli.directory, 'owner'), '--json', ...args, '--listen', `127.0.0.1:${port}`];
      const child = spawn(process.execPath, line, {
        env: environmentOf(cli.directory),
        stdio: ['ignore', 'pipe', log],
      });
      closeSync(log);
      running.add(child);
      for await (const said of createInterface({ input: child.stdout! })) {
        if ((JSON.parse(said) as { event: string }).event === 'listening') return child;
      }
      throw new Error('the monitor ended');
    }
    async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
      running.delete(child);
    }
    const findings = async () =>
      (await ask<{ findings: Row[] }>(cli, 'findings', 'list', '--limit', '1000', ...at())).findings;
    const isTold = (kind: string, txid: string) =>
      vi.waitFor(
        async () =>
          expect(
            (await findings()).filter(({ finding: { detail } }) => detail.kind === kind && detail.txid === txid),
          ).not.toEqual([]),
        SLOW,
      );
    const address = () => alice<string>('getnewaddress', '', 'bech32');
    const pay = async (to: string, amount: number) => {
      const txid = await others<string>('sendtoaddress', to, amount);
      bytes('the id of a payment', txid);
      return txid;
    };

    beforeAll(async () => {
      cli = await createCommandLine();
      node = await startBitcoind(bitcoind);
      hooks = await startHttpService(() => ({ status: 200 }));
      file('passphrase', PASSPHRASE);
      file('password', 'a password of the vault');
      file('ca.pem', hooks.ca);
      text('pass phrase', PASSPHRASE);
      others = await node.wallet('others');
      alice = await node.wallet('alice');
      miner = await others<string>('getnewaddress');
      await node.mine(110, miner);
      vault = await startDaemon(cli.directory, join(cli.directory, 'vault'));
      // Nobody is given a port behind this any more.
      [port] = (await freePorts(1)) as [number];
      await ask(cli, 'operator', 'join', '--data', join(cli.directory, 'vault'));
      await ask(cli, ...['vault', 'init', '--password-file', join(cli.directory, 'password'), '--kdf', 'interactive']);
    }, 240_000);
    afterAll(async () => {
      for (const child of running) child.kill('SIGKILL');
      await vault?.stop();
      await node?.stop();
      await hooks?.stop();
      await cli?.remove();
    });

    async function watchWallets(): Promise<void> {
      const { descriptors } = await alice<{ descriptors: { desc: string }[] }>('listdescriptors');
      const public_ = descriptors.map(({ desc }) => desc).filter((desc) => desc.startsWith('wpkh('));
      expect(public_).toHaveLength(2);
      for (const descriptor of public_) {
        text('descriptor', descriptor);
        text('descriptor without its checksum', descriptor.split('#')[0]!);
        const [, origin, key] = /\[([^\]]+)\]([a-zA-Z0-9]+)/.exec(descriptor)!;
        text('key origin', origin!);
        text('extended key', key!);
        const decoded = fromBase58(key!);
        bytes('chain code', decoded.subarray(13, 45).toString('hex'));
        bytes('public key', decoded.subarray(45, 78).toString('hex'));
        for (const each of await node.rpc<string[]>('deriveaddresses', descriptor, [0, 24])) await identify(each);
      }
      const wallet = ['--owner', OWNER, '--tag', 'inheritance-cold', '--birthday', '0'];
      await ask(
        cli,
        ...['watch', 'add', 'Treasury of the Feathers', ...public_.flatMap((each) => ['--descriptor', each])],
        ...[...wallet, '--large', '0.001', ...at(), ...passphrase()],
      );
      text('wallet', 'Treasury of the Feathers');
      text('id of the wallet', 'treasury-of-the-feathers');
      text('owner', OWNER);
      text('tag', 'inheritance-cold');

      const labelled = await address();
      const labels = file('labels.jsonl', `${JSON.stringify({ type: 'addr', ref: labelled, label: LABEL })}\n`);
      await ask(cli, 'watch', 'import', labels, '--wallet', 'treasury-of-the-feathers', ...at(), ...passphrase());
      text('label', LABEL);

      const alone = await others<string>('getnewaddress', '', 'bech32');
      await identify(alone);
      await ask(cli, 'watch', 'add', 'Donation jar', '--address', alone, ...at(), ...passphrase());
      text('wallet of one address', 'Donation jar');
      const coin = await pay(miner, 0.7);
      await ask(cli, 'watch', 'add', 'Forgotten coin', '--outpoint', `${coin}:0`, ...at(), ...passphrase());
      text('wallet of one coin', 'Forgotten coin');

      const account = ['--evm', `0x${ACCOUNT}`, '--chain', '31337', '--token', `0x${TOKEN}:FEATHERCOIN:6`];
      await ask(cli, 'watch', 'add', 'Ether of the Feathers', ...account, ...at(), ...passphrase());
      text('wallet of an account', 'Ether of the Feathers');
      text('symbol of a token', 'FEATHERCOIN');
      for (const [what, hex] of [['account', ACCOUNT] as const, ['token', TOKEN] as const]) {
        bytes(what, hex);
        text(what, `0x${hex}`);
      }
      text('account with its checksum', '0x70997970C51812dc3A010C7d01b50e0d17dc79C8');
    }

    /** An address, and what its scriptPubKey commits to. */
    async function identify(each: string): Promise<void> {
      const { witness_program: program } = await node.rpc<{ witness_program: string }>('validateaddress', each);
      text('address', each);
      bytes('witness program', program);
    }

    async function tellPeople(): Promise<void> {
      const url = `${hooks.url}/hook-of-the-feathers`;
      const secret = `whsec_${CHANNEL_SECRET.toString('base64')}`;
      const hook = ['--webhook', url, '--secret-file', file('secret', secret), '--ca', join(cli.directory, 'ca.pem')];
      await ask(
        cli,
        ...['channel', 'add', 'featherhook', ...hook, '--from', 'info', '--untested', ...at(), ...passphrase()],
      );
      text('channel', 'featherhook');
      text('URL of the channel', url);
      text('path of the channel', 'hook-of-the-feathers');
      text('secret of the channel', secret);
      secrets.push({ what: 'secret of the channel', bytes: CHANNEL_SECRET });
      text('certificate of the channel', hooks.ca.split('\n')[1]!);

      const condition = 'wallet.tags.exists(t, t == "inheritance-cold")';
      const rule = { name: 'featherrule', when: condition, tell: ['featherhook'] };
      const all = { name: 'allthings', when: 'true', tell: ['featherhook'] };
      const rules = file('rules.json', JSON.stringify({ rules: [rule, all] }));
      await ask(cli, 'rules', 'apply', rules, ...at(), ...passphrase());
      text('rule', 'featherrule');
      text('condition', condition);

      const rungs = [{ who: 'Aunt Marigold', tell: ['featherhook'], wait: '1h' }];
      const climbs = { from: 'critical', kinds: ['received', 'spent'] };
      const page = 'http://127.0.0.1:7410/feathers';
      const ladder = file('ladder.json', JSON.stringify({ rungs, climbs, page }));
      await ask(cli, 'ladder', 'apply', ladder, ...at(), ...passphrase());
      text('person of the ladder', 'Aunt Marigold');
      text('page of the ladder', page);
    }

    async function letIn(): Promise<void> {
      const left = readFileSync(join(directory(), 'bootstrap_token'), 'utf8').trim();
      expect(modeOf(join(directory(), 'bootstrap_token')) & 0o777).toBe(0o600);
      const token = /&token=([^&]+)$/.exec(left)![1]!;
      secrets.push({ what: 'one-time token', text: token, bytes: Buffer.from(token, 'base64url') });
      await ask(cli.as('operator'), 'monitor', 'join', ...at(), '--name', 'marigolds-laptop');
      text('peer', 'marigolds-laptop');
      const { peers } = await ask<{ peers: { peer: string }[] }>(cli, 'monitor', 'peers', ...at());
      expect(peers).toHaveLength(1);
      text('key of the peer', peers[0]!.peer);

      const named = ['feathervault', vault.connection, '--as', 'feathermonitor'];
      const { peer } = await ask<{ peer: string }>(cli, 'monitor', 'vault', 'add', ...named, ...at());
      text('vault', 'feathervault');
      text('the vault’s name for the monitor', 'feathermonitor');
      text('key towards the vault', peer);
      const { searchParams, host } = new URL(vault.connection);
      text('where the vault is', host);
      for (const name of ['tls', 'id']) {
        const value = searchParams.get(name)!;
        secrets.push({ what: `${name} of the vault`, text: value, bytes: Buffer.from(value, 'base64url') });
      }
      await ask(cli, 'client', 'approve', peer);
      await vi.waitFor(async () => {
        const { vaults } = await ask<{ vaults: object[] }>(cli, 'monitor', 'vault', 'list', ...at());
        expect(vaults).toMatchObject([{ phase: 'unsealed' }]);
      }, SLOW);
    }

    /** A coin arrives, is spent, replaced, confirmed, and its block taken back; people are told and asked for an answer. */
    async function live(): Promise<void> {
      const coin = await pay(await address(), 1);
      await isTold('sighted', coin);
      await node.mine(1, miner);
      await isTold('received', coin);
      const spend = [miner, 0.5, '', '', false, true, null, 'unset', false, 2] as const;
      const first = await alice<string>('sendtoaddress', ...spend);
      bytes('the id of a spend', first);
      await isTold('sighted', first);
      const { txid: second } = await alice<{ txid: string }>('bumpfee', first);
      bytes('the id of a replacement', second);
      await isTold('replaced', first);
      await node.mine(1, miner);
      await isTold('spent', second);
      await node.reorg(1, 2, miner);
      await isTold('disconnected', second);
      const asked = await vi.waitFor(() => {
        // The monitor also looks whether it can reach it, and says nothing then.
        const codes = hooks.calls.flatMap(({ method, body }) => {
          if (method !== 'POST') return [];
          const { data } = JSON.parse(body) as { data: { acknowledgement: { url: string | null } | null } };
          return data.acknowledgement?.url ?? [];
        });
        expect(codes).not.toEqual([]);
        return codes;
      }, SLOW);
      for (const url of asked) text('link to answer by', url.split('/').at(-1)!);
      for (const { finding } of (await findings()).slice(-20)) text('finding', finding.id);
    }

    it('tells nothing of the wallets, while it runs, after it stopped, and after kill -9', async () => {
      const init = ['monitor', 'init', '--network', 'regtest', '--key', 'passphrase', ...passphrase()];
      await ask(cli, ...init, ...at());
      await watchWallets();
      await tellPeople();
      // Before its first block: what the birthday's scan is to find.
      const past = await pay(await address(), 0.3);
      await node.mine(3, miner);
      let child = await start();
      await vi.waitFor(async () => {
        const { coins } = await ask<{ coins: { txid: string }[] }>(
          ...([cli, 'watch', 'show', 'treasury-of-the-feathers', ...at()] as const),
        );
        expect(coins.map(({ txid }) => txid)).toContain(past);
      }, SLOW);
      await letIn();
      await live();
      expectSilence();
      await end(child, 'SIGKILL');
      expect(files()).toContain('journal.sqlite-wal');
      expectSilence();

      child = await start();
      const late = await pay(await address(), 0.2);
      await isTold('sighted', late);
      expectSilence();
      await end(child, 'SIGTERM');
      expectSilence();

      // It was looked at what there is to be looked at: findings were journaled, and the log speaks of them.
      expect(files()).toEqual(expect.arrayContaining(['journal.sqlite', 'lock.json', 'wire/tls.json']));
      expect(readFileSync(join(directory(), 'monitor.log'), 'utf8')).toContain('"finding"');
      await ask(cli, 'findings', 'verify', ...at(), ...passphrase());
    });

    it('would find a leak, in whatever form', async () => {
      const { what, text: descriptor } = secrets.find((each) => each.what === 'descriptor')!;
      const label = Buffer.from(LABEL);
      const account = Buffer.from(ACCOUNT, 'hex');
      const { bytes: id } = secrets.find((each) => each.what === 'the id of a payment')!;
      const within = (content: Uint8Array) => Buffer.concat([Buffer.from('x'), content, Buffer.from('yz')]);
      const plants: readonly (readonly [string, string | Uint8Array])[] = [
        [what, `{"descriptor":"${descriptor}"}`],
        ['label', Buffer.from(` ${LABEL} `, 'utf16le')],
        ['label', within(label).toString('base64')],
        ['label', within(within(label)).toString('base64url')],
        ['label', label.toString('hex')],
        ['account', within(account)],
        ['account', `0X${ACCOUNT.toUpperCase()}`],
        ['the id of a payment', within(Buffer.from(id!).reverse())],
        ['the id of a payment', Buffer.from(id!).reverse().toString('hex')],
        ['secret of the channel', within(CHANNEL_SECRET).toString('base64')],
      ];
      const folder = join(directory(), 'chain', 'planted');
      mkdirSync(folder);
      for (const [secret, content] of plants) {
        writeFileSync(join(folder, 'leak'), content);
        expect(scan().map((leak) => [leak.what, leak.file])).toContainEqual([secret, 'chain/planted/leak']);
      }
      rmSync(folder, { recursive: true });
      mkdirSync(join(directory(), 'Donation jar'));
      expect(scan()).toContainEqual(expect.objectContaining({ what: 'wallet of one address', file: 'Donation jar' }));
      rmSync(join(directory(), 'Donation jar'), { recursive: true });
      expect(scan()).toEqual([]);
    });
  },
);

/** Base58 with four bytes of checksum (BIP32 §Serialization format): 82 bytes, of which the first is not zero. */
function fromBase58(text: string): Buffer {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  const value = [...text].reduce((sum, digit) => sum * 58n + BigInt(alphabet.indexOf(digit)), 0n);
  return Buffer.from(value.toString(16).padStart(164, '0'), 'hex');
}

/** A file that was removed meanwhile is open to nobody. */
const modeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
