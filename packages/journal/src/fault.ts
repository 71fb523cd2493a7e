import { assertNever } from '@keepwatch/base';
import type { HeadLinkFault } from '@keepwatch/wire';

export type JournalFaultCode =
  /** The entries of a batch do not open under their key and place, or are not those that its head was signed for. */
  | 'journal_entry_altered'
  /** Entries are missing. */
  | 'journal_gap'
  /** Entries stand where others belong: re-ordered, repeated or replayed. */
  | 'journal_out_of_order'
  /** A batch does not follow from the one before it. */
  | 'journal_chain_broken'
  /** A head is not one that the receipt key signed. */
  | 'journal_head_forged'
  /** No entry has this number. */
  | 'journal_entry_unknown';

/** What is wrong with a journal, and at which entry. `message` is for people. */
export interface JournalFault {
  readonly code: JournalFaultCode;
  /** The first entry that is concerned. */
  readonly seq: number;
  readonly message: string;
}

export function fault(code: JournalFaultCode, seq: number, message: string): JournalFault {
  return { code, seq, message };
}

/** A broken link between two heads, in the journal's terms. `expected` is the number that had to come next. */
export function linkFault(code: HeadLinkFault, expected: number, next: { firstSeq: number }): JournalFault {
  switch (code) {
    case 'head_gap':
      return fault('journal_gap', expected, `Entries ${expected} to ${next.firstSeq - 1} are missing.`);
    case 'head_overlap':
      return fault('journal_out_of_order', expected, `Entry ${next.firstSeq} comes where ${expected} belongs.`);
    case 'head_link_broken':
      return fault(
        'journal_chain_broken',
        next.firstSeq,
        `The batch from ${next.firstSeq} does not follow its predecessor.`,
      );
    case 'head_epoch_fell':
      return fault('journal_chain_broken', next.firstSeq, `The epoch falls at ${next.firstSeq}.`);
    case 'head_time_fell':
      return fault('journal_chain_broken', next.firstSeq, `The time goes back at ${next.firstSeq}.`);
    case 'head_other_vault':
      return fault('journal_chain_broken', next.firstSeq, `The batch from ${next.firstSeq} is another vault's.`);
    default:
      return assertNever(code);
  }
}
