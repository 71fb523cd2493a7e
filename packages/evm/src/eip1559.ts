import { err, ok, type Result, type Wei } from '@keepwatch/base';
import type { Address } from './address.ts';
import type { RlpItem } from './rlp.ts';
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
  readMaxFee,
  readNonce,
  readRecipient,
  readValue,
  uintField,
  type AccessListEntry,
  type TransactionErrorCode,
} from './transaction-fields.ts';

/** The fields of every type that has the fee market of EIP-1559. Fees per gas are in wei. */
export interface FeeMarketFields {
  readonly chainId: number;
  readonly nonce: number;
  readonly maxPriorityFeePerGas: Wei;
  readonly maxFeePerGas: Wei;
  readonly gasLimit: bigint;
  readonly value: Wei;
  /** A view into the decoded bytes, not a copy. */
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListEntry[];
}

/** An unsigned fee-market transaction (EIP-1559, type 0x02). */
export interface Eip1559Transaction extends FeeMarketFields {
  readonly type: 'eip1559';
  /** `null`: the transaction creates a contract. */
  readonly to: Address | null;
}

export const EIP1559_TYPE = 0x02;

/** `bytes` is 0x02 ‖ rlp([chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value, data, accessList]). */
export function decodeEip1559(bytes: Uint8Array): Result<Eip1559Transaction, TransactionErrorCode> {
  const reader = openFields(bytes, 1, 9, 3);
  const chainId = readChainId(reader);
  const nonce = readNonce(reader);
  const maxPriorityFeePerGas = readFee(reader);
  const maxFeePerGas = readMaxFee(reader, maxPriorityFeePerGas);
  const gasLimit = readGasLimit(reader, maxFeePerGas);
  const to = readRecipient(reader);
  const value = readValue(reader);
  const data = readData(reader);
  const accessList = readAccessList(reader);
  if (reader.error !== null) return err(reader.error);
  return ok({
    type: 'eip1559',
    chainId,
    nonce,
    maxPriorityFeePerGas,
    maxFeePerGas,
    gasLimit,
    to,
    value,
    data,
    accessList,
  });
}

export function encodeEip1559(transaction: Eip1559Transaction): Uint8Array {
  return encodeTyped(EIP1559_TYPE, feeMarketFields(transaction));
}

/** The nine fields with which every type of the fee market begins. */
export function feeMarketFields(transaction: FeeMarketFields & { readonly to: Address | null }): RlpItem[] {
  return [
    uintField(transaction.chainId),
    uintField(transaction.nonce),
    uintField(transaction.maxPriorityFeePerGas),
    uintField(transaction.maxFeePerGas),
    uintField(transaction.gasLimit),
    addressField(transaction.to),
    uintField(transaction.value),
    transaction.data,
    accessListField(transaction.accessList),
  ];
}
