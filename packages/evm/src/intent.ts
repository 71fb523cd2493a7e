import { err, ok, type Result, type Wei } from '@keepwatch/base';
import type { Address } from './address.ts';
import { feeOf, type Transaction, type TransactionFee } from './transaction.ts';

/**
 * What a transaction would do, in words that a permission engine judges: send ether to one account, and nothing else.
 * Amounts are in wei.
 */
export interface EtherTransferIntent extends TransactionFee {
  readonly kind: 'ether-transfer';
  /** CAIP-2, for instance `eip155:1`. */
  readonly chain: `eip155:${number}`;
  readonly nonce: number;
  readonly recipient: Address;
  readonly valueWei: Wei;
}

export type IntentErrorCode =
  | 'contract_creation_not_supported'
  | 'calldata_not_supported'
  | 'access_list_not_supported'
  | 'blobs_not_supported'
  | 'delegation_not_supported';

/**
 * The intent of a transaction, where it has one that is understood completely. Everything else is refused: what is not
 * understood cannot be permitted. An access list does nothing for a transfer but add to its cost, so it is refused too.
 */
export function intentOf(transaction: Transaction): Result<EtherTransferIntent, IntentErrorCode> {
  if (transaction.type === 'eip4844') return err('blobs_not_supported');
  if (transaction.type === 'eip7702') return err('delegation_not_supported');
  if (transaction.to === null) return err('contract_creation_not_supported');
  if (transaction.data.length > 0) return err('calldata_not_supported');
  if (transaction.type !== 'legacy' && transaction.accessList.length > 0) return err('access_list_not_supported');
  return ok({
    kind: 'ether-transfer',
    chain: `eip155:${transaction.chainId}`,
    nonce: transaction.nonce,
    recipient: transaction.to,
    valueWei: transaction.value,
    ...feeOf(transaction),
  });
}
