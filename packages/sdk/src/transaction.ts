import {
  CodedError,
  concat,
  equalBytes,
  err,
  fromHex,
  MAX_UINT256,
  ok,
  toHex,
  utf8,
  type Result,
} from '@keepwatch/base';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { rlpInteger, rlpList, rlpListContent, rlpShortStrings, rlpString } from './transaction-rlp.ts';

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
const MAX_UINT64 = (1n << 64n) - 1n;
/** Half the order of secp256k1: a signature with a larger `s` is another form of one with a smaller (EIP-2). */
const MAX_LOW_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

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
  const fields = [
    rlpInteger(BigInt(chainId)),
    rlpInteger(BigInt(nonce)),
    rlpInteger(maxPriorityFeePerGas),
    rlpInteger(maxFeePerGas),
    rlpInteger(gasLimit),
    rlpString(to),
    rlpInteger(value),
    rlpString(new Uint8Array(0)),
    rlpList([]),
  ];
  return concat(Uint8Array.of(TYPE), rlpList(fields));
}

/**
 * The 20 bytes of an address; `undefined` where it is none. An address in one case carries no checksum; one in mixed
 * case must have the right one (EIP-55).
 */
export function addressBytes(text: string): Uint8Array | undefined {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return undefined;
  const digits = text.slice(2);
  const oneCase = digits === digits.toLowerCase() || digits === digits.toUpperCase();
  const bytes = fromHex(digits)!;
  return oneCase || checksumAddress(bytes) === text ? bytes : undefined;
}

/** An address as people should see it: mixed case by EIP-55. */
export function checksumAddress(address: Uint8Array): string {
  const digits = toHex(address);
  const hash = toHex(keccak_256(utf8(digits)));
  return `0x${[...digits].map((digit, i) => (hash[i]! >= '8' ? digit.toUpperCase() : digit)).join('')}`;
}

export type SignedTransactionFault =
  /** Not the requested bytes followed by a signature. */
  | 'transaction_differs'
  /** The signature is malformed, or in the form that nodes refuse (EIP-2). */
  | 'signature_malformed'
  /** The signature is of another key. */
  | 'signature_of_another_wallet';

/**
 * Whether `signed` is byte for byte `unsigned` with a signature added that recovers to `address`. Returns the
 * transaction's hash (`0x` and 64 hex digits).
 */
export function checkSignedTransaction(
  unsigned: Uint8Array,
  signed: Uint8Array,
  address: string,
): Result<{ readonly hash: string }, SignedTransactionFault> {
  const asked = rlpListContent(unsigned.subarray(1));
  const answered = rlpListContent(signed.subarray(1));
  if (unsigned[0] !== TYPE || signed[0] !== TYPE || !asked || !answered) return err('transaction_differs');
  if (!equalBytes(answered.subarray(0, asked.length), asked)) return err('transaction_differs');
  const scalars = rlpShortStrings(answered.subarray(asked.length));
  const [yParity, r, s] = scalars ?? [];
  if (scalars?.length !== 3 || !yParity || !r || !s || r.length > 32 || s.length > 32) {
    return err('signature_malformed');
  }
  // Integers have no leading zeros: otherwise the same signature would give a second transaction hash.
  if (r[0] === 0 || s[0] === 0 || yParity.length > 1 || (yParity.length === 1 && yParity[0] !== 1)) {
    return err('signature_malformed');
  }
  const publicKey = recover(keccak_256(unsigned), yParity.length, integer(r), integer(s));
  if (!publicKey) return err('signature_malformed');
  const signer = keccak_256(publicKey.subarray(1)).subarray(12);
  const expected = fromHex(address);
  if (!expected || !equalBytes(signer, expected)) return err('signature_of_another_wallet');
  return ok({ hash: `0x${toHex(keccak_256(signed))}` });
}

function integer(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

/** The uncompressed public key (65 bytes) whose signature this is. */
function recover(digest: Uint8Array, yParity: number, r: bigint, s: bigint): Uint8Array | undefined {
  if (s > MAX_LOW_S) return undefined;
  try {
    return new secp256k1.Signature(r, s, yParity).recoverPublicKey(digest).toBytes(false);
  } catch {
    return undefined;
  }
}
