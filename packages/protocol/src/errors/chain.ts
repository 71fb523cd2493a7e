import { text, type ErrorText } from './text.ts';

/** What a source of a bitcoin chain says of itself. */
export const CHAIN_ERRORS = {
  node_auth_refused: text(
    'The node refused the user name or password.',
    'Check the cookie file, or user name and password.',
  ),
  block_pruned: text(
    'The node no longer has this block.',
    'Scan with a node that keeps all blocks, or with the light client.',
  ),
  block_differs: text(
    'The block that a source sent is not what its header commits to.',
    'Do not trust this source; look at its disk, or at who runs it.',
  ),
  cursor_unknown: text(
    'The source knows none of the blocks that were seen last.',
    'Check that it is on the right network and in sync, or begin anew at a height.',
  ),
  scan_reorganised: text(
    'The chain was reorganised while its blocks were looked through.',
    'Scan again: it goes on from some blocks before.',
  ),
  data_dir_in_use: text(
    'Another process uses this directory.',
    'Wait until it has ended, end it, or name another directory.',
  ),
  data_dir_unusable: text(
    'A directory in which the chain is kept cannot be locked.',
    'Look at its permissions and at its disk, or name another directory.',
  ),
  certificates_damaged: text(
    'The file with the certificates of servers cannot be read.',
    'Put a copy of it back. Removing it means to trust what each server shows next.',
  ),
  backfill_worker_ended: text(
    'A thread that looks through past blocks has ended.',
    'Start the scan again: it goes on from the last block that it reported.',
  ),
  source_behind: text('A source of the chain is behind the others.', 'Wait, or look at what holds it up.'),
  source_failed: text('A source of the chain failed in a way that was not foreseen.', 'The message has its words.'),
} as const satisfies Record<string, ErrorText>;
