import { fromBase64url, toBase64url, utf8 } from '@keepwatch/base';

// Messages are signed (Ed25519, RFC 8032) so that their reader can tell them from those of somebody who can write to the
// channel. The signature stands in the text, for a chat carries nothing else.

/** Signs bytes with the key of the monitor. */
export type SignMessage = (bytes: Uint8Array) => Uint8Array;
export type VerifyMessage = (bytes: Uint8Array, signature: Uint8Array) => boolean;

/**
 * What is signed: whose it is, its channel, its number and its words. White space does not count: services and mail programs
 * fold lines and change their ends.
 */
function signedBytes(channel: string, number: number, words: string): Uint8Array {
  return utf8(`keepwatch/message/1\0${channel}\0${number}\0${words.replace(/\s+/gu, ' ').trim()}`);
}

/** The text with its signature as the last line. */
export function withSignature(text: string, channel: string, number: number, sign: SignMessage): string {
  return `${text}\nSigned: ${channel} ${number} ${toBase64url(sign(signedBytes(channel, number, text)))}`;
}

export interface CheckedMessage {
  readonly channel: string;
  readonly number: number;
  /** The words that are signed; what stood above them in the text is not. Null: the signature is not of this text. */
  readonly words: string | null;
}

/** A text may have lines above that the service or the mail program put there, such as the subject. */
const MOST_LINES = 500;

/** Reads the last signature in a text, and says whether it is of the text above; undefined where there is none. */
export function checkMessage(text: string, verify: VerifyMessage): CheckedMessage | undefined {
  const found = [
    ...text.matchAll(/Signed:\s+([a-z0-9][a-z0-9-]{0,31})\s+(\d{1,12})\s+([A-Za-z0-9_-]{86})(?![A-Za-z0-9_-])/gu),
  ].at(-1);
  const signature = fromBase64url(found?.[3] ?? '');
  if (!found || signature?.length !== 64) return undefined;
  const [channel, number] = [found[1]!, Number(found[2])];
  const lines = text.slice(0, found.index).split('\n').slice(-MOST_LINES);
  for (let from = 0; from < lines.length; from++) {
    const words = lines.slice(from).join('\n').trim();
    if (verify(signedBytes(channel, number, words), signature)) return { channel, number, words };
  }
  return { channel, number, words: null };
}
