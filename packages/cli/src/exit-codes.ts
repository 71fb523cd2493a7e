import { CodedError } from '@keepwatch/base';

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
const UNTRUSTED =
  /^(identity_|tls_pin_|tls_statement_|receipt_|head_|rollback_|journal_|signed_transaction_|handshake_)/;

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
  return UNTRUSTED.test(error.code) ? EXIT.untrusted : EXIT.failure;
}
