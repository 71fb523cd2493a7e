import { fromHex } from '@keepwatch/base';
import { encodeAuthorization } from '@keepwatch/evm';
import type { GrantDraft } from '@keepwatch/protocol';
import type { Client } from '@keepwatch/sdk';
import {
  encodeFunctionData,
  hashTypedData,
  keccak256,
  maxUint256,
  pad,
  parseSignature,
  serializeTransaction,
  toHex,
  type Hex,
  type SignedAuthorization,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createCommandLine, type CommandLine } from '../../../cli/src/fixtures/command-line.ts';
import { createMonitorRuns, type MonitorRuns } from '../../../cli/src/fixtures/monitor-runs.ts';
import { grant, startVault, type VaultProcess } from '../world/index.ts';
import { startDevnet, type Devnet } from './devnet.ts';
import { CHAIN, followVault, seatVault, type SeatedVault } from './watched-vault.ts';

/**
 * Rights that others use: signed by a real vault, used on a real chain by somebody else, and compared by a real monitor. The
 * thief has the key as well, so that what he signs is as good on the chain as what the vault signed.
 */

const KEY: Hex = `0x${'5c'.repeat(32)}`;
const thief = privateKeyToAccount(KEY);
const WALLET = thief.address.toLowerCase() as Hex;
const ALICE: Hex = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const BOB: Hex = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const EVE: Hex = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const PERMIT2: Hex = '0x000000000022d473030f116ddee9f6b43ac78ba3';
const FAR = 4_000_000_000n;
const SLOW = { timeout: 120_000, interval: 500 };
const FEES = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n } as const;

let devnet: Devnet;
let vault: VaultProcess;
let seated: SeatedVault;
let client: Client;
let cli: CommandLine;
let monitors: MonitorRuns;
let wallet: string;
const at: Record<string, Hex> = {};

const calldata = (contract: string, functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: devnet.contracts[contract]!.abi, functionName, args } as never);
const place = () => ['--data', `${cli.directory}/monitor`];

interface Detail {
  readonly kind: string;
  readonly how?: string;
  readonly why?: string;
  readonly by?: string;
  readonly amount?: string;
  readonly token?: string | null;
}
const details = async (): Promise<readonly Detail[]> =>
  (
    await cli.ask<{ findings: { finding: { detail: Detail } }[] }>('findings', 'list', '--limit', '1000', ...place())
  ).findings.map(({ finding }) => finding.detail);

const VERDICTS = ['signed-spend', 'unsigned-spend', 'unclear-spend', 'vault-silent'];
let judged = 0;
/** What the monitor says of the next spends, in the order in which it says it. */
async function verdicts(count: number): Promise<readonly Detail[]> {
  return vi.waitFor(async () => {
    const found = (await details()).filter(({ kind }) => VERDICTS.includes(kind));
    expect(found.length).toBeGreaterThanOrEqual(judged + count);
    const fresh = found.slice(judged);
    judged = found.length;
    return fresh;
  }, SLOW);
}

/** Past the vault. */
async function steal(to: Hex, data: Hex): Promise<void> {
  const nonce = await devnet.nonce(WALLET);
  const raw = await thief.signTransaction({
    ...{ type: 'eip1559', chainId: 31_337, nonce, gas: 200_000n, to, value: 0n, data, ...FEES },
  });
  expect(await devnet.broadcast(raw)).toMatchObject({ status: '0x1' });
}

