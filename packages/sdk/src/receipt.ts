import { CodedError, err, ok, toBase64url, type Result } from '@keepwatch/base';
import type { ReceiptJson } from '@keepwatch/protocol';
import { isObject, parseReceipt, vaultId, verifyReceipt, type JsonObject, type ReceiptFault } from '@keepwatch/wire';
import { sha256, wireCrypto } from './crypto-node.ts';

/** What anybody needs to check a vault's receipts, now or in ten years, without asking the vault. */
export interface ReceiptAuthority {
  /** Ed25519, 32 bytes. The vault's identity commits to it, and its journal is named by it. */
  readonly receiptPublicKey: Uint8Array;
}

export interface CheckedReceipt {
  readonly seq: number;
  /** What the journal says at `seq`. */
  readonly entry: JsonObject;
  /** The proof itself, to be kept and shown to others. */
  readonly json: ReceiptJson;
}

/** Whether the journal that this vault signed really holds the entry. `json` is of unknown origin. */
export function checkReceipt(json: unknown, authority: ReceiptAuthority): Result<CheckedReceipt, ReceiptFault> {
  const receipt = parseReceipt(json);
  if (!receipt.ok) return receipt;
  const { receiptPublicKey } = authority;
  const vault = toBase64url(vaultId(sha256, receiptPublicKey));
  const crypto = { sha256, ed25519Verify: wireCrypto.ed25519Verify };
  const verified = verifyReceipt(receipt.value, { receiptPublicKey, vault }, crypto);
  if (!verified.ok) return verified;
  const { seq, entry } = verified.value;
  return isObject(entry) ? ok({ seq, entry, json: json as ReceiptJson }) : err('receipt_malformed');
}

/** As {@link checkReceipt}, for a receipt that has to hold: throws the fault's code. */
export function demandReceipt(json: unknown, authority: ReceiptAuthority): CheckedReceipt {
  const checked = checkReceipt(json, authority);
  if (checked.ok) return checked.value;
  throw new CodedError(checked.error, 'The vault answered with a receipt that does not hold.', {
    remedy: 'Do not trust this connection. Check the identity in the connection string, and look at the vault.',
  });
}
