import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '@keepwatch/base';
import type { GrantDraft } from '@keepwatch/protocol';
import { serializeTransaction, toHex, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createCommandLine, type CommandLine } from '../../../cli/src/fixtures/command-line.ts';
import { createMonitorRuns, type MonitorRuns, type RunningDaemon } from '../../../cli/src/fixtures/monitor-runs.ts';
import { startAnvil, type Anvil } from '../../../cli/src/story/anvil.ts';
import { grant, startVault, type VaultProcess } from '../world/index.ts';
import { CHAIN, followVault, seatVault, type SeatedVault } from './watched-vault.ts';

/**
 * A spend before any block has it: a real vault and a thief who has its key, a chain that makes blocks when it is told to,
 * and a monitor that is killed between any two steps.
 */

const KEY: Hex = `0x${'6d'.repeat(32)}`;
const thief = privateKeyToAccount(KEY);
const WALLET = thief.address.toLowerCase() as Hex;
const BOB: Hex = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const EVE: Hex = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const GWEI = 10n ** 9n;
const SLOW = { timeout: 180_000, interval: 500 };

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly evidence: { readonly grade?: string; readonly evm?: { readonly txHash?: string; readonly block?: object } };
  readonly detail: { readonly kind: string } & Readonly<Record<string, unknown>>;
}

let anvil: Anvil;
let vault: VaultProcess;
let seated: SeatedVault;
let cli: CommandLine;
let monitors: MonitorRuns;
let monitor: RunningDaemon;

const place = () => ['--data', join(cli.directory, 'monitor')];
const findings = async () =>
  (await cli.ask<{ findings: { finding: Finding }[] }>('findings', 'list', '--limit', '1000', ...place())).findings.map(
    ({ finding }) => finding,
  );
const about = async (txHash: string) => (await findings()).filter(({ evidence }) => evidence.evm?.txHash === txHash);
/** Of one transaction, in order, once they are these. */
const told = (txHash: string, kinds: readonly string[]) =>
  vi.waitFor(async () => {
    const found = await about(txHash);
    expect(found.map(({ detail }) => detail.kind).sort()).toEqual([...kinds].sort());
    return found;
  }, SLOW);

async function start(): Promise<void> {
  const config = ['--config', join(cli.directory, 'chain.json')];
  monitor = await monitors.start('monitor', config);
}
const kill = () => monitors.end(monitor, 'SIGKILL');
const nonce = async () => Number(await anvil.call('eth_getTransactionCount', [WALLET, 'latest']));
const mine = (blocks = 1) => anvil.call('anvil_mine', [toHex(blocks)]);
const send = (raw: Hex) => anvil.call('eth_sendRawTransaction', [raw]) as Promise<Hex>;
const of = (to: Hex, its: number, gwei: bigint) => ({
  ...{ type: 'eip1559', chainId: 31_337, nonce: its, gas: 21_000n, to, value: 5n },
  ...{ maxFeePerGas: gwei * GWEI, maxPriorityFeePerGas: GWEI },
});

/** By the vault. */
async function sign(to: Hex, its: number, gwei: bigint): Promise<Hex> {
  const transaction = fromHex(serializeTransaction(of(to, its, gwei) as never))!;
  const { raw } = await seated.client.signTransaction({ wallet: seated.wallet, chain: CHAIN, transaction });
  return `0x${Buffer.from(raw).toString('hex')}`;
}
/** Past the vault. */
const steal = async (its: number, gwei: bigint) =>
  send(await thief.signTransaction({ ...of(EVE, its, gwei), maxPriorityFeePerGas: 5n * GWEI } as never));

