import { assertNever, err, type Keccak256, type Result, type Wei } from '@keepwatch/base';
import { decodeEip1559, encodeEip1559, EIP1559_TYPE, type Eip1559Transaction } from './eip1559.ts';
import { decodeEip2930, encodeEip2930, EIP2930_TYPE, type Eip2930Transaction } from './eip2930.ts';
import { decodeEip4844, encodeEip4844, EIP4844_TYPE, GAS_PER_BLOB, type Eip4844Transaction } from './eip4844.ts';
import { decodeEip7702, encodeEip7702, EIP7702_TYPE, type Eip7702Transaction } from './eip7702.ts';
import { decodeLegacy, encodeLegacy, signLegacy, type LegacyTransaction } from './legacy.ts';
import { appendToRlpList } from './rlp.ts';
import { scalarFields, type TransactionSignature } from './signature.ts';
import type { TransactionErrorCode } from './transaction-fields.ts';

/** An unsigned transaction of any type that a wallet signs. */
export type Transaction =
  LegacyTransaction | Eip2930Transaction | Eip1559Transaction | Eip4844Transaction | Eip7702Transaction;

/** What a transaction can cost at most, besides its value. Amounts are in wei. */
export interface TransactionFee {
  /**
   * gas limit × cap, and blobs × blob gas × cap. Rollups that take a fee for their data besides (OP Stack and its kin)
   * take more than this, and no field of the transaction bounds it.
   */
  readonly maxFeeWei: Wei;
  readonly gasLimit: bigint;
  /** The gas price, where the type has no fee market. */
  readonly maxFeePerGas: Wei;
  /** The gas price, where the type has no fee market. */
  readonly maxPriorityFeePerGas: Wei;
  readonly maxFeePerBlobGas?: Wei;
  readonly blobs?: number;
}

/** A list's first byte: what starts so is a transaction without a type (EIP-2718). */
const FIRST_LIST_BYTE = 0xc0;

/**
 * The transaction that `bytes` says, and nothing but what `bytes` says: `encodeUnsigned(value)` gives back the same bytes.
 * The modules of the types say what each of them looks like.
 *
 * - `unsupported_transaction_type`: a type that is not known, or nothing at all
 * - `signed_transaction`: what is to be signed carries no signature yet
 * - `wrong_field_count`: not the fields of its type
 * - `malformed_integer`: leading zeros, or a list where an integer belongs
 * - `…_out_of_range`: chain id 1 … 2^53−1; nonce 0 … 2^53−1; gas limit below 2^64; fees and value below 2^256
 * - `priority_fee_above_max_fee`: invalid by EIP-1559
 * - `max_fee_overflow`: the total fee is not below 2^256; nodes refuse it
 * - the codes of RLP and those that the types add
 */
export function decodeUnsigned(bytes: Uint8Array): Result<Transaction, TransactionErrorCode> {
  const first = bytes[0];
  switch (first) {
    case EIP1559_TYPE:
      return decodeEip1559(bytes);
    case EIP2930_TYPE:
      return decodeEip2930(bytes);
    case EIP4844_TYPE:
      return decodeEip4844(bytes);
    case EIP7702_TYPE:
      return decodeEip7702(bytes);
    default:
      return first !== undefined && first >= FIRST_LIST_BYTE
        ? decodeLegacy(bytes)
        : err('unsupported_transaction_type');
  }
}

/** The bytes that are signed. Throws a RangeError for a transaction that {@link decodeUnsigned} would refuse. */
export function encodeUnsigned(transaction: Transaction): Uint8Array {
  const bytes = encode(transaction);
  const decoded = decodeUnsigned(bytes);
  if (!decoded.ok) throw new RangeError(`a transaction that no one may sign: ${decoded.error}`);
  return bytes;
}

function encode(transaction: Transaction): Uint8Array {
  switch (transaction.type) {
    case 'legacy':
      return encodeLegacy(transaction);
    case 'eip2930':
      return encodeEip2930(transaction);
    case 'eip1559':
      return encodeEip1559(transaction);
    case 'eip4844':
      return encodeEip4844(transaction);
    case 'eip7702':
      return encodeEip7702(transaction);
    default:
      return assertNever(transaction);
  }
}

/**
 * The bytes that are broadcast: the fields and the signature behind them; a transaction with blobs is broadcast together
 * with its sidecar, which is not made here. `unsigned` are the bytes that were decoded and signed; their fields are carried
 * over as they are. Throws a RangeError where they are no such envelope, or for scalars that no signature has.
 */
export function encodeSigned(unsigned: Uint8Array, signature: TransactionSignature): Uint8Array {
  const type = unsigned[0] ?? 0;
  if (type >= FIRST_LIST_BYTE) return signLegacy(unsigned, signature);
  if (type < EIP2930_TYPE || type > EIP7702_TYPE) throw new RangeError('not the envelope of a transaction');
  const parity = signature.yParity === 1 ? Uint8Array.of(1) : new Uint8Array(0);
  return appendToRlpList(unsigned, 1, [parity, ...scalarFields(signature)]);
}

/**
 * What the account signs: the Keccak-256 of the very bytes that were decoded. They are never encoded anew on the way, so
 * what was judged and what is signed cannot differ.
 */
export function signingDigest(unsigned: Uint8Array, keccak: Keccak256): Uint8Array {
  return keccak(unsigned);
}

/** What the transaction can cost at most. */
export function feeOf(transaction: Transaction): TransactionFee {
  switch (transaction.type) {
    case 'legacy':
    case 'eip2930': {
      const { gasLimit, gasPrice } = transaction;
      return feeBeforeBlobs(gasLimit, gasPrice, gasPrice);
    }
    case 'eip1559':
    case 'eip7702':
      return feeBeforeBlobs(transaction.gasLimit, transaction.maxFeePerGas, transaction.maxPriorityFeePerGas);
    case 'eip4844': {
      const { gasLimit, maxFeePerGas, maxPriorityFeePerGas, maxFeePerBlobGas } = transaction;
      const blobs = transaction.blobVersionedHashes.length;
      const gas = feeBeforeBlobs(gasLimit, maxFeePerGas, maxPriorityFeePerGas);
      const blobFee = BigInt(blobs) * GAS_PER_BLOB * maxFeePerBlobGas;
      return { ...gas, maxFeeWei: (gas.maxFeeWei + blobFee) as Wei, maxFeePerBlobGas, blobs };
    }
    default:
      return assertNever(transaction);
  }
}

function feeBeforeBlobs(gasLimit: bigint, maxFeePerGas: Wei, maxPriorityFeePerGas: Wei): TransactionFee {
  return { maxFeeWei: (gasLimit * maxFeePerGas) as Wei, gasLimit, maxFeePerGas, maxPriorityFeePerGas };
}
