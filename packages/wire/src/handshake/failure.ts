/** Why a handshake ended. The codes are stable. */
export type HandshakeCode =
  /** Not a message of this protocol: shape, size, member, length. */
  | 'handshake_malformed'
  /** The other side speaks another version of the protocol. */
  | 'handshake_version'
  /** A message that does not belong to this step. */
  | 'handshake_out_of_order'
  /** The key is not registered for this role. */
  | 'peer_unknown'
  /** The vault takes no new peers now. */
  | 'registration_closed'
  | 'handshake_signature'
  /** The peer wants another vault, or the vault's keys do not give the identity that the peer expects. */
  | 'identity_mismatch'
  /** TLS ended at somebody else: the peer saw another key than the vault's edge has. */
  | 'tls_pin_mismatch'
  | 'handshake_expired'
  /** The two ends have not seen the same messages, or one is from another handshake. */
  | 'handshake_transcript'
  /** The bootstrap token is wrong, used up, missing, or was not asked for. */
  | 'token_invalid';

export interface HandshakeFailure {
  /** What happened: for this end's own records. */
  readonly code: HandshakeCode;
  /** What the other end may be told. */
  readonly tell: HandshakeCode;
}

export function failure(code: HandshakeCode, tell: HandshakeCode = code): { ok: false; error: HandshakeFailure } {
  return { ok: false, error: { code, tell } };
}
