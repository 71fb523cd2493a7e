import { err, ok, type Result } from '@keepwatch/base';
import type { Address } from './address.ts';
import { authorizationListField, readAuthorizationList, type SignedAuthorization } from './authorization.ts';
import { feeMarketFields, type FeeMarketFields } from './eip1559.ts';
import {
  encodeTyped,
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
  type TransactionErrorCode,
} from './transaction-fields.ts';

/** An unsigned transaction that sets the code of accounts (EIP-7702, type 0x04). */
export interface Eip7702Transaction extends FeeMarketFields {
  readonly type: 'eip7702';
  readonly to: Address;
  /** At least one. Whose accounts they change is told by their signatures alone. */
  readonly authorizationList: readonly SignedAuthorization[];
}

export const EIP7702_TYPE = 0x04;

/** `bytes` is 0x04 ‖ rlp([the nine fields of EIP-1559, authorizationList]). `recipient_required`: it creates no contract. */
export function decodeEip7702(bytes: Uint8Array): Result<Eip7702Transaction, TransactionErrorCode> {
  const reader = openFields(bytes, 1, 10, 3);
  const chainId = readChainId(reader);
  const nonce = readNonce(reader);
  const maxPriorityFeePerGas = readFee(reader);
  const maxFeePerGas = readMaxFee(reader, maxPriorityFeePerGas);
  const gasLimit = readGasLimit(reader, maxFeePerGas);
  const to = readRequiredRecipient(reader);
  const value = readValue(reader);
  const data = readData(reader);
  const accessList = readAccessList(reader);
  const authorizationList = readAuthorizationList(reader, chainId);
  if (reader.error !== null) return err(reader.error);
  return ok({
    type: 'eip7702',
    chainId,
    nonce,
    maxPriorityFeePerGas,
    maxFeePerGas,
    gasLimit,
    to,
    value,
    data,
    accessList,
    authorizationList,
  });
}

export function encodeEip7702(transaction: Eip7702Transaction): Uint8Array {
  return encodeTyped(EIP7702_TYPE, [
    ...feeMarketFields(transaction),
    authorizationListField(transaction.authorizationList),
  ]);
}
