import { text, type ErrorText } from './text.ts';

const DISTRUST = 'Do not broadcast anything, and do not trust this connection. Look at the vault’s journal.';
const FALSE_RECEIPT = 'It proves nothing. Ask the vault for the receipt again, over a connection that you trust.';

/** What a client finds by itself: in its files, in what it was given, and in answers that do not hold. */
export const CLIENT_ERRORS = {
  connection_string_invalid: text(
    'This is no connection string.',
    'Copy it whole, from `keepwatch://` to the end, as the vault shows it.',
  ),
  identity_exists: text('There is a key already.', 'Use it, or choose another path. A key is never overwritten.'),
  identity_missing: text('There is no readable key.', 'Check the path, or make a key first.'),
  identity_exposed: text(
    'Others than you may read or change the key.',
    'Run `chmod 600` on it as its owner. If somebody may have read it, make a new key.',
  ),
  identity_malformed: text(
    'The file is not a Keepwatch key, or it is damaged.',
    'Restore the file from a copy, or make a new key and have it registered.',
  ),
  identity_unwritable: text('The key cannot be written.', 'Choose a path in a directory that you may write to.'),
  memory_malformed: text(
    'What was remembered of the vaults cannot be read.',
    'Restore the file from a copy. Moving it away forgets which state of the vault was seen last.',
  ),
  memory_unwritable: text(
    'What is to be remembered cannot be written.',
    'Check the free space and the rights of the directory.',
  ),

  signed_transaction_differs: text('The signature is not over what was asked for.', DISTRUST),
  transfer_invalid: text(
    'The transfer has a field that no node would take, or one that would not be signed.',
    'Correct what the message names.',
  ),
  receipt_malformed: text('This is no receipt.', 'Use the file as it was written.'),
  receipt_other_vault: text('The receipt is of another vault.', 'Check it against the vault that issued it.'),
  receipt_seq_mismatch: text('The receipt’s place is not in the batch that it names.', FALSE_RECEIPT),
  receipt_path_mismatch: text('The entry is not in the batch that the vault signed.', FALSE_RECEIPT),
  receipt_head_signature: text('The vault has not signed this receipt.', FALSE_RECEIPT),
  receipt_key_unknown: text(
    'The vault’s receipt key is not known here.',
    'Connect to the vault once, or name the key on the command line.',
  ),
  receipt_other_request: text('The receipt is for another request than the one that was sent.', DISTRUST),
  receipt_other_command: text('The receipt is for another command than the one that was sent.', DISTRUST),
  receipt_missing: text('A permit that the vault’s journal holds was not among the receipts.', DISTRUST),
  vault_rolled_back: text(
    'The vault’s journal ends before what it has signed: an older database was put back.',
    'Look at the vault’s machine. Until `keepwatch vault resume` it signs nothing, if it has noticed it itself.',
  ),
  vault_forked: text(
    'The vault’s journal is another one than the one that was known.',
    'Look at the vault’s machine, and at who can reach its database. Do not trust what it says.',
  ),
  receipt_out_of_order: text('Receipts came out of order, or one is missing.', DISTRUST),

  node_unreachable: text('The node cannot be reached.', 'Check its address, and that it runs.'),
  node_refused: text('The node refused the request.', 'The message has the node’s words.'),
  transaction_not_mined: text(
    'The transaction was not mined in time.',
    'Look it up by its hash before you ask for another one: it may be mined later.',
  ),
} as const satisfies Record<string, ErrorText>;
