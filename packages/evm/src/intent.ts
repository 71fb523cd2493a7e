import { err, ok, type Result, type Wei } from '@keepwatch/base';
import type { Address } from './address.ts';
import type { Eip1559Transaction } from './eip1559.ts';

/**
 * What a transaction would do, in words that a permission engine judges: send ether to one account, and nothing else.
 * Amounts are in wei.
 */
export interface EtherTransferIntent {
  readonly kind: 'ether-transfer';
  /** CAIP-2, for instance `eip155:1`. */
  readonly chain: `eip155:${number}`;
  readonly nonce: number;
  readonly recipient: Address;
  readonly valueWei: Wei;
  /**
   * The most that execution can cost: gasLimit × maxFeePerGas (EIP-1559). Rollups that take a fee for their data besides
   * (OP Stack and its kin) take more than this, and no field of the transaction bounds it.
   */
  readonly maxFeeWei: Wei;
  readonly gasLimit: bigint;
  readonly maxFeePerGas: Wei;
  readonly maxPriorityFeePerGas: Wei;
}

export type IntentErrorCode =
  'contract_creation_not_supported' | 'calldata_not_supported' | 'access_list_not_supported';

/**
 * The intent of a transaction, where it has one that is understood completely. Everything else is refused: what is not
 * understood cannot be permitted. An access list does nothing for a transfer but add to its cost, so it is refused too.
 */
export function intentOf(transaction: Eip1559Transaction): Result<EtherTransferIntent, IntentErrorCode> {
  if (transaction.to === null) return err('contract_creation_not_supported');
  if (transaction.data.length > 0) return err('calldata_not_supported');
  if (transaction.accessList.length > 0) return err('access_list_not_supported');
  return ok({
    kind: 'ether-transfer',
    chain: `eip155:${transaction.chainId}`,
    nonce: transaction.nonce,
    recipient: transaction.to,
    valueWei: transaction.value,
    maxFeeWei: (transaction.gasLimit * transaction.maxFeePerGas) as Wei,
    gasLimit: transaction.gasLimit,
    maxFeePerGas: transaction.maxFeePerGas,
    maxPriorityFeePerGas: transaction.maxPriorityFeePerGas,
  });
}
