import { CodedError } from '@keepwatch/base';
import { CLOSE_CODES, ERRORS, isErrorCode } from '@keepwatch/protocol';

/**
 * What can go wrong between a peer and a vault, beyond what the vault itself answers. A close code and its reason come
 * from the edge, which nobody authenticates: they say where to look, and decide nothing.
 */

const TRY_AGAIN = 'Connect again. If it happens repeatedly, look at the logs of the vault.';
const INTRUDER =
  'Somebody may sit between this machine and the vault. Compare the connection string with the one the vault shows.';
const UPDATE = 'Update the client or the vault, so that both speak the same version.';

export const CONNECTION_ERRORS = {
  connection_failed: ['The vault cannot be reached.', 'Check host and port, and that the vault runs.'],
  connection_timeout: ['The vault did not answer in time.', TRY_AGAIN],
  connection_closed: ['The connection was closed.', TRY_AGAIN],
  connection_lost: ['The connection broke off.', TRY_AGAIN],
  connection_too_slow: ['The vault closed the connection, because this end was too slow.', TRY_AGAIN],
  keep_unavailable: ['The vault’s edge answers, but its keep is not there.', 'Wait a moment and try again.'],
  request_timeout: [
    'No answer came in time. Whether the request was carried out is unknown.',
    'Repeat it with the same idempotency key: what was done is not done twice.',
  ],

  tls_pin_mismatch: ['TLS ends at a key that is not the vault’s.', INTRUDER],
  identity_mismatch: ['This is not the vault that the connection string names.', INTRUDER],
  handshake_signature: ['The handshake carries a signature that does not fit.', INTRUDER],
  handshake_transcript: ['The two ends have not seen the same handshake.', INTRUDER],
  handshake_malformed: ['A handshake message is not of this protocol.', UPDATE],
  handshake_version: ['The other end speaks another version of the protocol.', UPDATE],
  handshake_out_of_order: ['A handshake message came out of order.', TRY_AGAIN],
  handshake_expired: ['The handshake took too long.', TRY_AGAIN],
  handshake_unconfirmed: ['The vault did not confirm the keys of the session.', TRY_AGAIN],
  registration_closed: ['The vault takes no new peers now.', 'Ask an operator to allow registrations.'],

  frame_malformed: ['A frame is not of this protocol.', INTRUDER],
  frame_out_of_order: ['A frame was dropped, repeated or sent back on its way.', INTRUDER],
  frame_forged: ['A frame was changed on its way.', INTRUDER],
  frame_too_large: ['A message is too large.', 'Send less at once.'],
  session_exhausted: ['The session has sent all that its key may protect.', 'Connect again.'],
  session_closed: ['The session has ended.', 'Connect again.'],
  head_forged: ['The vault showed a journal head that it has not signed.', INTRUDER],
} as const satisfies Record<string, readonly [message: string, remedy: string]>;

export type ConnectionErrorCode = keyof typeof CONNECTION_ERRORS;

function isConnectionErrorCode(code: string): code is ConnectionErrorCode {
  return Object.hasOwn(CONNECTION_ERRORS, code);
}

export function connectionError(
  code: ConnectionErrorCode,
  options: { cause?: unknown; details?: Readonly<Record<string, unknown>> } = {},
): CodedError {
  const [message, remedy] = CONNECTION_ERRORS[code];
  return new CodedError(code, message, { remedy, ...options });
}

/** The error behind a code that either table may hold; `fallback` where neither does. */
export function errorOfCode(code: string, fallback: ConnectionErrorCode, details: object = {}): CodedError {
  if (isErrorCode(code)) return new CodedError(code, ERRORS[code].message, { remedy: ERRORS[code].remedy });
  return connectionError(isConnectionErrorCode(code) ? code : fallback, { details: { ...details } });
}

/** The error behind a WebSocket close (RFC 6455 §7.4; the numbers are `protocol`'s). */
export function closeError(close: { readonly code: number; readonly reason: string }): CodedError {
  const { code, reason } = close;
  switch (code) {
    case CLOSE_CODES.keepUnavailable:
      return connectionError('keep_unavailable');
    case CLOSE_CODES.refused:
      return errorOfCode(reason, 'connection_closed', { close: code });
    case CLOSE_CODES.tooSlow:
    case CLOSE_CODES.slowReader:
      return connectionError('connection_too_slow', { details: { close: code } });
    case CLOSE_CODES.rateLimited:
      return errorOfCode('rate_limited', 'connection_closed');
    case CLOSE_CODES.tooLarge:
      return connectionError('frame_too_large');
    case CLOSE_CODES.normal:
    case CLOSE_CODES.goingAway:
      return connectionError('connection_closed', { details: { close: code } });
    default:
      return connectionError('connection_lost', { details: { close: code } });
  }
}
