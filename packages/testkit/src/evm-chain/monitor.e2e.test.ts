import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Address } from '@keepwatch/evm';
import { startHttpService, type HttpService } from '@keepwatch/devnet';
import { connectApi, socketPath } from '@keepwatch/monitor';
import { encodeFunctionData, type Hex } from 'viem';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createCommandLine, type CommandLine } from '../../../cli/src/fixtures/command-line.ts';
import { startDevnet, type Devnet } from './devnet.ts';
import { startUpstream, type UpstreamEndpoint } from './upstream-endpoint.ts';

/** `keepwatch monitor …` on an EVM chain, by the real command, with a real receiver of what it tells. */

const OWNER: Address = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const ALICE: Address = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const BOB: Address = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const SLOW = { timeout: 120_000, interval: 250 };

interface Row {
  readonly seq: number;
  readonly finding: {
    readonly id: string;
    readonly wallet: string | null;
    readonly severity: string;
    readonly late: boolean;
    readonly detail: { readonly kind: string } & Readonly<Record<string, unknown>>;
  };
}

let cli: CommandLine;
let devnet: Devnet;
let upstream: UpstreamEndpoint;
let hooks: HttpService;
let token: Address;
let purse: Address;
let monitor: (ChildProcess & { readonly http: string }) | undefined;

const at = () => ['--data', join(cli.directory, 'monitor')];
const calldata = (contract: string, functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: devnet.contracts[contract]!.abi, functionName, args } as never);

const ask = <T>(...args: readonly string[]) => cli.ask<T>(...args);
async function start(): Promise<void> {
  const sources = ['--evm', `31337=${upstream.url}`, '--network', 'regtest'];
  const child = cli.start('--json', 'monitor', 'run', ...at(), '--http', '127.0.0.1:0', ...sources);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const { value } = (await lines.next()) as { value?: string };
  const ready = JSON.parse(value ?? '{}') as { event?: string; http: string };
  expect(ready.event).toBe('running');
  monitor = Object.assign(child, { http: ready.http });
}
async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const ended = once(monitor!, 'exit');
  monitor!.kill(signal);
  await ended;
  monitor = undefined;
}
const isReady = () =>
  vi.waitFor(async () => {
    const answer = await fetch(`${monitor!.http}/readyz`);
    expect(await answer.text()).toBe('ready\n');
  }, SLOW);
const findings = async () => (await ask<{ findings: Row[] }>('findings', 'list', '--limit', '1000', ...at())).findings;
const told = (is: (detail: Row['finding']['detail']) => boolean) =>
  vi.waitFor(async () => {
    const found = (await findings()).filter(({ finding }) => is(finding.detail));
    expect(found).toHaveLength(1);
    return found[0]!.finding;
  }, SLOW);

beforeAll(async () => {
  cli = await createCommandLine();
  devnet = await startDevnet('watched.sol');
  upstream = await startUpstream(devnet.anvil.url);
  hooks = await startHttpService(() => ({ status: 200 }));
  token = await devnet.create(ALICE, 'Token');
  purse = await devnet.create(ALICE, 'Purse');
  await devnet.send(ALICE, token, calldata('Token', 'mint', [OWNER, 5_000_000n]));
  await devnet.send(ALICE, purse, '0x', 1_000n);
  writeFileSync(join(cli.directory, 'ca.pem'), hooks.ca);
  writeFileSync(join(cli.directory, 'secret'), `whsec_${Buffer.alloc(32, 7).toString('base64')}`);
}, 180_000);
afterAll(async () => {
  monitor?.kill('SIGKILL');
  await hooks?.stop();
  await upstream?.stop();
  await devnet?.stop();
  await cli?.remove();
});

