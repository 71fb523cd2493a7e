import { equalBytes, type Sha256 } from '@keepwatch/base';
import type { StoredBatch } from '@keepwatch/journal';
import { headHash, parseHead, verifyHead, type Ed25519Verify, type Head } from '@keepwatch/wire';

/**
 * What a peer's remembered head says of this journal (DESIGN §3). A head counts only when this vault's receipt key
 * signed it, so that nobody can cry wolf. `behind`: the peer saw entries that are not here; `beside`: other entries
 * stand in their place. Both mean that an older database was put back. Heads of earlier epochs that are not on the
 * chain were given up by an operator who resumed the vault, so they are passed over.
 */
export type HeadVerdict = 'none' | 'agrees' | 'superseded' | 'behind' | 'beside';

export function judgeRememberedHead(
  head: unknown,
  own: {
    readonly vault: string;
    readonly receiptPublicKey: Uint8Array;
    readonly last: StoredBatch | undefined;
    readonly batchEndingAt: (seq: number) => StoredBatch | undefined;
  },
  crypto: { readonly sha256: Sha256; readonly ed25519Verify: Ed25519Verify },
): HeadVerdict {
  const parsed = head === null ? undefined : parseHead(head);
  if (!parsed?.ok || parsed.value.vault !== own.vault) return 'none';
  if (!verifyHead(parsed.value, own.receiptPublicKey, crypto.ed25519Verify)) return 'none';
  const { epoch, lastSeq } = parsed.value;
  if (!own.last || epoch > own.last.epoch) return 'behind';
  const sameEpoch = epoch === own.last.epoch;
  if (lastSeq > own.last.lastSeq) return sameEpoch ? 'behind' : 'superseded';
  const batch = own.batchEndingAt(lastSeq);
  // The hash of what the batch's fields say: the stored hash is a column that anybody with the file could write.
  const same =
    batch && equalBytes(headHash(crypto.sha256, headOf(batch, own.vault)), headHash(crypto.sha256, parsed.value));
  if (same) return 'agrees';
  return sameEpoch ? 'beside' : 'superseded';
}

function headOf({ epoch, firstSeq, lastSeq, root, prev, timeMs }: StoredBatch, vault: string): Head {
  return { version: 1, vault, epoch, firstSeq, lastSeq, root, prev, timeMs };
}
