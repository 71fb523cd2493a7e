import type { GrantDraft } from '@keepwatch/protocol';
import { encodeFunctionData, hashTypedData, parseSignature, toHex, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createCommandLine, type CommandLine } from '../../../cli/src/fixtures/command-line.ts';
import { createMonitorRuns, type MonitorRuns } from '../../../cli/src/fixtures/monitor-runs.ts';
import { grant, startVault, type VaultProcess } from '../world/index.ts';
import { startDevnet, type Devnet } from './devnet.ts';
import { CHAIN, followVault, seatVault, type SeatedVault } from './watched-vault.ts';

/**
 * The past of an account whose key a real vault has, and a thief as well: what each of them signed is on a real chain before
 * any monitor knows of either.
 */

const KEY: Hex = `0x${'7e'.repeat(32)}`;
const thief = privateKeyToAccount(KEY);
const WALLET = thief.address.toLowerCase() as Hex;
const ALICE: Hex = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const BOB: Hex = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const EVE: Hex = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const FAR = 4_000_000_000n;
const SLOW = { timeout: 180_000, interval: 500 };
const T = { timeout: 600_000 };
const FEES = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n } as const;

interface Finding {
  readonly id: string;
  readonly late: boolean;
  readonly detail: {
    readonly kind: string;
    readonly how?: string;
    readonly why?: string;
    readonly amount?: string;
    readonly nonce?: string | null;
    readonly count?: number;
  };
}

let devnet: Devnet;
let vault: VaultProcess;
let seated: SeatedVault;
let cli: CommandLine;
let monitors: MonitorRuns;
let coin: Hex;
let birth: number;

const calldata = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: devnet.contracts['Coin']!.abi, functionName, args } as never);
const nonceOf = async () => Number(await devnet.anvil.call('eth_getTransactionCount', [WALLET, 'latest']));
const mine = (blocks: number) => devnet.anvil.call('anvil_mine', [toHex(blocks)]);
const place = (name: string) => ['--data', `${cli.directory}/${name}`];

/** Past the vault. */
async function steal(value: bigint): Promise<void> {
  const nonce = await nonceOf();
  const raw = await thief.signTransaction({
    ...{ type: 'eip1559', chainId: 31_337, nonce, gas: 21_000n, to: BOB, value, ...FEES },
  });
  expect(await devnet.broadcast(raw)).toMatchObject({ status: '0x1' });
}

async function bringPermit(spender: Hex, value: bigint, nonce: bigint, by: 'vault' | 'thief'): Promise<void> {
  const fields = (lines: readonly string[]) =>
    lines.map((line) => ({ name: line.split(' ')[0]!, type: line.split(' ')[1]! }));
  const data = {
    types: {
      EIP712Domain: fields(['name string', 'version string', 'chainId uint256', 'verifyingContract address']),
      Permit: fields(['owner address', 'spender address', 'value uint256', 'nonce uint256', 'deadline uint256']),
    },
    primaryType: 'Permit',
    domain: { name: 'Coin', version: '1', chainId: 31_337, verifyingContract: coin },
    message: { owner: WALLET, spender, value, nonce, deadline: FAR },
  };
  const typedData = JSON.stringify(data, (_, each: unknown) => (typeof each === 'bigint' ? each.toString() : each));
  const signature =
    by === 'thief'
      ? await thief.signTypedData(data as never)
      : (
          await seated.client.signTypedData({
            ...{ wallet: seated.wallet, chain: CHAIN, typedData, digest: hashTypedData(data as never) },
          })
        ).signature;
  const { v, r, s } = parseSignature(signature as Hex);
  const brought = calldata('permit', [WALLET, spender, value, FAR, v, r, s]);
  expect(await devnet.send(EVE, coin, brought)).toMatchObject({ status: '0x1' });
}
const take = async (from: Hex, amount: bigint) =>
  expect(await devnet.send(from, coin, calldata('transferFrom', [WALLET, from, amount]))).toMatchObject({
    status: '0x1',
  });

const findings = async (name: string): Promise<readonly Finding[]> =>
  (
    await cli.ask<{ findings: { finding: Finding }[] }>('findings', 'list', '--limit', '1000', ...place(name))
  ).findings.map(({ finding }) => finding);
const COMPARED = ['signed-spend', 'unsigned-spend', 'unclear-spend', 'vault-silent', 'sealed-spend', 'earlier-spends'];
const compared = async (name: string) => (await findings(name)).filter(({ detail }) => COMPARED.includes(detail.kind));

const start = (name: string) => monitors.start(name, ['--evm', `31337=${devnet.anvil.url}`]);

async function watch(name: string): Promise<void> {
  const watched = ['--evm', WALLET, '--chain', '31337', '--token', `${coin}:COIN:0`, '--birthday', String(birth)];
  await cli.ask('watch', 'add', 'hot', ...watched, ...place(name));
}
/** The block in which the account is seen first has to settle before its past is read to the end. */
async function readPast(name: string): Promise<void> {
  await mine(1);
  await vi.waitFor(async () => {
    const { evm } = await cli.ask<{ evm: { block: number | null }[] }>('watch', 'list', ...place(name));
    expect(evm[0]!.block).not.toBe(null);
  }, SLOW);
  await mine(12);
  await vi.waitFor(async () => {
    expect((await findings(name)).some(({ detail }) => detail.kind === 'evm-backfilled')).toBe(true);
  }, SLOW);
}

