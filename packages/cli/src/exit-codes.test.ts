import { CodedError } from '@keepwatch/base';
import { ERRORS, type ErrorCode } from '@keepwatch/protocol';
import { expect, it } from 'vitest';
import { EXIT, exitCodeOf } from './exit-codes.ts';

const exitOf = (code: ErrorCode) => exitCodeOf(new CodedError(code, ''));

/** By what docs/errors.md says of each, and not by how the codes begin. */
const UNTRUSTED: readonly ErrorCode[] = [
  ...(['tls_pin_mismatch', 'identity_mismatch', 'identity_malformed'] as const),
  ...(['handshake_signature', 'handshake_transcript'] as const),
  ...(['frame_malformed', 'frame_out_of_order', 'frame_forged', 'head_forged', 'signed_transaction_differs'] as const),
  ...(['receipt_malformed', 'receipt_other_vault', 'receipt_seq_mismatch', 'receipt_path_mismatch'] as const),
  ...(['receipt_head_signature', 'receipt_other_request', 'receipt_other_command', 'receipt_missing'] as const),
  ...(['receipt_out_of_order', 'vault_rolled_back', 'vault_forked'] as const),
  ...(['journal_entry_altered', 'journal_gap', 'journal_out_of_order', 'journal_chain_broken'] as const),
  ...(['journal_head_forged', 'journal_fold_differs'] as const),
];

it('says “not authentic” of what is forged or damaged, and of nothing else', () => {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  expect(codes.filter((code) => exitOf(code) === EXIT.untrusted).sort()).toEqual([...UNTRUSTED].sort());
});

it('says plain failure of an entry that is not there', () => {
  expect(exitOf('journal_entry_unknown')).toBe(EXIT.failure);
});