const parts = (signature: Hex) => {
  const { v, r, s } = parseSignature(signature);
  return [v, r, s] as const;
};
/** By the vault, or by whoever else has the key. */
async function sign(data: object, by: 'vault' | 'thief'): Promise<readonly [bigint | undefined, Hex, Hex]> {
  if (by === 'thief') return parts(await thief.signTypedData(data as never));
  const typedData = JSON.stringify(data, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  const { signature } = await client.signTypedData({
    ...{ wallet, chain: CHAIN, typedData, digest: hashTypedData(data as never) },
  });
  return parts(signature as Hex);
}

const EIP712Domain = ['name string', 'version string', 'chainId uint256', 'verifyingContract address'];
const fields = (lines: readonly string[]) =>
  lines.map((line) => ({ name: line.split(' ')[0]!, type: line.split(' ')[1]! }));

function permitOf(spender: Hex, value: bigint, nonce: bigint) {
  const Permit = ['owner address', 'spender address', 'value uint256', 'nonce uint256', 'deadline uint256'];
  return {
    types: { EIP712Domain: fields(EIP712Domain), Permit: fields(Permit) },
    primaryType: 'Permit',
    domain: { name: 'Coin', version: '1', chainId: 31_337, verifyingContract: at['Coin']! },
    message: { owner: WALLET, spender, value, nonce, deadline: FAR },
  };
}
async function bringPermit(spender: Hex, value: bigint, nonce: bigint, by: 'vault' | 'thief'): Promise<void> {
  const signed = await sign(permitOf(spender, value, nonce), by);
  const data = calldata('Coin', 'permit', [WALLET, spender, value, FAR, ...signed]);
  expect(await devnet.send(EVE, at['Coin']!, data)).toMatchObject({ status: '0x1' });
}
const take = async (from: Hex, amount: bigint) => {
  const data = calldata('Coin', 'transferFrom', [WALLET, from, amount]);
  expect(await devnet.send(from, at['Coin']!, data)).toMatchObject({ status: '0x1' });
};

beforeAll(async () => {
  [devnet, vault, cli] = await Promise.all([startDevnet('rights.sol'), startVault(), createCommandLine()]);
  monitors = createMonitorRuns(cli);
  for (const name of ['Coin', 'Lender', 'Market', 'Purse', 'Desk', 'Relay']) {
    at[name] = await devnet.create(ALICE, name);
  }
  at['Relayer'] = toHex(await devnet.read(at['Market']!, calldata('Market', 'relayer', [])), { size: 20 });
  at['Safe'] = await devnet.create(ALICE, 'Safe', pad(WALLET));
  // At the one address at which wallets and vaults know it.
  await devnet.anvil.call('anvil_setCode', [PERMIT2, await devnet.anvil.call('eth_getCode', [at['Lender'], 'latest'])]);
  await devnet.anvil.call('anvil_setBalance', [WALLET, toHex(10n ** 20n)]);
  await devnet.send(ALICE, at['Coin']!, calldata('Coin', 'mint', [WALLET, 10_000n]));
  // From before the vault had the key: Permit2, the market's relayer and the Safe may take anything.
  for (const spender of [PERMIT2, at['Relayer'], at['Safe']]) {
    await steal(at['Coin']!, calldata('Coin', 'approve', [spender, maxUint256]));
  }

  seated = await seatVault(vault, KEY, 3);
  ({ client, wallet } = seated);
  const { operator } = seated.owner;
  const register = (address: Hex, entry: object) =>
    operator.command('contract.register', { entry: { chain: CHAIN, address, functions: [], ...entry } as never });
  await register(at['Coin']!, {
    name: 'Coin',
    standards: ['erc20', 'eip2612', 'multicall'],
    symbol: 'COIN',
    decimals: 0,
  });
  await register(at['Market']!, { name: 'Market', standards: ['cow-settlement'] });
  await register(at['Safe'], { name: 'Safe', standards: ['safe'] });
  await register(PERMIT2, { name: 'Permit2', standards: ['permit2'] });
  const asset = `erc20:${at['Coin']!}`;
  const volume = { type: 'volume', asset, limit: '1000000', window: { seconds: 86_400 } };
  const allowed = [
    { contract: at['Coin']!, primaryType: 'Permit' },
    { contract: PERMIT2, primaryType: 'PermitSingle' },
    { contract: at['Market']!, primaryType: 'Order' },
  ].map(({ contract, primaryType }) => ({
    ...{ kind: 'typed-data', contract, types: [{ primaryType, where: [] }], recipients: 'any' },
    constraints: [volume],
  }));
  const delegation = {
    ...{ kind: 'delegation', delegates: [at['Purse']] },
    acknowledge: 'the delegate controls the whole wallet on this chain',
    constraints: [{ type: 'count', limit: 5, window: { ever: true } }],
  };
  const tokens = {
    ...{ kind: 'token-transfer', assets: [{ asset }], routes: ['approve', 'transfer-from'], recipients: 'any' },
    ...{ spenders: 'any', accounts: [at['Safe']] },
    constraints: [volume, { ...volume, asset: 'native', limit: String(10n ** 18n) }],
  };
  for (const draft of [...allowed, delegation, tokens]) {
    await grant(operator, { client: seated.bot, wallet, chain: CHAIN, ...draft } as unknown as GrantDraft);
  }

  await cli.ask('monitor', 'init', '--key', 'file', ...place());
  const watched = ['--evm', WALLET, '--chain', '31337', '--token', `${at['Coin']!}:COIN:0`];
  await cli.ask('watch', 'add', 'hot', ...watched, ...place());
  await followVault(cli, seated, 'monitor');
  await monitors.start('monitor', ['--evm', `31337=${devnet.anvil.url}`]);
  await devnet.anvil.call('anvil_mine', ['0x1']);
  await vi.waitFor(async () => {
    const { vaults } = await cli.ask<{ vaults: object[] }>('monitor', 'vault', 'list', ...place());
    expect(vaults).toMatchObject([{ phase: 'unsealed', wallets: [{ address: WALLET }] }]);
    const { evm } = await cli.ask<{ evm: { block: number | null }[] }>('watch', 'list', ...place());
    expect(evm[0]!.block).not.toBe(null);
  }, SLOW);
}, 300_000);
afterAll(async () => {
  monitors?.killAll();
  await seated?.owner.connection.close();
  await vault?.stop();
  await devnet?.stop();
  await cli?.remove();
});

const T = { timeout: 300_000 };

it('a permit that the vault signed and others brought and used is explained, and no more than it', T, async () => {
  await bringPermit(BOB, 100n, 0n, 'vault');
  expect(await verdicts(1)).toMatchObject([{ kind: 'signed-spend', by: 'right', amount: '100' }]);
  await take(BOB, 60n);
  expect(await verdicts(1)).toMatchObject([{ kind: 'signed-spend', by: 'right', amount: '60' }]);
  // The thief raises what the same spender may take: neither that nor what is taken by it was signed.
  await bringPermit(BOB, 500n, 1n, 'thief');
  expect(await verdicts(1)).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed', amount: '500' }]);
  await take(BOB, 300n);
  expect(await verdicts(1)).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed', amount: '300' }]);
});

it('a permit that the vault did not sign is an alarm, and so is what is taken by it', T, async () => {
  await bringPermit(EVE, 30n, 2n, 'thief');
  expect(await verdicts(1)).toMatchObject([{ kind: 'unsigned-spend', why: 'no-allowance', amount: '30' }]);
  await take(EVE, 30n);
  // By no right of hers; that it was by what is left of another's cannot be excluded.
  expect(await verdicts(1)).toMatchObject([{ kind: 'unclear-spend', why: 'other-caller', amount: '30' }]);
});

it('an order that the vault signed is explained, whoever fills it; one that it did not sign is not', T, async () => {
  const strings = ['kind string', 'partiallyFillable bool', 'sellTokenBalance string', 'buyTokenBalance string'];
  const Order = [
    ...['sellToken address', 'buyToken address', 'receiver address', 'sellAmount uint256', 'buyAmount uint256'],
    ...['validTo uint32', 'appData bytes32', 'feeAmount uint256', ...strings],
  ];
  const orderOf = (sellAmount: bigint) => ({
    types: { EIP712Domain: fields(EIP712Domain), Order: fields(Order) },
    primaryType: 'Order',
    domain: { name: 'Market', version: '1', chainId: 31_337, verifyingContract: at['Market']! },
    message: {
      ...{ sellToken: at['Coin']!, buyToken: BOB, receiver: WALLET, sellAmount, buyAmount: 1n, validTo: Number(FAR) },
      ...{ appData: toHex(7n, { size: 32 }), feeAmount: 0n, kind: 'sell', partiallyFillable: true },
      ...{ sellTokenBalance: 'erc20', buyTokenBalance: 'erc20' },
    },
  });
  const fill = async (sellAmount: bigint, by: 'vault' | 'thief') => {
    const order = orderOf(sellAmount);
    const signed = await sign(order, by);
    const hashed = Object.fromEntries(
      Object.entries(order.message).map(([name, value]) =>
        ['kind', 'sellTokenBalance', 'buyTokenBalance'].includes(name)
          ? [name, keccak256(toHex(String(value)))]
          : [name, value],
      ),
    );
    const data = calldata('Market', 'fill', [hashed, WALLET, sellAmount, ...signed]);
    expect(await devnet.send(EVE, at['Market']!, data)).toMatchObject({ status: '0x1' });
  };
  await fill(200n, 'vault');
  expect(await verdicts(1)).toMatchObject([{ kind: 'signed-spend', by: 'right', amount: '200' }]);
  await fill(900n, 'thief');
  expect(await verdicts(1)).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed', amount: '900' }]);
});

it('what Permit2 lends is explained until it ends', T, async () => {
  const now = BigInt(Math.floor(Date.now() / 1_000));
  const expiration = now + 3_600n;
  const PermitDetails = ['token address', 'amount uint160', 'expiration uint48', 'nonce uint48'];
  const details = { token: at['Coin']!, amount: 400n, expiration: Number(expiration), nonce: 0 };
  const data = {
    types: {
      EIP712Domain: fields(EIP712Domain.filter((line) => !line.startsWith('version'))),
      PermitSingle: fields(['details PermitDetails', 'spender address', 'sigDeadline uint256']),
      PermitDetails: fields(PermitDetails),
    },
    primaryType: 'PermitSingle',
    domain: { name: 'Permit2', chainId: 31_337, verifyingContract: PERMIT2 },
    message: { details, spender: EVE, sigDeadline: FAR },
  };
  const signed = await sign(data, 'vault');
  await devnet.send(BOB, PERMIT2, calldata('Lender', 'permit', [WALLET, details, EVE, FAR, ...signed]));
  const lend = calldata('Lender', 'transferFrom', [WALLET, EVE, 150n, at['Coin']!]);
  expect(await devnet.send(EVE, PERMIT2, lend)).toMatchObject({ status: '0x1' });
  expect(await verdicts(1)).toMatchObject([{ kind: 'signed-spend', by: 'right', amount: '150' }]);
  await devnet.anvil.call('evm_setNextBlockTimestamp', [Number(expiration + 60n)]);
  expect(await devnet.send(EVE, PERMIT2, lend)).toMatchObject({ status: '0x1' });
  expect(await verdicts(1)).toMatchObject([{ kind: 'unsigned-spend', why: 'expired', amount: '150' }]);
});

it(
  'an approval within calls of the token is read, and so is who takes by it, but not through further contracts',
  T,
  async () => {
    const nonce = Number(await devnet.anvil.call('eth_getTransactionCount', [WALLET, 'latest']));
    const inner = calldata('Coin', 'approve', [at['Desk'], 100n]);
    const transaction = {
      ...({ type: 'eip1559', chainId: 31_337, nonce, gas: 200_000n, to: at['Coin']!, value: 0n, ...FEES } as const),
      data: calldata('Coin', 'multicall', [[inner]]),
    };
    const signed = await client.signTransaction({
      ...{ wallet, chain: CHAIN, transaction: fromHex(serializeTransaction(transaction))! },
    });
    expect(await devnet.broadcast(toHex(signed.raw))).toMatchObject({ status: '0x1' });
    // The transaction and the approval in it are one.
    expect(await verdicts(1)).toMatchObject([{ kind: 'signed-spend', how: 'transaction', by: 'bytes' }]);
    const collect = (amount: bigint) => [at['Coin'], WALLET, EVE, amount];
    await devnet.send(EVE, at['Desk']!, calldata('Desk', 'collect', collect(60n)));
    expect(await verdicts(1)).toMatchObject([{ kind: 'signed-spend', how: 'allowance', by: 'right', amount: '60' }]);
    await devnet.send(EVE, at['Relay']!, calldata('Relay', 'collect', [at['Desk'], ...collect(40n)]));
    expect(await verdicts(1)).toMatchObject([{ kind: 'unclear-spend', why: 'other-caller', amount: '40' }]);
  },
);

it('what a Safe takes of the account is explained once where the vault signed that for it', T, async () => {
  const SafeTx = [
    ...['to address', 'value uint256', 'data bytes', 'operation uint8', 'safeTxGas uint256', 'baseGas uint256'],
    ...['gasPrice uint256', 'gasToken address', 'refundReceiver address', 'nonce uint256'],
  ];
  const ZERO = pad('0x', { size: 20 });
  const exec = async (amount: bigint, nonce: bigint, by: 'vault' | 'thief') => {
    const inner = calldata('Coin', 'transferFrom', [WALLET, BOB, amount]);
    const signed = await sign(
      {
        types: {
          EIP712Domain: fields(['chainId uint256', 'verifyingContract address']),
          SafeTx: fields(SafeTx),
        },
        primaryType: 'SafeTx',
        domain: { chainId: 31_337, verifyingContract: at['Safe']! },
        message: {
          ...{ to: at['Coin']!, value: 0n, data: inner, operation: 0, safeTxGas: 0n, baseGas: 0n, gasPrice: 0n },
          ...{ gasToken: ZERO, refundReceiver: ZERO, nonce },
        },
      },
      by,
    );
    const data = calldata('Safe', 'exec', [at['Coin'], inner, ...signed]);
    expect(await devnet.send(EVE, at['Safe']!, data)).toMatchObject({ status: '0x1' });
  };
  // The Safe pays on what it takes: whoever brings it.
  await exec(7_001n, 0n, 'vault');
  expect(await verdicts(1)).toMatchObject([{ kind: 'signed-spend', by: 'right', amount: '7001' }]);
  await exec(1_001n, 1n, 'thief');
  expect(await verdicts(1)).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed', amount: '1001' }]);
});

it('a delegation that the vault signed explains that one, and none that comes after it', T, async () => {
  const helper = privateKeyToAccount('0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6');
  const bring = async (authorization: SignedAuthorization) =>
    expect(await devnet.delegate(helper, authorization)).toMatchObject({ status: '0x1' });
  const nonce = await devnet.nonce(WALLET);
  const authorization = encodeAuthorization({ chainId: 31_337, address: at['Purse']!, nonce });
  const { signature } = await client.signAuthorization({ wallet, chain: CHAIN, authorization });
  const { r, s, yParity } = parseSignature(signature as Hex);
  await bring({ address: at['Purse']!, chainId: 31_337, nonce, r, s, yParity });
  expect(await verdicts(1)).toMatchObject([{ kind: 'signed-spend', how: 'delegation', by: 'delegation' }]);
  // What its code does goes by it.
  await devnet.send(EVE, WALLET, calldata('Purse', 'pay', [EVE, 5n]));
  expect(await verdicts(1)).toMatchObject([{ kind: 'signed-spend', by: 'delegation', amount: '5' }]);
  const other = { chainId: 31_337, contractAddress: at['Market']!, nonce: nonce + 1 };
  await bring(await thief.signAuthorization(other));
  expect(await verdicts(1)).toMatchObject([{ kind: 'unsigned-spend', how: 'delegation', why: 'no-permit' }]);
  // Back to the code that was signed once, and by nobody's leave.
  await bring(await thief.signAuthorization({ chainId: 31_337, contractAddress: at['Purse']!, nonce: nonce + 2 }));
  expect(await verdicts(1)).toMatchObject([{ kind: 'unsigned-spend', how: 'delegation', why: 'no-permit' }]);
});
