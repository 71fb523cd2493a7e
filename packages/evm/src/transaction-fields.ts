import { fromHex, MAX_UINT256, viewFrom, type Wei } from '@keepwatch/base';
import type { Address } from './address.ts';
import {
  countItems,
  enterList,
  fail,
  fixedAt,
  leaveList,
  openList,
  readFixed,
  readSafeInteger,
  readString,
  readUint,
  type RlpErrorCode,
  type RlpReader,
} from './rlp-reader.ts';
import { encodeRlpList, uintToBytes, type RlpItem } from './rlp.ts';

/** The fields that transactions of several types share, and why each of them can be refused. */

/** One entry of an access list (EIP-2930). Storage keys are `0x` and 64 lower-case hex digits. */
export interface AccessListEntry {
  readonly address: Address;
  readonly storageKeys: readonly `0x${string}`[];
}

export type TransactionErrorCode =
  | RlpErrorCode
  | 'unsupported_transaction_type'
  | 'signed_transaction'
  | 'wrong_field_count'
  | 'not_replay_protected'
  | 'malformed_integer'
  | 'chain_id_out_of_range'
  | 'nonce_out_of_range'
  | 'fee_out_of_range'
  | 'gas_limit_out_of_range'
  | 'value_out_of_range'
  | 'priority_fee_above_max_fee'
  | 'max_fee_overflow'
  | 'malformed_recipient'
  | 'recipient_required'
  | 'malformed_data'
  | 'malformed_access_list'
  | 'malformed_blob_hash'
  | 'unsupported_blob_hash_version'
  | 'no_blobs'
  | 'too_many_blobs'
  | 'malformed_authorization'
  | 'no_authorizations'
  | 'authorization_for_another_chain'
  | 'authorization_signature_out_of_range'
  | 'authorization_high_s';

export type FieldReader = RlpReader<TransactionErrorCode>;

/** 128 KiB is the most that nodes relay of a transaction without blobs; blobs are no part of what is signed. */
const MAX_BYTES = 128 * 1024;

/** Below it, no gas limit of 64 bits makes the product exceed 256 bits. */
const NO_OVERFLOW = 1n << 192n;

/**
 * A reader at the first of the `unsigned` fields of the list that starts at `from`. What carries `signatureFields` more is
 * signed already: what is to be signed carries no signature yet.
 */
export function openFields(bytes: Uint8Array, from: number, unsigned: number, signatureFields: number): FieldReader {
  const reader = openList<TransactionErrorCode>(bytes, from, MAX_BYTES, 'wrong_field_count');
  const count = countItems(reader);
  if (count !== unsigned) {
    fail(reader, count === unsigned + signatureFields ? 'signed_transaction' : 'wrong_field_count');
  }
  return reader;
}

/** 1 … 2^53−1: chain ids in use are far below, and one number has one JSON form. */
export function readChainId(reader: FieldReader): number {
  const chainId = readSafeInteger(reader, 'malformed_integer', 'chain_id_out_of_range');
  if (chainId === 0) fail(reader, 'chain_id_out_of_range');
  return chainId;
}

/** 0 … 2^53−1: EIP-2681 permits 2^64−2, which no account reaches. */
export function readNonce(reader: FieldReader): number {
  return readSafeInteger(reader, 'malformed_integer', 'nonce_out_of_range');
}

/** Wei for one gas, below 2^256. */
export function readFee(reader: FieldReader): Wei {
  return readUint(reader, 32, 'malformed_integer', 'fee_out_of_range') as Wei;
}

/** The maximum fee per gas, which is at least the priority fee (EIP-1559). */
export function readMaxFee(reader: FieldReader, priorityFee: Wei): Wei {
  const maxFee = readFee(reader);
  if (priorityFee > maxFee) fail(reader, 'priority_fee_above_max_fee');
  return maxFee;
}

/** The gas limit, below 2^64; with the fee per gas it makes a total below 2^256, which is the most that nodes take. */
export function readGasLimit(reader: FieldReader, maxFeePerGas: Wei): bigint {
  const gasLimit = readUint(reader, 8, 'malformed_integer', 'gas_limit_out_of_range');
  if (maxFeePerGas >= NO_OVERFLOW && gasLimit * maxFeePerGas > MAX_UINT256) fail(reader, 'max_fee_overflow');
  return gasLimit;
}

/** 20 bytes, or none where a contract is created. */
export function readRecipient(reader: FieldReader): Address | null {
  readString(reader, 'malformed_recipient');
  if (reader.length === 0) return null;
  return fixedAt(reader, 20, 'malformed_recipient');
}

/** A type that creates no contracts names a recipient always. */
export function readRequiredRecipient(reader: FieldReader): Address {
  readString(reader, 'malformed_recipient');
  if (reader.length === 0) fail(reader, 'recipient_required');
  return fixedAt(reader, 20, 'malformed_recipient');
}

/** Wei, below 2^256. */
export function readValue(reader: FieldReader): Wei {
  return readUint(reader, 32, 'malformed_integer', 'value_out_of_range') as Wei;
}

/** A view into the bytes, not a copy. */
export function readData(reader: FieldReader): Uint8Array {
  readString(reader, 'malformed_data');
  return viewFrom(reader.bytes, reader.start, reader.start + reader.length);
}

/** [[address, [storage key, …]], …] (EIP-2930). */
export function readAccessList(reader: FieldReader): readonly AccessListEntry[] {
  const code = 'malformed_access_list';
  const entries: AccessListEntry[] = [];
  const list = enterList(reader, code);
  while (reader.at < reader.end) {
    const entry = enterList(reader, code);
    const address: Address = readFixed(reader, 20, code);
    const storageKeys: `0x${string}`[] = [];
    const keys = enterList(reader, code);
    while (reader.at < reader.end) storageKeys.push(readFixed(reader, 32, code));
    leaveList(reader, keys, code);
    leaveList(reader, entry, code);
    entries.push({ address, storageKeys });
  }
  leaveList(reader, list, code);
  return entries;
}

/** The bytes that are signed of a typed transaction: its type, then the list of its fields (EIP-2718). */
export function encodeTyped(type: number, fields: readonly RlpItem[]): Uint8Array {
  const out = encodeRlpList(new Uint8Array(0), fields, 1);
  out[0] = type;
  return out;
}

export function uintField(value: bigint | number): Uint8Array {
  return uintToBytes(BigInt(value));
}

export function addressField(address: Address | null): Uint8Array {
  return address === null ? new Uint8Array(0) : hexField(address, 20);
}

/** Throws a RangeError where `text` is not `length` bytes of hex. */
export function hexField(text: string, length: number): Uint8Array {
  const bytes = fromHex(text);
  if (bytes?.length !== length) throw new RangeError(`not ${length} bytes of hex`);
  return bytes;
}

export function accessListField(accessList: readonly AccessListEntry[]): RlpItem {
  return accessList.map(({ address, storageKeys }) => [
    hexField(address, 20),
    storageKeys.map((key) => hexField(key, 32)),
  ]);
}
