import { CodedError, fromHex, MAX_UINT256, toHex, utf8 } from '@keepwatch/base';
import { keccak_256 } from '@noble/hashes/sha3.js';
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

/**
 * The bytes that are signed: 0x02 ‖ rlp([chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value, '',
 * []]) (EIP-1559). Throws `transfer_invalid` for a field that no node would take.
 */
export function encodeTransfer(transfer: EtherTransfer): Uint8Array {
  const { chainId, nonce, value, maxFeePerGas, maxPriorityFeePerGas, gasLimit = TRANSFER_GAS } = transfer;
  const refuse = (what: string) => new CodedError('transfer_invalid', `The transfer is not valid: ${what}.`);
  const within = (amount: bigint, max: bigint) => amount >= 0n && amount <= max;
  if (!Number.isSafeInteger(chainId) || chainId < 1) throw refuse('the chain id is no positive integer');
  if (!Number.isSafeInteger(nonce) || nonce < 0) throw refuse('the nonce is no integer from 0 up');
  if (!within(value, MAX_UINT256)) throw refuse('the amount is out of range');
  if (!within(maxFeePerGas, MAX_UINT256) || !within(gasLimit, MAX_UINT64)) throw refuse('the fee is out of range');
  if (!within(maxPriorityFeePerGas, maxFeePerGas)) throw refuse('the priority fee is above the maximum fee');
  const to = addressBytes(transfer.to);
  if (!to) throw refuse(`“${transfer.to}” is no address, or its checksum does not fit`);
  return rlpListAfter(TYPE, [chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value, NO_DATA]);
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
