import { CodedError, concat, fromUtf8, utf8 } from '@keepwatch/base';
import type { Session } from '@keepwatch/wire';

/**
 * A message of the monitor's API within a session: UTF-8 of one JSON-RPC message, cut into as many frames as it takes. The
 * first byte of each payload says whether more of it follows (1) or this is its end (0).
 */
const LAST = 0;
const MORE = 1;
const PART_BYTES = 160_000;
/** From a monitor, and to one: an import of labels has some megabytes. The edge holds 4 MiB for one reader. */
export const MAX_MESSAGE_BYTES = 2 << 20;

/** Throws `frame_too_large`: nothing was sealed then. */
export function framesOf(session: Session, text: string): Uint8Array[] {
  const bytes = utf8(text);
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new CodedError('frame_too_large', 'This is more than a monitor takes at once over the network.', {
      remedy: 'Send less at once, or run the command on the monitor’s machine as its user.',
    });
  }
  const frames: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += PART_BYTES) {
    const end = at + PART_BYTES >= bytes.length;
    frames.push(session.seal(concat(Uint8Array.of(end ? LAST : MORE), bytes.subarray(at, at + PART_BYTES))));
  }
  return frames;
}

/** Puts payloads together. `undefined`: more has to come; `null`: this is no message, and the session has to end. */
export function createAssembler(): (payload: Uint8Array) => string | undefined | null {
  let parts: Uint8Array[] = [];
  let length = 0;
  return (payload) => {
    const [flag] = payload;
    if (flag !== LAST && flag !== MORE) return null;
    parts.push(payload.subarray(1));
    length += payload.length - 1;
    // An empty part brings nothing on: a sender of ours makes none but for an empty message, which is none either.
    if (length > MAX_MESSAGE_BYTES || payload.length === 1) return null;
    if (flag === MORE) return undefined;
    const text = fromUtf8(concat(...parts));
    parts = [];
    length = 0;
    return text ?? null;
  };
}
