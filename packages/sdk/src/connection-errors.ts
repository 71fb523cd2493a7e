import { CodedError } from '@keepwatch/base';
import { CLOSE_CODES, CONNECTION_ERRORS, ERRORS, isErrorCode, type ConnectionErrorCode } from '@keepwatch/protocol';

/** The errors of a connection, and what a close code and its reason come to. */

export function connectionError(
  code: ConnectionErrorCode,
  options: { cause?: unknown; details?: Readonly<Record<string, unknown>> } = {},
): CodedError {
  const { message, remedy } = CONNECTION_ERRORS[code];
  return new CodedError(code, message, { remedy, ...options });
}

/** The error behind a code that came from the other end; `fallback` where the table does not have it. */
export function errorOfCode(
  code: string,
  fallback: ConnectionErrorCode,
  details?: Readonly<Record<string, unknown>>,
): CodedError {
  const known = isErrorCode(code) ? code : fallback;
  const { message, remedy } = ERRORS[known];
  return new CodedError(known, message, { remedy, ...(details ? { details } : {}) });
}

/**
 * The error behind a WebSocket close (RFC 6455 §7.4; the numbers are `protocol`'s). Both parts come from the edge, which
 * nobody authenticates: they say where to look, and decide nothing.
 */
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
