import type { Message } from '../channel.ts';

/** What of a mail stands behind its own headers: those of its content, and its lines. Plain ASCII. */
export interface SealedPart {
  readonly headers: readonly string[];
  readonly lines: readonly string[];
}

/** Encrypts subject and text of a message. */
export type SealMail = (message: Message) => Promise<SealedPart>;

/** The text that is encrypted: the true subject stands first in it. */
export const textOf = ({ subject, body }: Message): string => `${subject}\n\n${body}\n`;
