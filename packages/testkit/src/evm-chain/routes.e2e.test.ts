import type { Json, Wei } from '@keepwatch/base';
import {
  addEntry,
  createStandardBook,
  createStandards,
  emptyRegistry,
  formatFunction,
  intentOfTransaction,
  intentOfTypedData,
  parseArtefact,
  readTypedData,
  type Address,
  type ContractEntry,
  type Intent,
  type IntentContext,
  type Registry,
} from '@keepwatch/evm';
import { encodeAbiParameters, encodeFunctionData, hexToBytes, keccak256, maxUint256, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from './devnet.ts';

// What an intent says that leaves, leaves on a real chain, and nothing else does. Calldata is written by viem.

const CHAIN = 'eip155:31337';
const keccak = (bytes: Uint8Array) => keccak256(bytes, 'bytes');
/** The first of anvil's published keys; anvil holds those of all its accounts. */
const signer = privateKeyToAccount('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const WALLET = signer.address.toLowerCase() as Address;
const ALICE: Address = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const BOB: Address = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const NOBODY: Address = `0x${'0'.repeat(40)}`;

let devnet: Devnet;
let registry: Registry;
const at: Record<string, Address> = {};

const send: Devnet['send'] = (...args) => devnet.send(...args);
const read: Devnet['read'] = (...args) => devnet.read(...args);

const calldata = (contract: string, functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: devnet.contracts[contract]!.abi, functionName, args } as never);

beforeAll(async () => {
  devnet = await startDevnet();
  const create = async (name: string, args?: Hex) => (at[name] = await devnet.create(ALICE, name, args));
  await create('Coin');
  await create('Wrapped');
  await create('Batch');
  const coin = encodeAbiParameters([{ type: 'address' }], [at['Coin']!]);
  await create('Vault', coin);
  await create('Unknown', coin);
  for (const account of [WALLET, ALICE, at['Batch']!]) {
    await send(ALICE, at['Coin']!, calldata('Coin', 'mint', [account, 1000n]));
  }

  registry = emptyRegistry(createStandardBook(createStandards(keccak), keccak));
  const register = (name: string, standards: readonly string[], more: Partial<ContractEntry> = {}) => {
    // The compiler's own output is what an operator brings.
    const abi = parseArtefact(devnet.output, keccak, name);
    if (!abi.ok) throw new Error(abi.error);
    const functions = abi.value.functions.map(formatFunction);
    const entry = { chain: CHAIN, address: at[name]!, name, standards, functions, ...more };
    const added = addEntry(registry, entry, keccak);
    if (!added.ok) throw new Error(`${name}: ${added.error.code} ${added.error.about}`);
    registry = added.value;
  };
  register('Coin', ['erc20', 'eip2612', 'erc20-burnable', 'multicall'], { decimals: 6, symbol: 'COIN' });
  register('Wrapped', ['weth']);
  register('Batch', ['multicall3']);
  register('Vault', ['erc4626'], { underlying: at['Coin']! });
}, 120_000);

afterAll(async () => {
  await devnet?.stop();
});

function intentOf(to: Address, data: Hex, value = 0n): Intent {
  const context: IntentContext = { wallet: WALLET, registry, keccak, delegated: false };
  const fees = { gasLimit: 3_000_000n, maxFeePerGas: 1n as Wei, maxPriorityFeePerGas: 1n as Wei };
  return intentOfTransaction(
    {
      type: 'eip1559',
      chainId: 31337,
      nonce: 0,
      ...fees,
      to,
      value: value as Wei,
      data: hexToBytes(data),
      accessList: [],
    },
    context,
  );
}

const ACCOUNTS = () => [WALLET, ALICE, BOB, at['Batch']!, NOBODY];
const TOKENS = ['Coin', 'Wrapped', 'Vault'];

/** All that the accounts have: `account asset` → amount. */
async function holdings(): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>();
  for (const account of ACCOUNTS()) {
    found.set(`${account} native`, await devnet.balance(account));
    for (const token of TOKENS) {
      found.set(`${account} erc20:${at[token]}`, await read(at[token]!, calldata('Coin', 'balanceOf', [account])));
    }
  }
  return found;
}

const allowance = (owner: Address, spender: Address) =>
  read(at['Coin']!, calldata('Coin', 'allowance', [owner, spender]));

