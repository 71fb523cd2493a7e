import { err, ok, toBase64url, utf8, viewFrom, type Result } from '@keepwatch/base';
import type { AesGcm, WireCodec } from './crypto.ts';

/**
 * Compact JWE (RFC 7516 §7.1) with `dir` and `A256GCM`, in the one shape that Keepwatch uses: a constant protected
 * header, no encrypted key, a nonce that both ends know beforehand. What stands before the ciphertext can therefore be
 * compared as a text, and nothing in it is ever interpreted.
 */

/** Four bytes that begin every nonce of a direction, so that a frame sent back to its sender is out of order there. */
export type NoncePrefix = 'k>p:' | 'p>k:';

export type FrameError = 'frame_malformed' | 'frame_out_of_order' | 'frame_forged';

const HEADER = toBase64url(utf8('{"typ":"keepwatch-frame","alg":"dir","enc":"A256GCM"}'));
/** Additional authenticated data: the ASCII of the protected header (RFC 7516 §5.1, step 14). */
const AAD = utf8(HEADER);
const NONCE_BYTES = 12;
const NONCE_CHARS = 16;
const TAG_CHARS = 22;
const DOT = 0x2e;
/** Header, empty encrypted key, nonce, and the dots around them. */
const PREFIX_CHARS = HEADER.length + 2 + NONCE_CHARS + 1;

/** How long the frame of a payload is, in bytes. */
export function frameLength(payloadBytes: number): number {
  return PREFIX_CHARS + Math.ceil((payloadBytes * 4) / 3) + 1 + TAG_CHARS;
}

/** The nonces of one direction: prefix and a 64-bit counter (NIST SP 800-38D §8.2.1, deterministic construction). */
export interface NonceSequence {
  /** Moves to the next counter and writes it; the bytes are reused. */
  next(): Uint8Array;
}

export function createNonceSequence(prefix: NoncePrefix): NonceSequence {
  const nonce = new Uint8Array(NONCE_BYTES);
  nonce.set(utf8(prefix));
  const view = new DataView(nonce.buffer);
  let count = 0;
  return {
    next() {
      view.setUint32(4, Math.floor(count / 0x1_0000_0000));
      view.setUint32(8, count >>> 0);
      count += 1;
      return nonce;
    },
  };
}

export function sealFrame(codec: WireCodec, aes: AesGcm, nonce: Uint8Array, payload: Uint8Array): Uint8Array {
  const { ciphertext, tag } = aes.seal(nonce, AAD, payload);
  // Part by part into the frame: put together as one text they would be copied once more.
  return codec.fromAscii(
    `${HEADER}..${codec.toBase64url(nonce)}.`,
    codec.toBase64url(ciphertext),
    `.${codec.toBase64url(tag)}`,
  );
}

export function openFrame(
  codec: WireCodec,
  aes: AesGcm,
  nonce: Uint8Array,
  frame: Uint8Array,
): Result<Uint8Array, FrameError> {
  const tagAt = frame.length - TAG_CHARS;
  if (tagAt <= PREFIX_CHARS || frame[tagAt - 1] !== DOT) return err('frame_malformed');
  const prefix = codec.toAscii(viewFrom(frame, 0, PREFIX_CHARS));
  if (!prefix.startsWith(HEADER) || !prefix.startsWith('..', HEADER.length) || prefix[PREFIX_CHARS - 1] !== '.') {
    return err('frame_malformed');
  }
  if (!prefix.startsWith(codec.toBase64url(nonce), HEADER.length + 2)) return err('frame_out_of_order');
  const tag = codec.fromBase64url(codec.toAscii(viewFrom(frame, tagAt)));
  const ciphertext = codec.fromBase64urlBytes(viewFrom(frame, PREFIX_CHARS, tagAt - 1));
  if (!ciphertext || !tag) return err('frame_malformed');
  const payload = aes.open(nonce, AAD, ciphertext, tag);
  return payload ? ok(payload) : err('frame_forged');
}
