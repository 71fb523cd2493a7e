import { err, ok, type Result, type Wei } from '@keepwatch/base';
import type { Address } from './address.ts';
import { countItems, fail, openList, readString } from './rlp-reader.ts';
import { encodeRlp, encodeRlpList } from './rlp.ts';
import { scalarFields, type TransactionSignature } from './signature.ts';
import {
  addressField,
  openFields,
  readChainId,
  readData,
  readFee,
  readGasLimit,
  readNonce,
  readRecipient,
  readValue,
  uintField,
  type FieldReader,
  type TransactionErrorCode,
} from './transaction-fields.ts';

/** An unsigned transaction without a type (Yellow Paper, §4.3) that is bound to its chain (EIP-155). */
export interface LegacyTransaction {
  readonly type: 'legacy';
  readonly chainId: number;
  readonly nonce: number;
  readonly gasPrice: Wei;
  readonly gasLimit: bigint;
  /** `null`: the transaction creates a contract. */
  readonly to: Address | null;
  readonly value: Wei;
  /** A view into the decoded bytes, not a copy. */
  readonly data: Uint8Array;
}

const CONTENT_FIELDS = 6;
const UNSIGNED_FIELDS = 9;

/**
 * `bytes` is rlp([nonce, gasPrice, gasLimit, to, value, data, chainId, 0, 0]) (EIP-155).
 *
 * - `not_replay_protected`: six fields, the form before EIP-155: a signature over it is good on every chain
 * - `signed_transaction`: r or s stands where the two zeros belong
 */
export function decodeLegacy(bytes: Uint8Array): Result<LegacyTransaction, TransactionErrorCode> {
  const reader = openFields(bytes, 0, UNSIGNED_FIELDS, 0);
  if (reader.error === 'wrong_field_count' && isUnprotected(bytes)) return err('not_replay_protected');
  const nonce = readNonce(reader);
  const gasPrice = readFee(reader);
  const gasLimit = readGasLimit(reader, gasPrice);
  const to = readRecipient(reader);
  const value = readValue(reader);
  const data = readData(reader);
  refuseSignature(reader);
  const chainId = readChainId(reader);
  if (reader.error !== null) return err(reader.error);
  return ok({ type: 'legacy', chainId, nonce, gasPrice, gasLimit, to, value, data });
}

/** Looks ahead at the two zeros behind the chain id. A signed transaction has v in its place, which is no chain id. */
function refuseSignature(reader: FieldReader): void {
  const { at } = reader;
  readString(reader, 'malformed_integer');
  for (let i = 0; i < 2; i++) {
    readString(reader, 'malformed_integer');
    if (reader.length > 0) fail(reader, 'signed_transaction');
  }
  if (reader.error === null) reader.at = at;
}

function isUnprotected(bytes: Uint8Array): boolean {
  return countItems(openList(bytes, 0, bytes.length, 'not_a_list')) === CONTENT_FIELDS;
}

export function encodeLegacy(transaction: LegacyTransaction): Uint8Array {
  return encodeRlp([
    uintField(transaction.nonce),
    uintField(transaction.gasPrice),
    uintField(transaction.gasLimit),
    addressField(transaction.to),
    uintField(transaction.value),
    transaction.data,
    uintField(transaction.chainId),
    uintField(0),
    uintField(0),
  ]);
}

/**
 * rlp([…the six fields, v, r, s]) with v = chainId × 2 + 35 + yParity (EIP-155). The fields of `unsigned` are carried over as
 * they are. Throws a RangeError where `unsigned` is not what {@link decodeLegacy} takes, or for an impossible signature.
 */
export function signLegacy(unsigned: Uint8Array, signature: TransactionSignature): Uint8Array {
  const decoded = decodeLegacy(unsigned);
  if (!decoded.ok) throw new RangeError(`not an unsigned legacy transaction: ${decoded.error}`);
  const reader = openList(unsigned, 0, unsigned.length, 'not_a_list');
  const from = reader.at;
  for (let i = 0; i < CONTENT_FIELDS; i++) readString(reader, 'not_a_string');
  const v = BigInt(decoded.value.chainId) * 2n + 35n + BigInt(signature.yParity);
  return encodeRlpList(unsigned.subarray(from, reader.at), [uintField(v), ...scalarFields(signature)]);
}