beforeAll(async () => {
  [vault, cli] = await Promise.all([startVault(), createCommandLine()]);
  monitors = createMonitorRuns(cli);
  anvil = await startAnvil({ PATH: process.env['PATH'], HOME: cli.directory });
  await anvil.call('anvil_setBalance', [WALLET, toHex(10n ** 20n)]);
  await anvil.call('evm_setAutomine', [false]);

  seated = await seatVault(vault, KEY, 0);
  const { owner, bot, wallet } = seated;
  const volume = { type: 'volume', asset: 'native', limit: (10n ** 18n).toString(), window: { seconds: 86_400 } };
  const draft = { kind: 'ether-transfer', recipients: [BOB], constraints: [volume] };
  await grant(owner.operator, { client: bot, wallet, chain: CHAIN, ...draft } as unknown as GrantDraft);

  const upstream = { name: 'own', url: anvil.url, websocket: anvil.url.replace('http:', 'ws:') };
  const evm = [{ chainId: 31_337, upstreams: [upstream], pollSeconds: 0.5, pendingSeconds: 0.5, evictSeconds: 2 }];
  writeFileSync(join(cli.directory, 'chain.json'), JSON.stringify({ network: 'regtest', sources: [], evm }));
  await cli.ask('monitor', 'init', '--network', 'regtest', '--key', 'file', ...place());
  await cli.ask('watch', 'add', 'hot', '--evm', WALLET, '--chain', '31337', ...place());
  await followVault(cli, seated, 'monitor');
  await start();
  await mine();
  await vi.waitFor(async () => {
    const { vaults } = await cli.ask<{ vaults: object[] }>('monitor', 'vault', 'list', ...place());
    expect(vaults).toMatchObject([{ phase: 'unsealed', wallets: [{ address: WALLET }] }]);
    const { evm: accounts } = await cli.ask<{ evm: { block: number | null }[] }>('watch', 'list', ...place());
    expect(accounts[0]!.block).not.toBe(null);
  }, SLOW);
}, 300_000);
afterAll(async () => {
  monitors?.killAll();
  await seated?.owner.connection.close();
  await vault?.stop();
  await anvil?.process.stop();
  await cli?.remove();
});

it(
  'the vault’s spend is explained and the thief’s is an alarm before any block, once over kill -9',
  { timeout: 500_000 },
  async () => {
    const its = await nonce();
    const own = await send(await sign(BOB, its, 20n));
    await kill();
    await start();
    const [sighted] = await told(own, ['evm-sighted', 'signed-spend']);
    expect(sighted).toMatchObject({
      evidence: { grade: 'valid' },
      detail: { kind: 'evm-sighted', direction: 'spent' },
    });
    expect((await about(own))[1]).toMatchObject({ severity: 'info', detail: { by: 'bytes' } });
    await kill();

    // Whoever has the key pays more for the same nonce.
    const stolen = await steal(its, 60n);
    await start();
    await told(own, ['evm-sighted', 'signed-spend', 'evm-replaced']);
    const alarm = (await told(stolen, ['evm-sighted', 'unsigned-spend'])).at(-1)!;
    expect(alarm).toMatchObject({ severity: 'critical', detail: { kind: 'unsigned-spend', why: 'other-bytes' } });
    expect(alarm.evidence.evm).not.toHaveProperty('block');
    expect(await nonce()).toBe(its);
    await kill();
    await start();
    const { outsideBlocks } = await cli.ask<{ outsideBlocks: { transactions: object[] } }>(
      ...['watch', 'show', 'hot', ...place()],
    );
    // The one that was replaced is forgotten as soon as nobody shows it.
    expect(outsideBlocks.transactions.at(-1)).toMatchObject({ hash: stolen, direction: 'spent', grade: 'valid' });
    await kill();

    await mine();
    await start();
    await told(stolen, ['evm-sighted', 'unsigned-spend', 'evm-spent']);
    await kill();
    await mine(2);
    await start();

    // Dropped before a block has it: the key was used all the same.
    const second = await steal(its + 1, 20n);
    await told(second, ['evm-sighted', 'unsigned-spend']);
    await kill();
    await anvil.call('anvil_dropTransaction', [second]);
    await start();
    await told(second, ['evm-sighted', 'unsigned-spend', 'evm-evicted']);
    await kill();
    await start();
    await mine();
    await vi.waitFor(async () => {
      const { evm } = await cli.ask<{ evm: { block: number }[] }>('watch', 'list', ...place());
      expect(evm[0]!.block).toBe(Number(await anvil.call('eth_blockNumber', [])));
    }, SLOW);

    await told(own, ['evm-sighted', 'signed-spend', 'evm-replaced']);
    await told(stolen, ['evm-sighted', 'unsigned-spend', 'evm-spent']);
    await told(second, ['evm-sighted', 'unsigned-spend', 'evm-evicted']);
    const all = await findings();
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(all.filter(({ detail }) => detail.kind === 'unsigned-spend')).toHaveLength(2);
    await expect(cli.ask('findings', 'verify', ...place())).resolves.toMatchObject({ sameState: true });

    const { evm } = await cli.ask<{ evm: { upstreams: { pending: string[] }[] }[] }>('monitor', 'status', ...place());
    expect(evm[0]!.upstreams[0]!.pending).toContain('stream');
  },
);
