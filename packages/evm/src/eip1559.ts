import { err, fromHex, MAX_UINT256, ok, toHex, type Keccak256, type Result, type Wei } from '@keepwatch/base';
import type { Address } from './address.ts';
import {
  appendToRlpList,
  decodeRlp,
  encodeRlp,
  isBytes,
  uintFromBytes,
  uintToBytes,
  type RlpErrorCode,
  type RlpItem,
} from './rlp.ts';

/** One entry of an access list (EIP-2930). Storage keys are `0x` and 64 lower-case hex digits. */
export interface AccessListEntry {
  readonly address: Address;
  readonly storageKeys: readonly `0x${string}`[];
}

/** An unsigned fee-market transaction (EIP-1559, type 0x02). Fees per gas are in wei. */
export interface Eip1559Transaction {
  readonly chainId: number;
  readonly nonce: number;
  readonly maxPriorityFeePerGas: Wei;
  readonly maxFeePerGas: Wei;
  readonly gasLimit: bigint;
  /** `null`: the transaction creates a contract. */
  readonly to: Address | null;
  readonly value: Wei;
  /** A view into the decoded bytes, not a copy. */
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListEntry[];
}

/** A signature over a transaction. `r` and `s` are 32 bytes, big-endian. */
export interface TransactionSignature {
  readonly r: Uint8Array;
  readonly s: Uint8Array;
  readonly yParity: 0 | 1;
}

export type TransactionErrorCode =
  | RlpErrorCode
  | 'unsupported_transaction_type'
  | 'signed_transaction'
  | 'wrong_field_count'
  | 'malformed_integer'
  | 'chain_id_out_of_range'
  | 'nonce_out_of_range'
  | 'fee_out_of_range'
  | 'gas_limit_out_of_range'
  | 'value_out_of_range'
  | 'priority_fee_above_max_fee'
  | 'max_fee_overflow'
  | 'malformed_recipient'
  | 'malformed_data'
  | 'malformed_access_list';

const TYPE = 0x02;
const UNSIGNED_FIELDS = 9;
const SIGNED_FIELDS = 12;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MAX_UINT64 = (1n << 64n) - 1n;

/** 128 KiB is the most that nodes relay. Depth: transaction, access list, its entry, the entry's storage keys. */
const LIMITS = { maxBytes: 128 * 1024, maxDepth: 4 };

/**
 * The transaction that `bytes` says, and nothing but what `bytes` says: `encodeUnsigned(value)` gives back the same bytes.
 * `bytes` is 0x02 ‖ rlp([chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value, data, accessList]).
 *
 * - `unsupported_transaction_type`: another type byte, a legacy transaction, or nothing at all
 * - `signed_transaction`: twelve fields; what is to be signed carries no signature yet
 * - `malformed_integer`: leading zeros, or a list where an integer belongs
 * - `…_out_of_range`: chain id 1 … 2^53−1; nonce 0 … 2^53−1 (EIP-2681 permits 2^64−2, which no account reaches); gas limit
 *   below 2^64; fees and value below 2^256
 * - `priority_fee_above_max_fee`: invalid by EIP-1559
 * - `max_fee_overflow`: gasLimit × maxFeePerGas is not below 2^256; nodes refuse it
 */
export function decodeUnsigned(bytes: Uint8Array): Result<Eip1559Transaction, TransactionErrorCode> {
  if (bytes[0] !== TYPE) return err('unsupported_transaction_type');
  const decoded = decodeRlp(bytes.subarray(1), LIMITS);
  if (!decoded.ok) return decoded;
  const fields = decoded.value;
  if (isBytes(fields)) return err('wrong_field_count');
  if (fields.length === SIGNED_FIELDS) return err('signed_transaction');
  if (fields.length !== UNSIGNED_FIELDS) return err('wrong_field_count');

  const chainId = readUint(fields[0]!, MAX_SAFE, 'chain_id_out_of_range');
  if (!chainId.ok) return chainId;
  if (chainId.value === 0n) return err('chain_id_out_of_range');
  const nonce = readUint(fields[1]!, MAX_SAFE, 'nonce_out_of_range');
  if (!nonce.ok) return nonce;
  const maxPriorityFeePerGas = readUint(fields[2]!, MAX_UINT256, 'fee_out_of_range');
  if (!maxPriorityFeePerGas.ok) return maxPriorityFeePerGas;
  const maxFeePerGas = readUint(fields[3]!, MAX_UINT256, 'fee_out_of_range');
  if (!maxFeePerGas.ok) return maxFeePerGas;
  if (maxPriorityFeePerGas.value > maxFeePerGas.value) return err('priority_fee_above_max_fee');
  const gasLimit = readUint(fields[4]!, MAX_UINT64, 'gas_limit_out_of_range');
  if (!gasLimit.ok) return gasLimit;
  if (gasLimit.value * maxFeePerGas.value > MAX_UINT256) return err('max_fee_overflow');
  const to = readRecipient(fields[5]!);
  if (to === undefined) return err('malformed_recipient');
  const value = readUint(fields[6]!, MAX_UINT256, 'value_out_of_range');
  if (!value.ok) return value;
  const data = fields[7]!;
  if (!isBytes(data)) return err('malformed_data');
  const accessList = readAccessList(fields[8]!);
  if (accessList === undefined) return err('malformed_access_list');

  return ok({
    chainId: Number(chainId.value),
    nonce: Number(nonce.value),
    maxPriorityFeePerGas: maxPriorityFeePerGas.value as Wei,
    maxFeePerGas: maxFeePerGas.value as Wei,
    gasLimit: gasLimit.value,
    to,
    value: value.value as Wei,
    data,
    accessList,
  });
}

