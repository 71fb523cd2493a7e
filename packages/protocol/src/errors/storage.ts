import { text, type ErrorText } from './text.ts';

const TAMPERED =
  'Somebody or something changed the data. Keep a copy for inspection, and restore the newest backup that verifies.';

/** The journal and what lies under it. */
export const STORAGE_ERRORS = {
  storage_full: text(
    'The disk is full: nothing was journaled, so nothing was signed.',
    'Free space where the data lies. At a vault, sealing and revoking still work.',
  ),
  storage_busy: text('Another process has the journal open.', 'Stop the other process: one vault, one daemon.'),
  storage_failed: text(
    'The journal could not be read or written; what was under way is unknown.',
    'Look at the disk and its messages, then start again: the journal tells what became durable.',
  ),
  storage_corrupt: text(
    'The file is damaged, was altered, or is no journal of Keepwatch.',
    'Keep the file for inspection and restore the newest backup.',
  ),
  storage_format_unknown: text(
    'A newer Keepwatch wrote this journal.',
    'Start the version that wrote it, or a later one.',
  ),
  storage_out_of_order: text(
    'A batch does not continue the journal that is stored.',
    'Open the journal again: this process and its store no longer agree.',
  ),

  journal_entry_altered: text('Entries are not the ones that their head was signed for.', TAMPERED),
  journal_gap: text('Entries are missing.', TAMPERED),
  journal_out_of_order: text('Entries stand where others belong: re-ordered, repeated or replayed.', TAMPERED),
  journal_chain_broken: text('A batch does not follow from the one before it.', TAMPERED),
  journal_head_forged: text('A head is not one that the vault’s receipt key signed.', TAMPERED),
  journal_entry_unknown: text('No entry has this number.', 'Ask for one up to the head that the vault’s status names.'),
  journal_fold_differs: text(
    'The journal is whole, but the vault’s state does not follow from it.',
    'Seal and unseal the vault, verify again, and report it.',
  ),
} as const satisfies Record<string, ErrorText>;
