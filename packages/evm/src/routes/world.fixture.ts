import { toHex, type Keccak256 } from '@keepwatch/base';
import { encodeFunctionData, hexToBytes, keccak256, parseAbi, type Hex } from 'viem';
import type { Address } from '../address.ts';
import { newFindings, walkCall } from '../intents/call-tree.ts';
import type { Intent, Outflow } from '../intents/intent.ts';
import {
  addEntry,
  createStandardBook,
  emptyRegistry,
  type ContractEntry,
  type Registry,
} from '../registry/registry.ts';
import { createStandards } from './standards.ts';

// A chain on which each standard has one contract. Calldata is written by viem, from the lines of the tables.

export const keccak: Keccak256 = (bytes) => keccak256(bytes, 'bytes');
export const CHAIN = 'eip155:1';
export const named = (name: string): Address => `0x${toHex(keccak(new TextEncoder().encode(name))).slice(0, 40)}`;

export const WALLET = named('wallet');
export const ALICE = named('alice');
export const BOB = named('bob');
export const COIN = named('contract of erc20');
export const COIN2 = named('another coin');
export const UNDERLYING = named('underlying coin');
export const STRANGER = named('an unregistered contract');
export const contractOf = (standard: string): Address => named(`contract of ${standard}`);

export const standards = createStandards(keccak);
export const book = createStandardBook(standards, keccak);

export function entry(standard: string, more: Partial<ContractEntry> = {}): ContractEntry {
  const isToken = ['erc20', 'eip2612', 'dai-permit', 'eip3009', 'erc777', 'erc677', 'erc1363'].includes(standard);
  return {
    chain: CHAIN,
    address: contractOf(standard),
    name: standard,
    standards: isToken && standard !== 'erc20' ? ['erc20', standard] : [standard],
    functions: [],
    ...(isToken ? { decimals: 6, symbol: 'COIN' } : {}),
    underlying: UNDERLYING,
    ...more,
  };
}

export function registryOf(...entries: readonly ContractEntry[]): Registry {
  let registry = emptyRegistry(book);
  for (const each of entries) {
    const added = addEntry(registry, each, keccak);
    if (!added.ok) throw new Error(`${added.error.code}: ${added.error.about}`);
    registry = added.value;
  }
  return registry;
}

export const registry = registryOf(
  ...standards.map(({ name }) => entry(name, name === 'multicall' ? { functions: ['ping(uint256 a)'] } : {})),
  entry('erc20', { address: COIN2, name: 'another coin' }),
  entry('erc20', { address: UNDERLYING, name: 'underlying coin' }),
);

/** Calldata by viem. */
export function calldata(line: string, args: readonly unknown[]): Uint8Array {
  const abi = parseAbi([`function ${line}`] as readonly string[]) as never;
  return hexToBytes(encodeFunctionData({ abi, args } as never));
}
export const hexdata = (line: string, args: readonly unknown[]): Hex => `0x${toHex(calldata(line, args))}`;

export interface Sent {
  readonly to: Address;
  readonly data: Uint8Array;
  readonly value?: bigint;
  readonly delegated?: boolean;
  readonly registry?: Registry;
}

export function judged(sent: Sent): Pick<Intent, 'actions' | 'outflows' | 'opaque' | 'notes'> {
  const findings = newFindings();
  walkCall(
    {
      chain: CHAIN,
      wallet: WALLET,
      registry: sent.registry ?? registry,
      delegated: sent.delegated ?? false,
      findings,
    },
    { sender: WALLET, to: sent.to, value: sent.value ?? 0n, data: sent.data, callType: 'call' },
  );
  return findings;
}

export type Flow = readonly [
  account: Outflow['account'],
  asset: string,
  amount: Outflow['amount'],
  to: Address,
  route: Outflow['route'],
  holds?: 'allowance' | 'spent',
  untilMs?: number | null,
];

export const flowsOf = (outflows: readonly Outflow[]): Flow[] =>
  outflows.map(({ account, asset, amount, to, route, holds, untilMs }) => [
    account,
    asset,
    amount,
    to,
    route,
    holds,
    untilMs,
  ]);

export const full = (flow: Flow): Flow => [
  flow[0],
  flow[1],
  flow[2],
  flow[3],
  flow[4],
  flow[5] ?? 'spent',
  flow[6] ?? null,
];
