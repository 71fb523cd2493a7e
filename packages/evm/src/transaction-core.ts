import { toHex, type Keccak256 } from '@keepwatch/base';
import { authorizationListField, type SignedAuthorization } from './authorization.ts';
import { encodeRlp } from './rlp.ts';

/** What of a transaction says what it does, apart from what it costs: fees, gas limit and access list are left out. */
export interface TransactionCore {
  readonly to: string | null;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly blobVersionedHashes?: readonly string[];
  readonly authorizationList?: readonly SignedAuthorization[];
}

/**
 * Two transactions of one account with the same nonce and the same core do the same: one can replace the other at a
 * higher fee. A plain text, for it stands in the journal; long parts are hashed.
 */
export function coreOf(transaction: TransactionCore, keccak: Keccak256): string {
  const { to, value, data, blobVersionedHashes = [], authorizationList = [] } = transaction;
  const hashed = (bytes: Uint8Array) => (bytes.length === 0 ? '' : toHex(keccak(bytes)));
  const core = `${to ?? 'create'}:${value}:${hashed(data)}`;
  if (blobVersionedHashes.length === 0 && authorizationList.length === 0) return core;
  const authorizations =
    authorizationList.length === 0 ? '' : hashed(encodeRlp(authorizationListField(authorizationList)));
  return `${core}:${blobVersionedHashes.join(',')}:${authorizations}`;
}
