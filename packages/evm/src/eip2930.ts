import { err, ok, type Result, type Wei } from '@keepwatch/base';
import type { Address } from './address.ts';
import {
  accessListField,
  addressField,
  encodeTyped,
  openFields,
  readAccessList,
  readChainId,
  readData,
  readFee,
  readGasLimit,
  readNonce,
  readRecipient,
  readValue,
  uintField,
  type AccessListEntry,
  type TransactionErrorCode,
} from './transaction-fields.ts';

/** An unsigned transaction with an access list (EIP-2930, type 0x01). The gas price is in wei. */
export interface Eip2930Transaction {
  readonly type: 'eip2930';
  readonly chainId: number;
  readonly nonce: number;
  readonly gasPrice: Wei;
  readonly gasLimit: bigint;
  /** `null`: the transaction creates a contract. */
  readonly to: Address | null;
  readonly value: Wei;
  /** A view into the decoded bytes, not a copy. */
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListEntry[];
}

export const EIP2930_TYPE = 0x01;

/** `bytes` is 0x01 ‖ rlp([chainId, nonce, gasPrice, gasLimit, to, value, data, accessList]). */
export function decodeEip2930(bytes: Uint8Array): Result<Eip2930Transaction, TransactionErrorCode> {
  const reader = openFields(bytes, 1, 8, 3);
  const chainId = readChainId(reader);
  const nonce = readNonce(reader);
  const gasPrice = readFee(reader);
  const gasLimit = readGasLimit(reader, gasPrice);
  const to = readRecipient(reader);
  const value = readValue(reader);
  const data = readData(reader);
  const accessList = readAccessList(reader);
  if (reader.error !== null) return err(reader.error);
  return ok({ type: 'eip2930', chainId, nonce, gasPrice, gasLimit, to, value, data, accessList });
}

export function encodeEip2930(transaction: Eip2930Transaction): Uint8Array {
  return encodeTyped(EIP2930_TYPE, [
    uintField(transaction.chainId),
    uintField(transaction.nonce),
    uintField(transaction.gasPrice),
    uintField(transaction.gasLimit),
    addressField(transaction.to),
    uintField(transaction.value),
    transaction.data,
    accessListField(transaction.accessList),
  ]);
}
