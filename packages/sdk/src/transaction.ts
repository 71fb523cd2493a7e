import { CodedError, fromHex, MAX_UINT256, toHex, utf8 } from '@keepwatch/base';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { isObject, kindOf, unknownMember, type Advice } from './known-members.ts';
import { rlpListAfter } from './transaction-rlp.ts';

/** A plain transfer of ether, before it is signed. Amounts and fees are in wei (EIP-1559). */
export interface EtherTransfer {
  /** EIP-155 chain id, 1 … 2^53−1. */
  readonly chainId: number;
  readonly nonce: number;
  /** `0x` and 40 hex digits. Mixed case must be the right checksum (EIP-55). */
  readonly to: string;
  readonly value: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** 21,000 where it is left out: what a transfer without data to an ordinary account costs. */
  readonly gasLimit?: bigint;
}

export const TRANSFER_GAS = 21_000n;

const TYPE = 0x02;
const NO_DATA = new Uint8Array(0);
const ONE_CASE = /^0x(?:[0-9a-f]{40}|[0-9A-F]{40})$/;
const MAX_UINT64 = (1n << 64n) - 1n;

const MEMBERS = ['chainId', 'nonce', 'to', 'value', 'maxFeePerGas', 'maxPriorityFeePerGas', 'gasLimit'];

const AS_BIGINT: Advice = {
  value: 'Give it in wei, as a bigint such as 1000000000000000000n (1 ETH).',
  maxFeePerGas: 'Give it in wei per gas, as a bigint such as 30000000000n (30 gwei).',
  maxPriorityFeePerGas: 'Give it in wei per gas, as a bigint such as 1000000000n (1 gwei).',
  gasLimit: 'Give it as a bigint, such as 21000n, or leave it out.',
};
const AS_NUMBER = 'Give it as a number, such as 1.';

const AS_BYTES =
  'An object describes a plain transfer of ether and nothing else. Whatever else is to be signed is given as the unsigned ' +
  'transaction in bytes, with its `chain` beside it: viem’s serializeTransaction and ethers’ unsignedSerialized make them, ' +
  'as hex.';

/** What other libraries have in such an object. */
const ADVICE: Advice = {
  data: AS_BYTES,
  input: AS_BYTES,
  accessList: AS_BYTES,
  blobs: AS_BYTES,
  blobVersionedHashes: AS_BYTES,
  maxFeePerBlobGas: AS_BYTES,
  authorizationList: AS_BYTES,
  gas: 'Name it gasLimit.',
  gasPrice: `Name maxFeePerGas and maxPriorityFeePerGas. ${AS_BYTES}`,
  type: `Leave it out: a transfer is signed as type 2 (EIP-1559). ${AS_BYTES}`,
  from: 'Leave it out: the wallet beside the transaction says who sends.',
};

/**
 * The bytes that are signed: 0x02 ‖ rlp([chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value, '',
 * []]) (EIP-1559). Throws `transfer_invalid` for a field that no node would take, and for a member that is not one of
 * {@link EtherTransfer}: what was passed over, the caller would believe to be signed.
 */
export function encodeTransfer(transfer: EtherTransfer): Uint8Array {
  const refuse = (what: string, remedy = 'Correct what the message names.') =>
    new CodedError('transfer_invalid', `The transfer is not valid: ${what}.`, { remedy });
  if (!isObject(transfer)) throw refuse(`it is ${kindOf(transfer)} and no object`, AS_BYTES);
  const unknown = unknownMember(transfer, MEMBERS, ADVICE);
  if (unknown !== undefined) {
    const what = unknown in ADVICE ? 'would not be signed' : 'is not known';
    throw refuse(`“${unknown}” ${what}`, ADVICE[unknown] ?? `Leave it out. ${AS_BYTES}`);
  }
  const { chainId, nonce, to, value, maxFeePerGas, maxPriorityFeePerGas, gasLimit = TRANSFER_GAS } = transfer;
  for (const [name, amount] of Object.entries({ value, maxFeePerGas, maxPriorityFeePerGas, gasLimit })) {
    if (typeof amount !== 'bigint') throw refuse(`${name} is ${kindOf(amount)} and no bigint`, AS_BIGINT[name]);
  }
  const within = (amount: bigint, max: bigint) => amount >= 0n && amount <= max;
  if (!Number.isSafeInteger(chainId) || chainId < 1) throw refuse('chainId is no positive integer', AS_NUMBER);
  if (!Number.isSafeInteger(nonce) || nonce < 0) throw refuse('nonce is no integer from 0 up', AS_NUMBER);
  if (!within(value, MAX_UINT256)) throw refuse('the amount is out of range');
  if (!within(maxFeePerGas, MAX_UINT256) || !within(gasLimit, MAX_UINT64)) throw refuse('the fee is out of range');
  if (!within(maxPriorityFeePerGas, maxFeePerGas)) throw refuse('the priority fee is above the maximum fee');
  if (typeof to !== 'string') throw refuse(`to is ${kindOf(to)} and no address`, `Name the recipient. ${AS_BYTES}`);
  const recipient = addressBytes(to);
  if (!recipient) throw refuse(`“${to}” is no address, or its checksum does not fit`);
  return rlpListAfter(TYPE, [chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, recipient, value, NO_DATA]);
}

/**
 * The 20 bytes of an address; `undefined` where it is none. An address in one case carries no checksum; one in mixed
 * case must have the right one (EIP-55).
 */
export function addressBytes(text: string): Uint8Array | undefined {
  if (ONE_CASE.test(text)) return fromHex(text.slice(2));
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return undefined;
  const bytes = fromHex(text.slice(2))!;
  return checksumAddress(bytes) === text ? bytes : undefined;
}

/** An address as people should see it: mixed case by EIP-55. */
export function checksumAddress(address: Uint8Array): string {
  const digits = toHex(address);
  const hash = toHex(keccak_256(utf8(digits)));
  return `0x${[...digits].map((digit, i) => (hash[i]! >= '8' ? digit.toUpperCase() : digit)).join('')}`;
}
