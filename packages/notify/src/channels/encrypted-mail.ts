import type { Message } from '../channel.ts';
import { readAgeRecipients } from './age-mail.ts';
import { readOpenPgpKey } from './openpgp-mail.ts';
import type { SealMail } from './sealed-part.ts';

/** To whom mails are encrypted. */
export type MailKeys =
  /** An OpenPGP public key, armored: mails in the form of RFC 3156. */
  | { readonly kind: 'openpgp'; readonly armoredKey: string }
  /** Recipients of age (`age1…`), each of whom can open them: armored text is the body. */
  | { readonly kind: 'age'; readonly recipients: readonly string[] };

/** Throws `openpgp_key_malformed`, `age_recipient_malformed`, `age_recipient_unsupported`. */
export function sealerOf(keys: MailKeys): Promise<SealMail> {
  return keys.kind === 'openpgp' ? readOpenPgpKey(keys.armoredKey) : readAgeRecipients(keys.recipients);
}

/** A whole mail. Its own headers say only that there is a message. */
export async function encryptedMail(mail: {
  readonly seal: SealMail;
  readonly from: string;
  readonly to: string;
  readonly messageId: string;
  readonly message: Message;
}): Promise<string> {
  const { seal, from, to, messageId, message } = mail;
  const { headers, lines } = await seal(message);
  return [
    `From: ${from}`,
    `To: ${to}`,
    'Subject: Message from Keepwatch',
    `Date: ${new Date(message.atMs).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: ${messageId}`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    ...headers,
    '',
    ...lines,
    '',
  ].join('\r\n');
}
