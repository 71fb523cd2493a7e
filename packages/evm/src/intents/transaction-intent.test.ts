import type { Wei } from '@keepwatch/base';
import { getContractAddress } from 'viem';
import { expect, it } from 'vitest';
import { BOB, calldata, COIN, keccak, named, registry, WALLET } from '../routes/world.fixture.ts';
import type { Transaction } from '../transaction.ts';
import {
  intentOfAuthorization,
  intentOfMessage,
  intentOfTransaction,
  type IntentContext,
} from './transaction-intent.ts';

const context: IntentContext = { wallet: WALLET, registry, keccak, delegated: false };
const wei = (value: bigint) => value as Wei;
const base = {
  chainId: 1,
  nonce: 7,
  maxPriorityFeePerGas: wei(1n),
  maxFeePerGas: wei(20n),
  gasLimit: 100n,
  to: COIN,
  value: wei(0n),
  data: calldata('transfer(address to, uint256 amount)', [BOB, 5n]),
  accessList: [],
} as const;
const eip1559: Transaction = { ...base, type: 'eip1559' };
const authorization = { chainId: 1, address: named('delegate'), nonce: 8 };
const eip7702 = {
  ...base,
  type: 'eip7702',
  authorizationList: [{ ...authorization, yParity: 0, r: '0x01', s: '0x01' }],
} as const;

it('says chain, nonce, fee and what leaves', () => {
  expect(intentOfTransaction(eip1559, context)).toMatchObject({
    form: 'transaction',
    chain: 'eip155:1',
    nonce: 7,
    fee: { maxFeeWei: 2000n, gasLimit: 100n, maxFeePerGas: 20n, maxPriorityFeePerGas: 1n },
    actions: [{ kind: 'token-transfer', to: BOB, amount: 5n }],
    outflows: [{ asset: `erc20:${COIN}`, amount: 5n }],
    opaque: null,
    notes: [],
  });
});

it('looks up contracts of the transaction’s own chain', () => {
  expect(intentOfTransaction({ ...eip1559, chainId: 10 }, context).opaque).toBe('unregistered_contract');
});

it('says of a creation what code it is, and where its ether goes', () => {
  const initCode = Uint8Array.of(0x60, 0, 0x60, 0, 0xf3);
  const intent = intentOfTransaction({ ...eip1559, to: null, data: initCode, value: wei(3n) }, context);
  expect(intent.actions).toEqual([
    {
      kind: 'contract-creation',
      initCodeHash: expect.stringMatching(/^0x[0-9a-f]{64}$/) as string,
      initCodeBytes: 5,
      value: 3n,
    },
  ]);
  const to = getContractAddress({ from: WALLET, nonce: 7n }).toLowerCase();
  expect(intent.outflows).toMatchObject([{ asset: 'native', amount: 3n, to }]);
  expect(intentOfTransaction({ ...eip1559, to: null, nonce: 0 }, context).outflows).toEqual([]);
});

it('says of each authorisation in a transaction that it hands an account over', () => {
  const delegation = { kind: 'delegation', delegate: authorization.address, chainId: 1n, nonce: 8n };
  expect(intentOfTransaction(eip7702, context).actions).toMatchObject([delegation, { kind: 'token-transfer' }]);
  const nothing = { ...eip7702, to: WALLET, data: new Uint8Array(0) };
  expect(intentOfTransaction(nothing, context)).toMatchObject({ actions: [delegation], opaque: null });
  // After it the wallet has code, so that whatever else it says to itself runs that.
  expect(intentOfTransaction({ ...nothing, value: wei(1n) }, context).opaque).toBe('delegated_wallet');
});

it('reads calls of a delegated wallet to itself as calls', () => {
  const self: Transaction = { ...eip1559, to: WALLET, data: new Uint8Array(0) };
  expect(intentOfTransaction(self, context).actions).toMatchObject([{ kind: 'ether-transfer', amount: 0n }]);
  expect(intentOfTransaction(self, { ...context, delegated: true }).opaque).toBe('delegated_wallet');
});

it('has intents for authorisations and texts alone', () => {
  expect(intentOfAuthorization({ ...authorization, chainId: 0 })).toMatchObject({
    form: 'delegation',
    chain: 'eip155:0',
    nonce: 8,
    fee: null,
    actions: [{ kind: 'delegation', delegate: authorization.address, chainId: 0n, nonce: 8n }],
  });
  expect(intentOfMessage('hello', 'eip155:1')).toMatchObject({
    form: 'message',
    nonce: null,
    fee: null,
    actions: [{ kind: 'message', text: 'hello' }],
    outflows: [],
  });
});