interface Route {
  readonly name: string;
  readonly prepare?: () => Promise<unknown>;
  readonly call: () => readonly [contract: string, functionName: string, args: readonly unknown[], value?: bigint];
  /** Who loses what, by hand: what the intent has to say and the chain has to show. */
  readonly loses: () => Readonly<Record<string, bigint>>;
}

const coin = () => `erc20:${at['Coin']}`;
const wrapped = () => `erc20:${at['Wrapped']}`;

const ROUTES: readonly Route[] = [
  { name: 'transfer', call: () => ['Coin', 'transfer', [BOB, 5n]], loses: () => ({ [`${WALLET} ${coin()}`]: 5n }) },
  {
    name: 'transferFrom as owner',
    call: () => ['Coin', 'transferFrom', [WALLET, BOB, 6n]],
    loses: () => ({ [`${WALLET} ${coin()}`]: 6n }),
  },
  {
    name: 'transferFrom as spender',
    prepare: () => send(ALICE, at['Coin']!, calldata('Coin', 'approve', [WALLET, 7n])),
    call: () => ['Coin', 'transferFrom', [ALICE, BOB, 7n]],
    loses: () => ({ [`${ALICE} ${coin()}`]: 7n }),
  },
  { name: 'burn', call: () => ['Coin', 'burn', [8n]], loses: () => ({ [`${WALLET} ${coin()}`]: 8n }) },
  {
    name: 'a multicall of the token',
    call: () => [
      'Coin',
      'multicall',
      [[calldata('Coin', 'transfer', [BOB, 1n]), calldata('Coin', 'transfer', [ALICE, 2n])]],
    ],
    loses: () => ({ [`${WALLET} ${coin()}`]: 3n }),
  },
  { name: 'wrapping', call: () => ['Wrapped', 'deposit', [], 100n], loses: () => ({ [`${WALLET} native`]: 100n }) },
  {
    name: 'wrapping for another',
    call: () => ['Wrapped', 'depositTo', [BOB], 9n],
    loses: () => ({ [`${WALLET} native`]: 9n }),
  },
  {
    name: 'unwrapping',
    call: () => ['Wrapped', 'withdraw', [10n]],
    loses: () => ({ [`${WALLET} ${wrapped()}`]: 10n }),
  },
  {
    name: 'unwrapping for another',
    call: () => ['Wrapped', 'withdrawTo', [BOB, 11n]],
    loses: () => ({ [`${WALLET} ${wrapped()}`]: 11n }),
  },
  {
    name: 'a vault’s deposit',
    prepare: () => send(WALLET, at['Coin']!, calldata('Coin', 'approve', [at['Vault']!, 50n])),
    call: () => ['Vault', 'deposit', [50n, WALLET]],
    loses: () => ({ [`${WALLET} ${coin()}`]: 50n }),
  },
  {
    name: 'a vault’s redemption',
    call: () => ['Vault', 'redeem', [12n, BOB, WALLET]],
    loses: () => ({ [`${WALLET} erc20:${at['Vault']}`]: 12n }),
  },
  {
    name: 'a batch that sends ether and the batch’s own tokens',
    call: () => [
      'Batch',
      'aggregate3Value',
      [
        [
          { target: BOB, allowFailure: false, value: 13n, callData: '0x' },
          { target: at['Coin'], allowFailure: false, value: 0n, callData: calldata('Coin', 'transfer', [BOB, 14n]) },
          { target: ALICE, allowFailure: false, value: 15n, callData: '0x' },
        ],
      ],
      28n,
    ],
    loses: () => ({ [`${WALLET} native`]: 28n, [`${at['Batch']} ${coin()}`]: 14n }),
  },
];