/** What the vault did not sign is told, as late; what it signed is not; and what it cannot know is counted. */
async function expectTold(name: string): Promise<void> {
  await vi.waitFor(async () => expect(await compared(name)).toHaveLength(4), SLOW);
  const told = await compared(name);
  const byKind = (kind: string) => told.filter(({ detail }) => detail.kind === kind);
  expect(byKind('earlier-spends')).toMatchObject([{ detail: { count: 2 } }]);
  expect(byKind('unsigned-spend')).toHaveLength(2);
  expect(byKind('unsigned-spend')).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        late: true,
        detail: expect.objectContaining({ how: 'transaction', why: 'no-permit', amount: '13', nonce: '3' }) as unknown,
      }),
      expect.objectContaining({
        late: true,
        detail: expect.objectContaining({ how: 'allowance', why: 'no-allowance', amount: '30' }) as unknown,
      }),
    ]),
  );
  // By no right of hers, and by what is left of another's it can be.
  expect(byKind('unclear-spend')).toMatchObject([{ late: true, detail: { why: 'other-caller', amount: '30' } }]);
}

beforeAll(async () => {
  [devnet, vault, cli] = await Promise.all([startDevnet('rights.sol'), startVault(), createCommandLine()]);
  monitors = createMonitorRuns(cli);
  coin = await devnet.create(ALICE, 'Coin');
  await devnet.anvil.call('anvil_setBalance', [WALLET, toHex(10n ** 20n)]);
  await devnet.send(ALICE, coin, calldata('mint', [WALLET, 10_000n]));
  birth = Number(await devnet.anvil.call('eth_blockNumber', [])) + 1;
  // From before the vault had the key.
  await steal(11n);
  await steal(12n);
  const { timestamp } = (await devnet.anvil.call('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex };

  // Within a minute the clocks of a chain and of a vault say nothing of what was first.
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan((Number(timestamp) + 62) * 1_000), SLOW);
  seated = await seatVault(vault, KEY, 2);
  const { owner, client, bot, wallet } = seated;
  const { operator } = owner;
  await operator.command('contract.register', {
    entry: {
      ...{ chain: CHAIN, address: coin, functions: [], name: 'Coin', standards: ['erc20', 'eip2612'] },
      ...{ symbol: 'COIN', decimals: 0 },
    },
  });
  const limit = (asset: string) => ({ type: 'volume', asset, limit: String(10n ** 18n), window: { seconds: 86_400 } });
  const types = [{ primaryType: 'Permit', where: [] }];
  for (const draft of [
    { kind: 'ether-transfer', recipients: 'any', constraints: [limit('native')] },
    { kind: 'typed-data', contract: coin, types, recipients: 'any', constraints: [limit(`erc20:${coin}`)] },
  ]) {
    await grant(operator, { client: bot, wallet, chain: CHAIN, ...draft } as unknown as GrantDraft);
  }

  const { raw } = await client.signTransaction({
    wallet,
    transaction: { chainId: 31_337, nonce: 2, to: BOB, value: 1n, ...FEES },
  });
  expect(await devnet.broadcast(toHex(raw))).toMatchObject({ status: '0x1' });
  await steal(13n);
  await bringPermit(BOB, 100n, 0n, 'vault');
  await take(BOB, 60n);
  await bringPermit(EVE, 30n, 1n, 'thief');
  await take(EVE, 30n);
  await mine(13);
}, 400_000);
afterAll(async () => {
  monitors?.killAll();
  await seated?.owner.connection.close();
  await vault?.stop();
  await devnet?.stop();
  await cli?.remove();
});

it('a past is compared with what the vault signed before, over a kill in the middle of it', T, async () => {
  await cli.ask('monitor', 'init', '--key', 'file', ...place('first'));
  await followVault(cli, seated, 'first');
  await watch('first');
  const monitor = await start('first');
  await readPast('first');
  await monitors.end(monitor, 'SIGKILL');
  await start('first');
  await expectTold('first');
  // What happens afterwards is told as ever.
  await steal(17n);
  await vi.waitFor(async () => {
    const found = (await compared('first')).filter(({ detail }) => detail.amount === '17');
    expect(found).toMatchObject([{ late: false, detail: { kind: 'unsigned-spend' } }]);
  }, SLOW);
  const ids = (await findings('first')).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(await cli.ask('findings', 'verify', ...place('first'))).toMatchObject({ sameState: true });
});

it('a vault that comes to be known after the past was read is asked about it as well', T, async () => {
  await cli.ask('monitor', 'init', '--key', 'file', ...place('second'));
  await watch('second');
  const monitor = await start('second');
  await readPast('second');
  expect(await compared('second')).toEqual([]);
  await followVault(cli, seated, 'second');
  await vi.waitFor(async () => {
    const kinds = (await compared('second')).map(({ detail }) => detail.kind);
    expect(kinds).toContain('unsigned-spend');
  }, SLOW);
  await monitors.end(monitor, 'SIGKILL');
  await start('second');
  // The theft of the first test is of the past for this monitor.
  await vi.waitFor(async () => expect(await compared('second')).toHaveLength(5), SLOW);
  const told = await compared('second');
  expect(told.filter(({ detail }) => detail.kind === 'earlier-spends')).toMatchObject([{ detail: { count: 2 } }]);
  const amounts = told.flatMap(({ detail, late }) => (detail.kind === 'unsigned-spend' ? [[detail.amount, late]] : []));
  expect(amounts.sort()).toEqual([
    ['13', true],
    ['17', true],
    ['30', true],
  ]);
  expect(await cli.ask('findings', 'verify', ...place('second'))).toMatchObject({ sameState: true });
});
