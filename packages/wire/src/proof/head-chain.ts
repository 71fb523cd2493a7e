import { equalBytes, err, ok, type Result, type Sha256 } from '@keepwatch/base';
import { headHash, NO_HEAD, type Head } from './head.ts';

export type HeadLinkFault =
  /** Entries are missing between the two. */
  | 'head_gap'
  /** The second begins where the first already is: repeated or re-ordered. */
  | 'head_overlap'
  /** The second does not name the first's hash as `prev`. */
  | 'head_link_broken'
  | 'head_epoch_fell'
  | 'head_time_fell'
  | 'head_other_vault';

/** The place of a head in its chain, as its follower needs to know it. */
export interface HeadLink extends Pick<Head, 'vault' | 'epoch' | 'lastSeq' | 'timeMs'> {
  readonly hash: Uint8Array;
}

/** What is wrong with `next` as the follower of `before` (`undefined`: as the first of a journal), if anything. */
export function headLinkFault(before: HeadLink | undefined, next: Head): HeadLinkFault | undefined {
  const expected = (before?.lastSeq ?? 0) + 1;
  if (before !== undefined && next.vault !== before.vault) return 'head_other_vault';
  if (next.firstSeq > expected) return 'head_gap';
  if (next.firstSeq < expected) return 'head_overlap';
  if (!equalBytes(next.prev, before?.hash ?? NO_HEAD)) return 'head_link_broken';
  if (before !== undefined && next.epoch < before.epoch) return 'head_epoch_fell';
  if (before !== undefined && next.timeMs < before.timeMs) return 'head_time_fell';
  return undefined;
}

/**
 * Whether the heads are consecutive heads of one journal: linked by `prev`, without gap or overlap, the epoch and time
 * never falling. They may begin anywhere in the journal. Signatures are `verifyHead`'s business.
 * The fault names the position in `heads` of the first that does not fit.
 */
export function verifyHeadChain(
  heads: readonly Head[],
  sha256: Sha256,
): Result<void, { readonly code: HeadLinkFault; readonly position: number }> {
  let before: HeadLink | undefined;
  for (const [position, head] of heads.entries()) {
    if (before !== undefined || head.firstSeq === 1) {
      const code = headLinkFault(before, head);
      if (code !== undefined) return err({ code, position });
    }
    before = { ...head, hash: headHash(sha256, head) };
  }
  return ok(undefined);
}
