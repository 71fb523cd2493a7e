import { CodedError, err, type Result } from '@keepwatch/base';
import type { WireCrypto } from './crypto.ts';
import { createNonceSequence, frameLength, openFrame, sealFrame, type FrameError } from './jwe.ts';

/**
 * A session: what both ends have once the handshake is done. Every payload is one frame, a compact JWE as ASCII bytes.
 * Bytes and not a string, because a binary WebSocket message is neither validated as UTF-8 nor converted on its way.
 *
 * The nonce is a counter that both ends keep by themselves, so a frame that was dropped, repeated, held back or sent
 * back to its sender does not open. The first frame that fails ends the session: nothing after it opens.
 */

/** The two ends: the vault's keep, and whoever speaks to it. */
export type Side = 'keep' | 'peer';

/** What the handshake derives. `createSession` wipes the two keys. */
export interface SessionKeys {
  /** Hash of the transcript, 32 bytes. */
  readonly id: Uint8Array;
  readonly keepToPeer: Uint8Array;
  readonly peerToKeep: Uint8Array;
}

export interface SessionLimits {
  /** Bytes of one payload. */
  readonly maxPayload: number;
  /** Bytes sent in one direction under one key. */
  readonly maxBytes: number;
}

/**
 * `maxPayload` gives frames that stay under the 256 KiB that the edge lets through. `maxBytes` is the bound of RFC 8446
 * §5.5 for AES-GCM (2^24.5 records of 2^14 bytes): after it a peer connects anew.
 */
export const DEFAULT_SESSION_LIMITS: SessionLimits = { maxPayload: 192_000, maxBytes: 2 ** 38 };

export type SessionError = FrameError | 'frame_too_large' | 'session_exhausted' | 'session_closed';

export interface Session {
  /** Hash of the handshake's transcript, 32 bytes: the same at both ends and never seen twice. */
  readonly id: Uint8Array;
  /**
   * The frame of a payload, to be sent before any later one.
   * Throws a CodedError: `frame_too_large` (the session lives on), `session_exhausted`, `session_closed`.
   */
  seal(payload: Uint8Array): Uint8Array;
  /** The payload of the next frame. After an error the session is closed. */
  open(frame: Uint8Array): Result<Uint8Array, SessionError>;
  /** Forgets the keys. */
  close(): void;
}

export function createSession(
  crypto: Pick<WireCrypto, 'aesGcm' | 'codec'>,
  keys: SessionKeys,
  side: Side,
  limits: SessionLimits = DEFAULT_SESSION_LIMITS,
): Session {
  const { codec } = crypto;
  const fromKeep = { aes: crypto.aesGcm.create(keys.keepToPeer), nonces: createNonceSequence('k>p:') };
  const fromPeer = { aes: crypto.aesGcm.create(keys.peerToKeep), nonces: createNonceSequence('p>k:') };
  keys.keepToPeer.fill(0);
  keys.peerToKeep.fill(0);
  const maxFrame = frameLength(limits.maxPayload);
  let live: { out: typeof fromKeep; in: typeof fromKeep } | undefined =
    side === 'keep' ? { out: fromKeep, in: fromPeer } : { out: fromPeer, in: fromKeep };
  let sent = 0;
  let received = 0;

  const fail = (error: SessionError) => {
    live = undefined;
    return err(error);
  };

  return {
    id: keys.id,

    seal(payload) {
      if (!live) throw new CodedError('session_closed', 'The session has ended.', { remedy: 'Connect again.' });
      if (payload.length > limits.maxPayload) {
        throw new CodedError('frame_too_large', `A message of ${payload.length} bytes exceeds ${limits.maxPayload}.`, {
          remedy: 'Send less at once.',
        });
      }
      sent += payload.length;
      if (sent > limits.maxBytes) {
        live = undefined;
        throw new CodedError('session_exhausted', 'The session has sent all that its key may protect.', {
          remedy: 'Connect again.',
        });
      }
      return sealFrame(codec, live.out.aes, live.out.nonces.next(), payload);
    },

    open(frame) {
      if (!live) return err('session_closed');
      if (frame.length > maxFrame) return fail('frame_too_large');
      const payload = openFrame(codec, live.in.aes, live.in.nonces.next(), frame);
      if (!payload.ok) return fail(payload.error);
      received += payload.value.length;
      return received > limits.maxBytes ? fail('session_exhausted') : payload;
    },

    close() {
      live = undefined;
    },
  };
}