describe('what leaves on the chain is what the intent said', () => {
  it.each(ROUTES.map((route) => [route.name, route] as const))('%s', async (_, route) => {
    await route.prepare?.();
    const [contract, name, args, value = 0n] = route.call();
    const data = calldata(contract, name, args);
    const intent = intentOf(at[contract]!, data, value);
    expect(intent.opaque).toBeNull();
    const said: Record<string, bigint> = {};
    for (const { account, asset, amount } of intent.outflows) {
      const key = `${account === 'wallet' ? WALLET : account} ${asset}`;
      said[key] = (said[key] ?? 0n) + (amount as bigint);
    }
    expect(said).toEqual(route.loses());

    const before = await holdings();
    const { status, fee } = await send(WALLET, at[contract]!, data, value);
    expect(status).toBe('0x1');
    const after = await holdings();
    after.set(`${WALLET} native`, after.get(`${WALLET} native`)! + fee);
    const lost: Record<string, bigint> = {};
    for (const [key, amount] of before) if (after.get(key)! < amount) lost[key] = amount - after.get(key)!;
    // Who unwraps gets the ether back, so that only the token is lost.
    expect(lost).toEqual(said);
    for (const { to, asset, amount, route: way } of intent.outflows) {
      const key = `${to} ${asset}`;
      if (way === 'transfer' || way === 'transfer-from' || (way === 'value' && after.has(key))) {
        expect(after.get(key)! - before.get(key)!).toBeGreaterThanOrEqual(amount as bigint);
      }
    }
  });
});

describe('allowances on the chain are those that the intent said', () => {
  it('approve, increaseAllowance, and unlimited', async () => {
    const steps = [
      ['approve', 20n, 20n],
      ['increaseAllowance', 3n, 23n],
      ['approve', maxUint256, maxUint256],
      ['approve', 0n, 0n],
    ] as const;
    for (const [name, amount, holds] of steps) {
      const data = calldata('Coin', name, [BOB, amount]);
      const [outflow, ...others] = intentOf(at['Coin']!, data).outflows;
      expect(others).toEqual([]);
      expect(outflow).toMatchObject({
        to: BOB,
        holds: 'allowance',
        amount: amount === maxUint256 ? 'unlimited' : amount,
      });
      await send(WALLET, at['Coin']!, data);
      expect(await allowance(WALLET, BOB)).toBe(holds);
    }
  });

  it('a permit that somebody else brings to the chain', async () => {
    const fields = { owner: 'address', spender: 'address', value: 'uint256', nonce: 'uint256', deadline: 'uint256' };
    const domain = { name: 'Coin', version: '1', chainId: 31337, verifyingContract: at['Coin']! };
    const message = { owner: WALLET, spender: BOB, value: '31', nonce: '0', deadline: '9999999999' };
    const named = (types: Readonly<Record<string, string>>) =>
      Object.entries(types).map(([name, type]) => ({ name, type }));
    const types = {
      EIP712Domain: named({ name: 'string', version: 'string', chainId: 'uint256', verifyingContract: 'address' }),
      Permit: named(fields),
    };
    const json: Json = { types, primaryType: 'Permit', domain, message };
    const typed = readTypedData(json, 31337, keccak);
    if (!typed.ok) throw new Error(typed.error.code);
    const intent = intentOfTypedData(typed.value, CHAIN, { wallet: WALLET, registry, keccak, delegated: false });
    expect(intent).toMatchObject({
      opaque: null,
      outflows: [{ account: 'wallet', asset: coin(), amount: 31n, to: BOB, route: 'permit', holds: 'allowance' }],
    });

    const signature = hexToBytes(await signer.sign({ hash: `0x${Buffer.from(typed.value.digest).toString('hex')}` }));
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32, 64)].map(
      (each): Hex => `0x${Buffer.from(each).toString('hex')}`,
    );
    const args = [WALLET, BOB, 31n, 9_999_999_999n, signature[64], r, s];
    expect((await send(ALICE, at['Coin']!, calldata('Coin', 'permit', args))).status).toBe('0x1');
    expect(await allowance(WALLET, BOB)).toBe(31n);
  });
});

it('a contract that nobody registered takes all that it may by a call that looks like a transfer, and is opaque', async () => {
  await send(WALLET, at['Coin']!, calldata('Coin', 'approve', [at['Unknown']!, 100n]));
  const data = calldata('Coin', 'transfer', [BOB, 1n]);
  const intent = intentOf(at['Unknown']!, data);
  expect(intent).toMatchObject({ opaque: 'unregistered_contract', actions: [{ kind: 'opaque-call' }] });
  const before = (await holdings()).get(`${WALLET} ${coin()}`)!;
  await send(WALLET, at['Unknown']!, data);
  expect((await holdings()).get(`${WALLET} ${coin()}`)!).toBe(before - 100n);
});
