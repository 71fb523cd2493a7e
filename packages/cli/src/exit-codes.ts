import { CodedError } from '@keepwatch/base';
import type { ErrorCode } from '@keepwatch/protocol';

/** What the command returns to the shell. Scripts may rely on these. */
export const EXIT = {
  ok: 0,
  failure: 1,
  /** Unknown command or option, a value that cannot be read, a prompt without a terminal. */
  usage: 2,
  /** The vault decided and said no. */
  denied: 3,
  /** The vault cannot be reached, is sealed, frozen or not initialised. */
  unavailable: 4,
  /** Something is not what it claims: identity, TLS key, receipt, journal. */
  untrusted: 5,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

const UNAVAILABLE = [
  'vault_sealed',
  'vault_uninitialised',
  'signing_frozen',
  'clock_frozen',
  'keep_unavailable',
  'connection_failed',
  'connection_closed',
  'request_timeout',
];
/** What says that something is forged, damaged or put in another's place. Of these, a new code is one until it is excepted. */
const UNTRUSTED = /^(identity_|tls_pin_|tls_statement_|receipt_|head_|journal_|signed_transaction_|handshake_|frame_)/;
const UNTRUSTED_TOO: readonly string[] = ['vault_rolled_back', 'vault_forked'] satisfies ErrorCode[];
const NOT_UNTRUSTED: readonly string[] = [
  ...(['identity_exists', 'identity_missing', 'identity_exposed', 'identity_unwritable'] as const),
  ...(['receipt_key_unknown', 'journal_entry_unknown', 'journal_entry_unread', 'journal_snapshot_unread'] as const),
  ...(['handshake_malformed', 'handshake_version', 'handshake_out_of_order'] as const),
  ...(['handshake_expired', 'handshake_unconfirmed', 'frame_too_large'] as const),
] satisfies ErrorCode[];

/** A mistake in what was typed: exit code 2. */
export function usageError(code: string, message: string, remedy?: string): CodedError {
  return new CodedError(`usage_${code}`, message, remedy === undefined ? {} : { remedy });
}

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CodedError)) return EXIT.failure;
  if (error.code.startsWith('usage_')) return EXIT.usage;
  if (error.code === 'interrupted') return EXIT.interrupted;
  if (error.code === 'denied') return EXIT.denied;
  if (UNAVAILABLE.includes(error.code)) return EXIT.unavailable;
  return isUntrusted(error.code) ? EXIT.untrusted : EXIT.failure;
}

const isUntrusted = (code: string) =>
  (UNTRUSTED.test(code) || UNTRUSTED_TOO.includes(code)) && !NOT_UNTRUSTED.includes(code);
