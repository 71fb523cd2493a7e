import { toHex } from '@keepwatch/base';
import type { Address } from '../address.ts';
import type { RouteName } from '../intents/intent.ts';
import { addressAt, bytesAt, bytesOf, listAt, tuplesAt, uintAt, ZERO_ADDRESS } from './arguments.ts';
import {
  harmless,
  unreadable,
  type Call,
  type CallRoute,
  type Effect,
  type InnerCall,
  type Leak,
  type Standard,
} from './route.ts';

// Calls that pass calls on: what is judged is what comes out at the end.

/** Calls in the contract's own name: it is their msg.sender, and the ether that they send is what came with the batch. */
function onward(call: Call, list: readonly Omit<InnerCall, 'sender' | 'callType'>[]): Effect {
  return {
    does: 'nest',
    value: 'passed',
    calls: list.map((each) => ({ ...each, sender: call.contract, callType: 'call' })),
  };
}

const aggregate = (line: string, callsAt: number, valueAt: number | null, dataAt: number): CallRoute => ({
  line,
  route: null,
  says: 'what each call does, with the multicall contract as its sender; ether that no call takes stays there',
  effect: (call) =>
    onward(
      call,
      tuplesAt(call.args, callsAt).map((each) => ({
        to: addressAt(each, 0),
        value: valueAt === null ? 0n : uintAt(each, valueAt),
        data: bytesAt(each, dataAt),
      })),
    ),
});

export const multicall3: Standard = {
  name: 'multicall3',
  title: 'Multicall3',
  calls: [
    aggregate('aggregate((address target, bytes callData)[] calls)', 0, null, 1),
    aggregate('tryAggregate(bool requireSuccess, (address target, bytes callData)[] calls)', 1, null, 1),
    aggregate('blockAndAggregate((address target, bytes callData)[] calls)', 0, null, 1),
    aggregate('tryBlockAndAggregate(bool requireSuccess, (address target, bytes callData)[] calls)', 1, null, 1),
    aggregate('aggregate3((address target, bool allowFailure, bytes callData)[] calls)', 0, null, 2),
    aggregate('aggregate3Value((address target, bool allowFailure, uint256 value, bytes callData)[] calls)', 0, 2, 3),
  ],
};

/**
 * The contract calls itself by delegatecall, once for each item: it stays the contract, and the caller the sender. So each
 * item is what a call of the contract by the same sender would be, and sees the same ether.
 */
const toItself = (line: string, callsAt: number): CallRoute => ({
  line,
  route: null,
  says: 'what each call of the same contract does, with the same sender; the value leaves once',
  effect: (call) => ({
    does: 'nest',
    value: 'shared',
    calls: listAt(call.args, callsAt).map((data) => ({
      sender: call.sender,
      to: call.contract,
      value: call.value,
      data: bytesOf(data),
      callType: 'call',
    })),
  }),
});

export const selfMulticall: Standard = {
  name: 'multicall',
  title: 'Contracts that call themselves (`multicall(bytes[])`)',
  calls: [
    toItself('multicall(bytes[] data)', 0),
    toItself('multicall(uint256 deadline, bytes[] data)', 1),
    toItself('multicall(bytes32 previousBlockhash, bytes[] data)', 1),
  ],
};

const SAFE_TX =
  'address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver';

/** A Safe transaction: the Safe is the sender, and its own ether is sent. */
export function safeTransaction(call: {
  readonly safe: Address;
  readonly to: Address;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly operation: bigint;
}): InnerCall | 'unknown_operation' {
  const { safe, to, value, data, operation } = call;
  if (operation !== 0n && operation !== 1n) return 'unknown_operation';
  // A delegatecall sends nothing: its value is only seen by the code that runs.
  return operation === 0n
    ? { sender: safe, to, value, data, callType: 'call' }
    : { sender: safe, to, value: 0n, data, callType: 'delegatecall' };
}

/**
 * A Safe pays for its gas where the gas price is not zero, in ether or in any token, to any account. How much, is known only
 * after the call.
 */
