import { text, type ErrorText } from './text.ts';

const TRY_AGAIN = 'Connect again. If it happens repeatedly, look at the logs of the vault.';
const INTRUDER =
  'Somebody may sit between this machine and the vault. Compare the connection string with the one the vault shows.';
const UPDATE = 'Update the client or the vault, so that both speak the same version.';

/**
 * What can go wrong between a peer and a vault, beyond what the vault itself answers. A peer learns some of it from a
 * close reason, which nobody authenticates: it says where to look, and decides nothing.
 */
export const CONNECTION_ERRORS = {
  connection_failed: text('The vault cannot be reached.', 'Check host and port, and that the vault runs.'),
  connection_timeout: text('The vault did not answer in time.', TRY_AGAIN),
  connection_closed: text('The connection was closed.', TRY_AGAIN),
  connection_lost: text('The connection broke off.', TRY_AGAIN),
  connection_too_slow: text('The vault closed the connection, because this end was too slow.', TRY_AGAIN),
  keep_unavailable: text('The vault’s edge answers, but its keep is not there.', 'Wait a moment and try again.'),
  request_timeout: text(
    'No answer came in time. Whether the request was carried out is unknown.',
    'Repeat it with the same idempotency key: what was done is not done twice.',
  ),

  tls_pin_mismatch: text('TLS ends at a key that is not the vault’s.', INTRUDER),
  identity_mismatch: text('This is not the vault that the connection string names.', INTRUDER),
  handshake_signature: text('The handshake carries a signature that does not fit.', INTRUDER),
  handshake_transcript: text('The two ends have not seen the same handshake.', INTRUDER),
  handshake_malformed: text('A handshake message is not of this protocol.', UPDATE),
  handshake_version: text('The other end speaks another version of the protocol.', UPDATE),
  handshake_out_of_order: text('A handshake message came out of order.', TRY_AGAIN),
  handshake_expired: text('The handshake took too long.', TRY_AGAIN),
  handshake_unconfirmed: text('The vault did not confirm the keys of the session.', TRY_AGAIN),
  registration_closed: text(
    'The vault takes no new peers now.',
    'Try again in a minute. If it stays so, ask an operator to unseal it.',
  ),

  frame_malformed: text('A frame is not of this protocol.', INTRUDER),
  frame_out_of_order: text('A frame was dropped, repeated or sent back on its way.', INTRUDER),
  frame_forged: text('A frame was changed on its way.', INTRUDER),
  frame_too_large: text('A message is too large.', 'Send less at once.'),
  session_exhausted: text('The session has sent all that its key may protect.', 'Connect again.'),
  session_closed: text('The session has ended.', 'Connect again.'),
  head_forged: text('The vault showed a journal head that it has not signed.', INTRUDER),
} as const satisfies Record<string, ErrorText>;

export type ConnectionErrorCode = keyof typeof CONNECTION_ERRORS;