function readUint<Code extends TransactionErrorCode>(
  item: RlpItem,
  max: bigint,
  outOfRange: Code,
): Result<bigint, Code | 'malformed_integer'> {
  if (!isBytes(item)) return err('malformed_integer');
  if (item.length > 32) return err(item[0] === 0 ? 'malformed_integer' : outOfRange);
  const value = uintFromBytes(item);
  if (value === undefined) return err('malformed_integer');
  return value > max ? err(outOfRange) : ok(value);
}

function readRecipient(item: RlpItem): Address | null | undefined {
  if (!isBytes(item)) return undefined;
  if (item.length === 0) return null;
  return readAddress(item);
}

function readAddress(item: RlpItem): Address | undefined {
  return isBytes(item) && item.length === 20 ? `0x${toHex(item)}` : undefined;
}

function readAccessList(item: RlpItem): AccessListEntry[] | undefined {
  if (isBytes(item)) return undefined;
  const entries: AccessListEntry[] = [];
  for (const entry of item) {
    if (isBytes(entry) || entry.length !== 2) return undefined;
    const address = readAddress(entry[0]!);
    const keys = entry[1]!;
    if (address === undefined || isBytes(keys)) return undefined;
    const storageKeys: `0x${string}`[] = [];
    for (const key of keys) {
      if (!isBytes(key) || key.length !== 32) return undefined;
      storageKeys.push(`0x${toHex(key)}`);
    }
    entries.push({ address, storageKeys });
  }
  return entries;
}

/** The bytes that are signed: 0x02 ‖ rlp(the nine fields). Throws a RangeError for a field that has no encoding. */
export function encodeUnsigned(transaction: Eip1559Transaction): Uint8Array {
  return envelope(encodeRlp(fieldsOf(transaction)));
}

/**
 * The bytes that are broadcast: 0x02 ‖ rlp([…the nine fields, yParity, r, s]). `unsigned` are the bytes that were decoded
 * and signed; their fields are carried over as they are. Throws a RangeError where they are no such envelope, or for a
 * scalar that no signature has.
 */
export function encodeSigned(unsigned: Uint8Array, signature: TransactionSignature): Uint8Array {
  if (unsigned[0] !== TYPE) throw new RangeError('not an EIP-1559 envelope');
  const parity = signature.yParity === 1 ? Uint8Array.of(1) : new Uint8Array(0);
  return envelope(appendToRlpList(unsigned.subarray(1), [parity, scalar(signature.r), scalar(signature.s)]));
}

/**
 * What the account signs: the Keccak-256 of the very bytes that were decoded. They are never encoded anew on the way, so
 * what was judged and what is signed cannot differ.
 */
export function signingDigest(unsigned: Uint8Array, keccak: Keccak256): Uint8Array {
  return keccak(unsigned);
}

function envelope(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(payload.length + 1);
  out[0] = TYPE;
  out.set(payload, 1);
  return out;
}

function fieldsOf(transaction: Eip1559Transaction): RlpItem[] {
  return [
    uintToBytes(BigInt(transaction.chainId)),
    uintToBytes(BigInt(transaction.nonce)),
    uintToBytes(transaction.maxPriorityFeePerGas),
    uintToBytes(transaction.maxFeePerGas),
    uintToBytes(transaction.gasLimit),
    transaction.to === null ? new Uint8Array(0) : hexOf(transaction.to, 20),
    uintToBytes(transaction.value),
    transaction.data,
    transaction.accessList.map(({ address, storageKeys }) => [
      hexOf(address, 20),
      storageKeys.map((key) => hexOf(key, 32)),
    ]),
  ];
}

function hexOf(text: string, length: number): Uint8Array {
  const bytes = fromHex(text);
  if (bytes?.length !== length) throw new RangeError(`not ${length} bytes of hex`);
  return bytes;
}

/** `r` and `s` are integers in the envelope: 32 bytes without their leading zeros. */
function scalar(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 32) throw new RangeError('a signature scalar has 32 bytes');
  let start = 0;
  while (bytes[start] === 0) start++;
  if (start === 32) throw new RangeError('a signature scalar is not zero');
  return bytes.subarray(start);
}
