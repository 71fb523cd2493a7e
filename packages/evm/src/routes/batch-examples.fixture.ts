import { concat, encodePacked, type Hex } from 'viem';
import type { Address } from '../address.ts';
import { type RouteExample, ZERO, B32, coin, LATER, of, paying, opaque } from './route-example.fixture.ts';
import { ALICE, BOB, COIN, contractOf, hexdata, STRANGER, WALLET, type Flow } from './world.fixture.ts';

const SEND = hexdata('transfer(address to, uint256 amount)', [BOB, 5n]);
const SAFE_TX =
  'address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver';

/** MultiSend's own packing, by viem's encodePacked. */
export const packed = (
  ...calls: readonly (readonly [operation: number, to: Address, value: bigint, data: Hex])[]
): Hex =>
  concat(
    calls.map(([operation, to, value, data]) =>
      encodePacked(
        ['uint8', 'address', 'uint256', 'uint256', 'bytes'],
        [operation, to, value, BigInt(data.length / 2 - 1), data],
      ),
    ),
  );

export function batchExamples(): RouteExample[] {
  const [multi, self, safe] = [of('multicall3'), of('multicall'), of('safe')];
  const [mc, account, ms] = [contractOf('multicall3'), contractOf('safe'), contractOf('safe-multisend')];
  const sentBy = (from: Flow[0]): Flow => [from, coin(COIN), 5n, BOB, 'transfer'];
  const call = { target: COIN, callData: SEND, allowFailure: false };
  const exec = `execTransaction(${SAFE_TX}, bytes signatures)`;
  const module = (name: string) => `${name}(address to, uint256 value, bytes data, uint8 operation)`;
  const handsOver: readonly (readonly [string, readonly unknown[]])[] = [
    ['addOwnerWithThreshold(address owner, uint256 threshold)', [BOB, 1n]],
    ['removeOwner(address prevOwner, address owner, uint256 threshold)', [ALICE, BOB, 1n]],
    ['swapOwner(address prevOwner, address oldOwner, address newOwner)', [ALICE, WALLET, BOB]],
    ['changeThreshold(uint256 threshold)', [1n]],
    ['enableModule(address module)', [BOB]],
    ['setGuard(address guard)', [BOB]],
    ['setModuleGuard(address moduleGuard)', [BOB]],
    ['setFallbackHandler(address handler)', [BOB]],
  ];
  return [
    multi('aggregate((address target, bytes callData)[] calls)', [[call]], sentBy(mc)),
    multi('tryAggregate(bool requireSuccess, (address target, bytes callData)[] calls)', [true, [call]], sentBy(mc)),
    multi('blockAndAggregate((address target, bytes callData)[] calls)', [[call]], sentBy(mc)),
    multi(
      'tryBlockAndAggregate(bool requireSuccess, (address target, bytes callData)[] calls)',
      [true, [call]],
      sentBy(mc),
    ),
    paying(
      2n,
      multi(
        'aggregate3((address target, bool allowFailure, bytes callData)[] calls)',
        [[{ ...call, callData: hexdata('transferFrom(address from, address to, uint256 amount)', [WALLET, BOB, 5n]) }]],
        ['wallet', coin(COIN), 5n, BOB, 'transfer-from'],
        ['wallet', 'native', 2n, mc, 'value'],
      ),
    ),
    paying(
      10n,
      multi(
        'aggregate3Value((address target, bool allowFailure, uint256 value, bytes callData)[] calls)',
        [
          [
            { target: BOB, allowFailure: false, value: 4n, callData: '0x' },
            { target: ALICE, allowFailure: false, value: 9n, callData: '0x' },
          ],
        ],
        ['wallet', 'native', 4n, BOB, 'value'],
        // More than what is left of the wallet's ether is the multicall contract's own.
        [mc, 'native', 9n, ALICE, 'value'],
        ['wallet', 'native', 6n, mc, 'value'],
      ),
    ),
    opaque('multicall3', 'unregistered_contract', 'aggregate((address target, bytes callData)[] calls)', [
      [{ target: STRANGER, callData: SEND }],
    ]),
    opaque('multicall3', 'empty_batch', 'aggregate((address target, bytes callData)[] calls)', [[]]),
    opaque('multicall', 'unknown_function', 'multicall(bytes[] data)', [[SEND]]),
    opaque('multicall', 'empty_batch', 'multicall(uint256 deadline, bytes[] data)', [LATER, []]),
    opaque('multicall', 'no_selector', 'multicall(bytes32 previousBlockhash, bytes[] data)', [B32, ['0x00']]),
    paying(
      3n,
      self(
        'multicall(bytes[] data)',
        [[hexdata('ping(uint256 a)', [1n]), hexdata('multicall(bytes[] data)', [[hexdata('ping(uint256 a)', [2n])]])]],
        ['wallet', 'native', 3n, contractOf('multicall'), 'value'],
      ),
    ),
    safe(exec, [COIN, 0n, SEND, 0, 0n, 0n, 0n, ZERO, ZERO, '0x'], sentBy(account)),
    paying(
      2n,
      safe(
        exec,
        [BOB, 7n, '0x', 0, 0n, 0n, 0n, ZERO, ZERO, '0x'],
        ['wallet', 'native', 2n, account, 'value'],
        [account, 'native', 7n, BOB, 'value'],
      ),
    ),
    safe(
      exec,
      [BOB, 7n, '0x', 0, 0n, 0n, 1n, COIN, ALICE, '0x'],
      [account, coin(COIN), 'unlimited', ALICE, 'safe'],
      [account, 'native', 7n, BOB, 'value'],
    ),
    safe(
      exec,
      [BOB, 7n, '0x', 0, 0n, 0n, 1n, ZERO, ZERO, '0x'],
      [account, 'native', 'unlimited', WALLET, 'safe'],
      [account, 'native', 7n, BOB, 'value'],
    ),
    safe(
      exec,
      [
        ms,
        0n,
        hexdata('multiSend(bytes transactions)', [packed([0, COIN, 0n, SEND], [0, BOB, 7n, '0x'])]),
        1,
        0n,
        0n,
        0n,
        ZERO,
        ZERO,
        '0x',
      ],
      sentBy(account),
      [account, 'native', 7n, BOB, 'value'],
    ),
    opaque('safe', 'unregistered_contract', exec, [STRANGER, 0n, '0x', 1, 0n, 0n, 0n, ZERO, ZERO, '0x']),
    opaque('safe', 'delegatecall', exec, [COIN, 0n, SEND, 1, 0n, 0n, 0n, ZERO, ZERO, '0x']),
    opaque('safe', 'unknown_operation', exec, [COIN, 0n, SEND, 2, 0n, 0n, 0n, ZERO, ZERO, '0x']),
    safe(module('execTransactionFromModule'), [COIN, 0n, SEND, 0], sentBy(account)),
    safe(module('execTransactionFromModuleReturnData'), [COIN, 0n, SEND, 0], sentBy(account)),
    opaque('safe', 'approves_a_digest', 'approveHash(bytes32 hashToApprove)', [B32]),
    ...handsOver.map(([line, args]) => opaque('safe', 'hands_over_the_safe', line, args)),
    safe('disableModule(address prevModule, address module)', [ALICE, BOB]),
    opaque('safe-multisend', 'not_a_delegatecall', 'multiSend(bytes transactions)', [packed([0, BOB, 7n, '0x'])]),
  ];
}
