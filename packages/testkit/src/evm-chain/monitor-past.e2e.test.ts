import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Address } from '@keepwatch/evm';
import { encodeFunctionData, type Hex } from 'viem';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createCommandLine, type CommandLine } from '../../../cli/src/fixtures/command-line.ts';
import { startDevnet, type Devnet } from './devnet.ts';
import { startUpstream, type Call, type UpstreamEndpoint } from './upstream-endpoint.ts';

/** An account with a past is added to a monitor that runs, which is killed while it reads it. By the real command. */

const OWNER: Address = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const ALICE: Address = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const BOB: Address = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const SLOW = { timeout: 120_000, interval: 250 };
/** More than one piece holds. */
const PAYMENTS = 280;

interface Past {
  readonly from: number;
  readonly entries: number;
  readonly stateMissingBefore: number | null;
  readonly scan: { readonly height: number | null; readonly done: number; readonly total: number | null } | null;
}
interface Shown {
  readonly balance: string;
  readonly nonce: string;
  readonly past: Past;
  readonly allowances: readonly { readonly spender: string; readonly amount: string }[];
}
interface Entry {
  readonly id: string;
  readonly detail: { readonly kind: string; readonly amount: string };
}

let cli: CommandLine;
let devnet: Devnet;
let upstreams: UpstreamEndpoint[];
let token: Address;
let monitor: ChildProcess | undefined;

const at = () => ['--data', join(cli.directory, 'monitor')];
const ask = <T>(...args: readonly string[]) => cli.ask<T>(...args);
const mine = (blocks: number) => devnet.anvil.call('anvil_mine', [`0x${blocks.toString(16)}`]);
const tip = async () => Number(await devnet.anvil.call('eth_blockNumber', []));
const calldata = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: devnet.contracts['Token']!.abi, functionName, args } as never);
const shown = () => ask<Shown>('watch', 'show', 'Hot', ...at());
const told = async () => {
  const { findings } = await ask<{
    findings: { finding: { readonly id: string; readonly detail: { kind: string; amount?: string } } }[];
  }>('findings', 'list', '--wallet', 'hot', '--limit', '1000', ...at());
  return findings.map(({ finding }) => finding);
};

async function start(): Promise<void> {
  const sources = upstreams.flatMap(({ url }) => ['--evm', `31337=${url}`]);
  const child = cli.start('--json', 'monitor', 'run', ...at(), ...sources, '--network', 'regtest');
  const { value } = await createInterface({ input: child.stdout! })[Symbol.asyncIterator]().next();
  expect(JSON.parse(value as string)).toMatchObject({ event: 'running' });
  monitor = child;
}
async function kill(): Promise<void> {
  const ended = once(monitor!, 'exit');
  monitor!.kill('SIGKILL');
  await ended;
  monitor = undefined;
}

beforeAll(async () => {
  cli = await createCommandLine();
  devnet = await startDevnet('watched.sol');
  upstreams = [await startUpstream(devnet.anvil.url), await startUpstream(devnet.anvil.url)];
  token = await devnet.create(ALICE, 'Token');
  await devnet.send(ALICE, token, calldata('mint', [OWNER, 5_000_000n]));
}, 180_000);
afterAll(async () => {
  monitor?.kill('SIGKILL');
  for (const each of upstreams ?? []) await each.stop();
  await devnet?.stop();
  await cli?.remove();
});

it(
  'reads the past of an account that is added, with progress, across kill -9, while what happens now is told',
  { timeout: 600_000 },
  async () => {
    const birth = (await tip()) + 1;
    for (let n = 1; n <= PAYMENTS; n++) await devnet.send(ALICE, OWNER, '0x', BigInt(n));
    await devnet.send(OWNER, token, calldata('approve', [BOB, 2_000_000n]));
    await devnet.send(BOB, token, calldata('transferFrom', [OWNER, ALICE, 500_000n]));

    await ask('monitor', 'init', '--network', 'regtest', '--key', 'file', ...at());
    await start();
    const born = ['--birthday', String(birth)];
    const about = ['--evm', OWNER, '--chain', '31337', '--token', `${token}:TOK:6`];
    await ask('watch', 'add', 'Hot', ...about, ...born, ...at());
    await mine(1);
    await vi.waitFor(async () => expect((await shown()).balance).not.toBeNull(), SLOW);
    // Of blocks in the middle of it nothing is said yet.
    const [held, end] = [birth + PAYMENTS - 20, birth + PAYMENTS];
    const isHeld = ({ method, params: [number] }: Call) =>
      method === 'eth_getBlockByNumber' && Number(number) >= held && Number(number) <= end;
    for (const each of upstreams) each.manners = { kind: 'holds', held: isHeld };
    // The block in which it was seen first is settled.
    await mine(12);
    await vi.waitFor(async () => {
      const { past } = await shown();
      expect(past.entries).toBeGreaterThan(0);
      expect(past.scan).toMatchObject({ total: expect.any(Number) as number });
      expect(past.scan!.done).toBeLessThan(past.scan!.total!);
    }, SLOW);
    // What happens meanwhile is news, and is told while the past is still being read.
    await devnet.send(OWNER, BOB, '0x', 777n);
    // It may have been seen outside blocks too.
    const isLive = ({ detail }: { readonly detail: { kind: string; amount?: string } }) =>
      detail.kind === 'evm-spent' && detail.amount === '777';
    await vi.waitFor(async () => {
      expect((await told()).filter(isLive)).toHaveLength(1);
    }, SLOW);
    expect((await shown()).past.scan).not.toBeNull();
    await kill();
    for (const each of upstreams) each.manners = { kind: 'honest' };
    await start();
    await vi.waitFor(async () => expect((await shown()).past.scan).toBeNull(), SLOW);

    const { past } = await shown();
    expect(past).toMatchObject({ from: birth, entries: PAYMENTS + 3, stateMissingBefore: null });
    const rows = await ask<{ past: { seq: number; entries: Entry[] }[] }>(
      'watch',
      'past',
      'Hot',
      '--limit',
      '1000',
      ...at(),
    );
    const entries = rows.past.flatMap((row) => row.entries);
    const amounts = entries.filter(({ detail }) => detail.kind === 'evm-received').map(({ detail }) => detail.amount);
    expect(amounts).toEqual(Array.from({ length: PAYMENTS }, (_, i) => String(i + 1)));
    expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
    // The end of it, a page at a time.
    const page = await ask<{ past: { seq: number; entries: Entry[] }[] }>(
      'watch',
      'past',
      'Hot',
      '--limit',
      '1',
      ...at(),
    );
    expect(page.past).toEqual(rows.past.slice(-1));
    const before = String(page.past[0]!.seq);
    const more = await ask<typeof page>('watch', 'past', 'Hot', '--limit', '1', '--before', before, ...at());
    expect(more.past).toEqual(rows.past.slice(-2, -1));

    // None of the past is news but for its end, and nothing is both.
    const findings = await told();
    expect(findings.filter(({ detail }) => detail.kind === 'evm-backfilled')).toHaveLength(1);
    expect(findings.filter(({ detail }) => detail.kind === 'evm-received')).toEqual([]);
    expect(findings.filter(({ id }) => entries.some((entry) => entry.id === id))).toEqual([]);
    // What others may take is known of the past, as it is now.
    await mine(1);
    await vi.waitFor(async () => {
      expect((await shown()).allowances).toMatchObject([{ spender: BOB, amount: '1500000' }]);
    }, SLOW);
    expect((await shown()).balance).toBe(String(await devnet.balance(OWNER)));
    await expect(ask('findings', 'verify', ...at())).resolves.toMatchObject({ sameState: true });
  },
);
