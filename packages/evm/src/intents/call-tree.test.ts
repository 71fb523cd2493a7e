import { toFunctionSelector, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { packed } from '../routes/batch-examples.fixture.ts';
import {
  ALICE,
  BOB,
  calldata,
  CHAIN,
  COIN,
  contractOf,
  entry,
  flowsOf,
  full,
  hexdata,
  judged,
  keccak,
  registryOf,
  STRANGER,
  UNDERLYING,
  WALLET,
} from '../routes/world.fixture.ts';

const SEND = 'transfer(address to, uint256 amount)';
const EXEC =
  'execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures)';
const AGGREGATE = 'aggregate((address target, bytes callData)[] calls)';
const ZERO = `0x${'0'.repeat(40)}`;
const none = new Uint8Array(0);
const exec = (to: string, data: Hex, operation = 0) => [to, 0n, data, operation, 0n, 0n, 0n, ZERO, ZERO, '0x'];

describe('a leaf', () => {
  it('is a transfer of ether where there is no calldata', () => {
    expect(judged({ to: BOB, data: none, value: 5n })).toEqual({
      actions: [{ kind: 'ether-transfer', sender: 'wallet', recipient: BOB, amount: 5n }],
      outflows: [
        { account: 'wallet', asset: 'native', amount: 5n, to: BOB, route: 'value', holds: 'spent', untilMs: null },
      ],
      opaque: null,
      notes: [],
    });
  });

  it('is a transfer of tokens where the contract is registered', () => {
    expect(judged({ to: COIN, data: calldata(SEND, [BOB, 5n]) })).toEqual({
      actions: [
        {
          kind: 'token-transfer',
          sender: 'wallet',
          standard: 'erc20',
          token: COIN,
          asset: `erc20:${COIN}`,
          amount: 5n,
          from: 'wallet',
          to: BOB,
          route: 'transfer',
          holds: 'spent',
          untilMs: null,
        },
      ],
      outflows: [
        {
          account: 'wallet',
          asset: `erc20:${COIN}`,
          amount: 5n,
          to: BOB,
          route: 'transfer',
          holds: 'spent',
          untilMs: null,
        },
      ],
      opaque: null,
      notes: [],
    });
  });

  it('names the item of an ERC-721 or ERC-1155 contract', () => {
    const move = 'safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes data)';
    const multi = judged({ to: contractOf('erc1155'), data: calldata(move, [WALLET, BOB, 7n, 2n, '0x']) });
    expect(multi.actions).toMatchObject([{ tokenId: 7n, asset: `erc1155:${contractOf('erc1155')}/7`, amount: 2n }]);
    const data = calldata('transferFrom(address from, address to, uint256 id)', [WALLET, BOB, 7n]);
    const nft = judged({ to: contractOf('erc721'), data });
    expect(nft.actions).toMatchObject([{ tokenId: 7n, asset: `erc721:${contractOf('erc721')}`, amount: 1n }]);
  });

  it('says of an ERC-777 token whether it moves or an operator may take it: the route alone does not', () => {
    const to = contractOf('erc777');
    const sent = judged({ to, data: calldata('send(address to, uint256 amount, bytes data)', [BOB, 5n, '0x']) });
    expect(sent.actions).toMatchObject([{ route: 'erc777', holds: 'spent', to: BOB, amount: 5n }]);
    const allowed = judged({ to, data: calldata('authorizeOperator(address operator)', [BOB]) });
    expect(allowed.actions).toMatchObject([{ route: 'erc777', holds: 'allowance', to: BOB, amount: 'unlimited' }]);
  });

  it('is opaque at an address that is not registered, with the name of the selector as a hint', () => {
    const intent = judged({ to: STRANGER, data: calldata(SEND, [BOB, 5n]), value: 3n });
    expect(intent.opaque).toBe('unregistered_contract');
    expect(intent.actions).toEqual([
      {
        kind: 'opaque-call',
        sender: 'wallet',
        contract: STRANGER,
        selector: '0xa9059cbb',
        value: 3n,
        callType: 'call',
        why: 'unregistered_contract',
      },
    ]);
    expect(intent.notes).toEqual(['not verified: 0xa9059cbb is the selector of transfer(address,uint256)']);
    expect(flowsOf(intent.outflows)).toEqual([full(['wallet', 'native', 3n, STRANGER, 'value'])]);
  });

  it('is opaque on another chain than the contract is registered on', () => {
    const registry = registryOf(entry('erc20', { chain: 'eip155:10' }));
    expect(judged({ to: COIN, data: calldata(SEND, [BOB, 5n]), registry }).opaque).toBe('unregistered_contract');
  });

  it.each([
    ['no_selector', Uint8Array.of(1, 2, 3)],
    ['unknown_function', Uint8Array.of(1, 2, 3, 4)],
    ['abi_truncated', calldata(SEND, [BOB, 5n]).subarray(0, 67)],
    ['abi_trailing_bytes', Uint8Array.from([...calldata(SEND, [BOB, 5n]), 0])],
    ['abi_malformed_address', calldata(SEND, [BOB, 5n]).map((byte, i) => (i === 4 ? 1 : byte))],
  ])('is opaque where the calldata says nothing: %s', (why, data) => {
    expect(judged({ to: COIN, data })).toMatchObject({ opaque: why, outflows: [] });
  });

  it('is a call where the function has no meaning of its own', () => {
    const registry = registryOf(entry('erc20', { functions: ['mint(address to, uint256 x)'] }));
    const intent = judged({ to: COIN, data: calldata('mint(address to, uint256 x)', [BOB, 5n]), registry });
    expect(intent.actions).toEqual([
      {
        kind: 'contract-call',
        sender: 'wallet',
        contract: COIN,
        function: 'mint(address,uint256)',
        args: [
          { name: 'to', type: 'address', value: BOB },
          { name: 'x', type: 'uint256', value: 5n },
        ],
        value: 0n,
        callType: 'call',
      },
    ]);
  });
});

describe('the wallet’s calls of itself', () => {
  it('do nothing where it has no code', () => {
    expect(judged({ to: WALLET, data: none })).toMatchObject({ opaque: null, actions: [{ kind: 'ether-transfer' }] });
  });

  it('run code that nobody registered, where it is delegated, whatever they look like', () => {
    expect(judged({ to: WALLET, data: none, delegated: true }).opaque).toBe('delegated_wallet');
    expect(judged({ to: WALLET, data: Uint8Array.of(1, 2, 3, 4), delegated: true }).opaque).toBe(
      'unregistered_contract',
    );
  });

  it('are calls of a contract where its ABI is registered', () => {
    const registry = registryOf(
      entry('x', { address: WALLET, name: 'wallet', standards: [], functions: ['run(uint256 x)'] }),
    );
    const call = judged({ to: WALLET, data: calldata('run(uint256 x)', [1n]), delegated: true, registry });
    expect(call).toMatchObject({ opaque: null, actions: [{ kind: 'contract-call', contract: WALLET }] });
    expect(judged({ to: WALLET, data: none, delegated: true, registry }).opaque).toBe('no_selector');
  });
});

describe('a tree', () => {
  const account = contractOf('safe');

  it('is walked through a Safe, its batch and a multicall, each with its own sender', () => {
    const multicall = hexdata(AGGREGATE, [[{ target: COIN, callData: hexdata(SEND, [BOB, 5n]) }]]);
    const batch = packed([0, contractOf('multicall3'), 0n, multicall], [0, COIN, 0n, hexdata(SEND, [ALICE, 6n])]);
    const run = exec(contractOf('safe-multisend'), hexdata('multiSend(bytes transactions)', [batch]), 1);
    const intent = judged({ to: account, data: calldata(EXEC, run) });
    expect(intent.opaque).toBeNull();
    expect(intent.actions).toMatchObject([
      { kind: 'token-transfer', sender: contractOf('multicall3'), from: contractOf('multicall3'), to: BOB },
      { kind: 'token-transfer', sender: account, from: account, to: ALICE },
    ]);
  });

  it('is opaque as a whole where one leaf is, and shows the others', () => {
    const calls = [COIN, STRANGER, COIN].map((target) => ({ target, callData: hexdata(SEND, [BOB, 5n]) }));
    const intent = judged({ to: contractOf('multicall3'), data: calldata(AGGREGATE, [calls]) });
    expect(intent.opaque).toBe('unregistered_contract');
    expect(intent.actions.map(({ kind }) => kind)).toEqual(['token-transfer', 'opaque-call', 'token-transfer']);
    expect(intent.outflows).toHaveLength(2);
  });

  it.each([
    ['another operation', packed([2, BOB, 0n, '0x'])],
    ['a cut head', packed([0, BOB, 0n, '0x']).slice(0, -2)],
    ['a length beyond the end', packed([0, BOB, 0n, '0x']).replace(/00$/, '01')],
    ['a length beyond all numbers', packed([0, BOB, 0n, '0x']).replace(/0{64}$/, 'f'.repeat(64))],
    ['a byte too many', `${packed([0, BOB, 0n, '0x'])}00`],
  ])('is opaque where MultiSend’s packing has %s', (_, batch) => {
    const data = calldata(
      EXEC,
      exec(contractOf('safe-multisend'), hexdata('multiSend(bytes transactions)', [batch]), 1),
    );
    expect(judged({ to: account, data }).opaque).toBe('malformed_batch');
  });

  it('is opaque where a batch of a Safe runs foreign code in its name', () => {
    const batch = packed([1, COIN, 0n, hexdata(SEND, [BOB, 5n])]);
    const data = calldata(
      EXEC,
      exec(contractOf('safe-multisend'), hexdata('multiSend(bytes transactions)', [batch]), 1),
    );
    expect(judged({ to: account, data }).opaque).toBe('delegatecall');
    expect(judged({ to: account, data: calldata(EXEC, exec(STRANGER, '0x', 1)) })).toMatchObject({
      opaque: 'unregistered_contract',
      actions: [{ kind: 'opaque-call', callType: 'delegatecall', sender: account }],
    });
  });

  it('shows who gets the ether of a batch that a contract makes of its own calls', () => {
    const wrapper = { address: ALICE, name: 'wrapper', standards: ['erc20', 'weth', 'multicall'] };
    const registry = registryOf(entry('erc20', wrapper));
    const batch = (...lines: readonly [string, readonly unknown[]][]) =>
      flowsOf(
        judged({
          ...{ to: ALICE, value: 5n, registry },
          data: calldata('multicall(bytes[] data)', [lines.map(([line, args]) => hexdata(line, args))]),
        }).outflows,
      );
    const once = full(['wallet', 'native', 5n, ALICE, 'value']);
    expect(batch(['deposit()', []])).toEqual([once]);
    expect(batch(['depositTo(address to)', [WALLET]])).toEqual([once]);
    expect(batch(['deposit()', []], ['depositTo(address to)', [BOB]])).toEqual([
      once,
      full(['wallet', 'native', 5n, BOB, 'weth']),
    ]);
  });

  it('has an end', () => {
    let data = hexdata(SEND, [BOB, 5n]);
    for (let i = 0; i < 20; i++) data = hexdata(EXEC, exec(account, data));
    const deep = judged({ to: account, data: Uint8Array.from(Buffer.from(data.slice(2), 'hex')) });
    expect(deep).toMatchObject({ opaque: 'too_many_calls', actions: [{ kind: 'opaque-call' }] });

    const calls = Array.from({ length: 300 }, () => ({ target: COIN, callData: hexdata(SEND, [BOB, 5n]) }));
    const wide = judged({ to: contractOf('multicall3'), data: calldata(AGGREGATE, [calls]) });
    expect(wide.opaque).toBe('too_many_calls');
    expect(wide.actions).toHaveLength(256);
  });

  it('counts a lending token besides what it stands for, where it is known as of that pool', () => {
    const pool = contractOf('aave-v3-pool');
    const lent = { address: ALICE, issuer: pool, underlying: UNDERLYING };
    const registry = registryOf(entry('aave-v3-pool'), entry('erc20', lent), entry('erc20'));
    const data = calldata('withdraw(address asset, uint256 amount, address to)', [UNDERLYING, 5n, BOB]);
    expect(flowsOf(judged({ to: pool, data, registry }).outflows)).toEqual([
      full(['wallet', `erc20:${UNDERLYING}`, 5n, BOB, 'aave-withdraw']),
      full(['wallet', `erc20:${ALICE}`, 5n, BOB, 'aave-withdraw']),
    ]);
  });
});

it('finds functions by the selectors that viem finds', () => {
  for (const { abi } of registryOf(entry('safe')).contracts.get(CHAIN)!.get(contractOf('safe'))!.functions.values()) {
    expect(abi.selector).toBe(toFunctionSelector(abi.signature));
  }
  expect(keccak(none)).toHaveLength(32);
});