it(
  'tells what happens to an account, across kill -9 and a reorganisation, each once',
  { timeout: 400_000 },
  async () => {
    await ask('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at());
    await start();
    await isReady();
    // The symbol and the decimals are what the contract says.
    const limits = ['--large', '0.5', '--limit', 'tok:large:1'];
    const added = await ask<{ wallets: { id: string; tokens: object[] }[] }>(
      ...[
        'watch',
        'add',
        'Hot',
        '--evm',
        OWNER,
        '--chain',
        '31337',
        '--token',
        token,
        '--tag',
        'hot',
        ...limits,
        ...at(),
      ],
    );
    expect(added.wallets[0]).toMatchObject({ id: 'hot', tokens: [{ symbol: 'TOK', decimals: 6 }] });
    const hook = ['--webhook', `${hooks.url}/hook`, '--secret-file', join(cli.directory, 'secret')];
    await ask('channel', 'add', 'hook', ...hook, '--from', 'info', '--ca', join(cli.directory, 'ca.pem'), ...at());
    // Its first block says where it stands.
    await devnet.anvil.call('anvil_mine', ['0x1']);
    await vi.waitFor(async () => {
      expect(await ask('watch', 'show', 'Hot', ...at())).toMatchObject({ tokens: [{ balance: '5000000' }] });
    }, SLOW);

    await devnet.send(OWNER, BOB, '0x', 600_000_000_000_000_000n);
    await told(({ kind, amount }) => kind === 'evm-spent' && amount === '600000000000000000');
    await told(({ kind, asset }) => kind === 'evm-large-amount' && (asset as { symbol: string }).symbol === 'ETH');
    await devnet.send(OWNER, token, calldata('Token', 'approve', [BOB, 2_000_000n]));
    await told(({ kind }) => kind === 'evm-allowance');

    // Killed, and what comes meanwhile is told late.
    await end('SIGKILL');
    await devnet.anvil.call('anvil_mine', ['0x2']);
    await devnet.send(BOB, token, calldata('Token', 'transferFrom', [OWNER, ALICE, 1_500_000n]));
    await devnet.send(ALICE, purse, calldata('Purse', 'pay', [OWNER, 250n]));
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await start();
    const taken = await told(({ kind, how }) => kind === 'evm-spent' && how === 'allowance');
    expect(taken).toMatchObject({ severity: 'critical', late: true, wallet: 'hot' });
    expect(taken.detail).toMatchObject({ amount: '1500000', caller: BOB, to: ALICE });
    await told(({ kind, amount }) => kind === 'evm-internal' && amount === '250');
    const shown = await ask('watch', 'show', 'Hot', ...at());
    expect(shown).toMatchObject({
      ...{ chainId: '31337', address: OWNER, tokens: [{ balance: '3500000' }] },
      allowances: [{ spender: BOB, amount: '500000' }],
    });
    const list = await ask<{ evm: { name: string; nonce: string }[] }>('watch', 'list', ...at());
    expect(list.evm).toMatchObject([{ name: 'Hot', nonce: '2' }]);

    // A branch that leaves takes back what it told.
    await isReady();
    const before = await devnet.anvil.call('evm_snapshot', []);
    await devnet.send(ALICE, OWNER, '0x', 77n);
    const received = await told(({ kind, amount }) => kind === 'evm-received' && amount === '77');
    await devnet.anvil.call('evm_revert', [before]);
    await devnet.anvil.call('anvil_mine', ['0x3']);
    const back = await told(({ kind }) => kind === 'evm-disconnected');
    expect(back.detail['retracts']).toContain(received.id);

    const rows = await findings();
    expect(new Set(rows.map(({ finding }) => finding.id)).size).toBe(rows.length);
    await vi.waitFor(() => {
      const said = hooks.calls.map(({ body }) => body).join('\n');
      expect(said).toContain('1.5 TOK taken by');
      expect(said).toContain('sent 0.6 ETH');
    }, SLOW);

    // Rules know chain, token and amount.
    const rules = {
      rules: [
        {
          name: 'taken',
          when: 'finding.kind == "evm-spent" && finding.how == "allowance" && finding.chain == 31337 && finding.symbol == "TOK" && finding.amount >= 1500000 && finding.units < 2.0 && wallet.tags.exists(t, t == "hot")',
          tell: ['hook'],
        },
      ],
    };
    const file = join(cli.directory, 'rules.json');
    writeFileSync(file, JSON.stringify(rules));
    const dry = await ask<{ findings: { finding: { id: string }; rules: object[] }[] }>(
      'rules',
      'dry-run',
      file,
      ...at(),
    );
    expect(dry.findings.filter((row) => row.rules.length > 0).map(({ finding }) => finding.id)).toEqual([taken.id]);

    // A chain that cannot be followed is said by readiness and metrics.
    upstream.manners = { kind: 'answers', status: 503 };
    await vi.waitFor(async () => {
      const answer = await fetch(`${monitor!.http}/readyz`);
      expect(answer.status).toBe(503);
      expect(await answer.text()).toBe('chain eip155:31337 is down\n');
    }, SLOW);
    expect(await (await fetch(`${monitor!.http}/metrics`)).text()).toContain(
      'keepwatch_monitor_evm_live{chain="eip155:31337"} 0',
    );
    upstream.manners = { kind: 'honest' };
    await isReady();
    await expect(ask('findings', 'verify', ...at())).resolves.toMatchObject({ sameState: true });
    await ask('watch', 'remove', 'Hot', ...at());
    await end('SIGTERM');
  },
);

it('watches no token without a contract and no past that is still to come, and says what gives no balance', async () => {
  await start();
  await isReady();
  const api = (await connectApi(socketPath(join(cli.directory, 'monitor'))))!;
  try {
    const put = (name: string, more: object) =>
      api.call('evm.put', { name, chainId: '31337', address: `0x${'ab'.repeat(20)}`, ...more });
    const named = (address: Address) => ({ tokens: [{ token: address, symbol: 'USDC', decimals: 6 }] });
    await expect(put('typo', named(BOB))).rejects.toMatchObject({ code: 'evm_token_no_contract' });
    const asked = api.call('evm.token', { chainId: '31337', token: BOB });
    await expect(asked).rejects.toMatchObject({ code: 'evm_token_no_contract' });
    const birthday = { height: 99_999_999 };
    await expect(put('early', { birthday })).rejects.toMatchObject({
      ...{
        code: 'watched_wallet_refused',
        message: expect.stringContaining('There is no block 99999999 yet') as string,
      },
    });
    expect(await api.call('evm.list')).toEqual([]);

    // A contract that is no token is not known as one before it is asked.
    expect(await put('odd', named(purse))).toMatchObject({ tokens: [{ balance: null, readable: null }] });
    await put('good', { ...named(token), birthday: { height: 1 } });
    await devnet.anvil.call('anvil_mine', ['0x1']);
    await vi.waitFor(async () => {
      expect(await api.call('evm.show', { wallet: 'odd' })).toMatchObject({
        tokens: [{ balance: null, readable: false }],
      });
      expect(await api.call('evm.show', { wallet: 'good' })).toMatchObject({
        tokens: [{ balance: '0', readable: true }],
      });
    }, SLOW);
  } finally {
    api.close();
    await end('SIGTERM');
  }
  const shown = cli.run(['watch', 'show', 'odd', ...at()]).out;
  expect(shown).toMatch(/USDC +cannot be read/);
  expect(cli.run(['watch', 'list', ...at()]).out).toContain('cannot be read USDC');
  expect(cli.run(['watch', 'show', 'good', ...at()]).out).not.toContain('cannot be read');
}, 200_000);

it('refuses what is no account, no chain and no token', async () => {
  const add = (...more: readonly string[]) => cli.fails('watch', 'add', 'x', '--evm', ...more, ...at());
  expect(add('0x12', '--chain', '1')).toMatchObject({ error: 'evm_address_invalid' });
  expect(add(OWNER)).toMatchObject({ error: 'usage_chain' });
  expect(add(OWNER, '--chain', '0')).toMatchObject({ error: 'usage_chain' });
  expect(add(OWNER, '--chain', '1', '--token', 'USDC')).toMatchObject({ error: 'usage_token' });
  expect(add(OWNER, '--chain', '1', '--token', token)).toMatchObject({ error: 'evm_token_unknown' });
  expect(add(OWNER, '--chain', '1', '--limit', 'USDC:large:5')).toMatchObject({ error: 'usage_limit' });
  expect(add(OWNER, '--chain', '1', '--xpub', 'xpub')).toMatchObject({ error: 'usage_options_conflict' });
  expect(add('0x70997970C51812dc3A010C7d01b50e0d17dc79c7', '--chain', '1')).toMatchObject({
    error: 'evm_address_invalid',
  });
  const run = (...more: readonly string[]) => cli.fails('monitor', 'run', ...more, ...at());
  expect(run('--evm', 'mainnet=https://secret.example')).toMatchObject({ error: 'usage_chain_source' });
});