export function safeRefund(
  safe: Address,
  gasPrice: bigint,
  gasToken: Address,
  receiver: Address,
  relayer: Address,
): Leak[] {
  if (gasPrice === 0n) return [];
  const asset = gasToken === ZERO_ADDRESS ? 'native' : `erc20:${gasToken}`;
  const to = receiver === ZERO_ADDRESS ? relayer : receiver;
  return [{ account: safe, asset, amount: 'unlimited', to, route: 'safe' }];
}

const fromSafe = (line: string, route: RouteName | null, says: string, leaks: (call: Call) => Leak[]): CallRoute => ({
  line,
  route,
  says,
  effect: (call) => {
    const inner = safeTransaction({
      safe: call.contract,
      to: addressAt(call.args, 0),
      value: uintAt(call.args, 1),
      data: bytesAt(call.args, 2),
      operation: uintAt(call.args, 3),
    });
    return inner === 'unknown_operation'
      ? { does: 'opaque', why: inner }
      : { does: 'nest', value: 'kept', calls: [inner], leaks: leaks(call) };
  },
});

const handsOver = (line: string): CallRoute =>
  unreadable(line, 'hands_over_the_safe', 'whoever owns the Safe from then on may take everything');

export const safe: Standard = {
  name: 'safe',
  title: 'Safe accounts',
  calls: [
    fromSafe(
      `execTransaction(${SAFE_TX}, bytes signatures)`,
      'safe',
      'what the inner call does, with the Safe as its sender; with a gas price, unlimited of the gas token besides, to `refundReceiver`',
      (call) =>
        safeRefund(call.contract, uintAt(call.args, 6), addressAt(call.args, 7), addressAt(call.args, 8), call.wallet),
    ),
    ...['execTransactionFromModule', 'execTransactionFromModuleReturnData'].map((name) =>
      fromSafe(
        `${name}(address to, uint256 value, bytes data, uint8 operation)`,
        null,
        'what the inner call does, with the Safe as its sender',
        () => [],
      ),
    ),
    unreadable('approveHash(bytes32 hashToApprove)', 'approves_a_digest', 'a digest does not say what it approves'),
    handsOver('addOwnerWithThreshold(address owner, uint256 threshold)'),
    handsOver('removeOwner(address prevOwner, address owner, uint256 threshold)'),
    handsOver('swapOwner(address prevOwner, address oldOwner, address newOwner)'),
    handsOver('changeThreshold(uint256 threshold)'),
    handsOver('enableModule(address module)'),
    handsOver('setGuard(address guard)'),
    handsOver('setModuleGuard(address moduleGuard)'),
    handsOver('setFallbackHandler(address handler)'),
    harmless('disableModule(address prevModule, address module)'),
  ],
};

export const safeMultiSend: Standard = {
  name: 'safe-multisend',
  title: 'MultiSend of Safe',
  calls: [
    {
      line: 'multiSend(bytes transactions)',
      route: null,
      byDelegatecall: true,
      says: 'what each call does, with the account that runs it by delegatecall as its sender; opaque by a plain call',
      effect: (call) => {
        if (call.callType !== 'delegatecall') return { does: 'opaque', why: 'not_a_delegatecall' };
        const calls = unpackMultiSend(bytesAt(call.args, 0), call.sender);
        return calls === null ? { does: 'opaque', why: 'malformed_batch' } : { does: 'nest', value: 'kept', calls };
      },
    },
  ],
};

/** MultiSend packs its calls without the ABI: operation (1 byte), to (20), value (32), length of data (32), data. */
export function unpackMultiSend(bytes: Uint8Array, sender: Address): InnerCall[] | null {
  const calls: InnerCall[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 85 > bytes.length) return null;
    const length = BigInt(`0x${toHex(bytes.subarray(at + 53, at + 85))}`);
    if (length > BigInt(bytes.length - at - 85)) return null;
    const end = at + 85 + Number(length);
    const inner = safeTransaction({
      safe: sender,
      to: `0x${toHex(bytes.subarray(at + 1, at + 21))}`,
      value: BigInt(`0x${toHex(bytes.subarray(at + 21, at + 53))}`),
      data: bytes.subarray(at + 85, end),
      operation: BigInt(bytes[at]!),
    });
    if (inner === 'unknown_operation') return null;
    calls.push(inner);
    at = end;
  }
  return calls;
}
