import { err, MAX_UINT256, ok, type Result, type Wei } from '@keepwatch/base';
import type { Address } from './address.ts';
import { feeMarketFields, type FeeMarketFields } from './eip1559.ts';
import { enterList, fail, leaveList, readFixed } from './rlp-reader.ts';
import {
  encodeTyped,
  hexField,
  openFields,
  readAccessList,
  readChainId,
  readData,
  readFee,
  readGasLimit,
  readMaxFee,
  readNonce,
  readRequiredRecipient,
  readValue,
  uintField,
  type FieldReader,
  type TransactionErrorCode,
} from './transaction-fields.ts';

/**
 * An unsigned transaction that carries blobs (EIP-4844, type 0x03). It names them by their versioned hashes; the blobs
 * themselves, their commitments and proofs (the sidecar) are no part of what is signed and never come here.
 */
export interface Eip4844Transaction extends FeeMarketFields {
  readonly type: 'eip4844';
  readonly to: Address;
  /** In wei. */
  readonly maxFeePerBlobGas: Wei;
  /** `0x01` and 31 bytes in lower-case hex each, in the order of the blobs. */
  readonly blobVersionedHashes: readonly `0x${string}`[];
}

export const EIP4844_TYPE = 0x03;
/** Blob gas that one blob takes: GAS_PER_BLOB of EIP-4844. */
export const GAS_PER_BLOB = 131_072n;
/** EIP-7594 permits so many blobs in one transaction, whatever a block holds. */
const MAX_BLOBS = 6;
/** VERSIONED_HASH_VERSION_KZG of EIP-4844: the only version that there is. */
const HASH_VERSION = '0x01';

/**
 * `bytes` is 0x03 ‖ rlp([the nine fields of EIP-1559, maxFeePerBlobGas, blobVersionedHashes]).
 *
 * - `recipient_required`: it creates no contract
 * - `no_blobs`, `too_many_blobs`: one to six
 * - `malformed_blob_hash`: not 32 bytes; `unsupported_blob_hash_version`: the first of them is not 0x01
 * - `max_fee_overflow`: gas and blobs together cost 2^256 wei or more
 */
export function decodeEip4844(bytes: Uint8Array): Result<Eip4844Transaction, TransactionErrorCode> {
  const reader = openFields(bytes, 1, 11, 3);
  const chainId = readChainId(reader);
  const nonce = readNonce(reader);
  const maxPriorityFeePerGas = readFee(reader);
  const maxFeePerGas = readMaxFee(reader, maxPriorityFeePerGas);
  const gasLimit = readGasLimit(reader, maxFeePerGas);
  const to = readRequiredRecipient(reader);
  const value = readValue(reader);
  const data = readData(reader);
  const accessList = readAccessList(reader);
  const maxFeePerBlobGas = readFee(reader);
  const blobVersionedHashes = readBlobHashes(reader);
  if (reader.error !== null) return err(reader.error);
  const blobFee = maxFeePerBlobGas * GAS_PER_BLOB * BigInt(blobVersionedHashes.length);
  if (gasLimit * maxFeePerGas + blobFee > MAX_UINT256) return err('max_fee_overflow');
  return ok({
    type: 'eip4844',
    chainId,
    nonce,
    maxPriorityFeePerGas,
    maxFeePerGas,
    gasLimit,
    to,
    value,
    data,
    accessList,
    maxFeePerBlobGas,
    blobVersionedHashes,
  });
}

function readBlobHashes(reader: FieldReader): `0x${string}`[] {
  const hashes: `0x${string}`[] = [];
  const list = enterList(reader, 'malformed_blob_hash');
  while (reader.at < reader.end) {
    const hash = readFixed(reader, 32, 'malformed_blob_hash');
    if (!hash.startsWith(HASH_VERSION)) fail(reader, 'unsupported_blob_hash_version');
    if (hashes.push(hash) > MAX_BLOBS) fail(reader, 'too_many_blobs');
  }
  leaveList(reader, list, 'malformed_blob_hash');
  if (hashes.length === 0) fail(reader, 'no_blobs');
  return hashes;
}

export function encodeEip4844(transaction: Eip4844Transaction): Uint8Array {
  return encodeTyped(EIP4844_TYPE, [
    ...feeMarketFields(transaction),
    uintField(transaction.maxFeePerBlobGas),
    transaction.blobVersionedHashes.map((hash) => hexField(hash, 32)),
  ]);
}
