import { randomUUID } from 'node:crypto';
import { CodedError } from '@keepwatch/base';
import type { Key } from 'openpgp';
import type { Message } from '../channel.ts';

/** Loaded only where a key is configured: it is the largest library of this package. */
const library = () => import('openpgp');

/** Throws `openpgp_key_malformed`. */
export async function readOpenPgpKey(armoredKey: string): Promise<Key> {
  try {
    const { readKey } = await library();
    const key = await readKey({ armoredKey });
    if (key.isPrivate()) throw new TypeError('a private key');
    await key.getEncryptionKey();
    return key;
  } catch (cause) {
    throw new CodedError('openpgp_key_malformed', 'The OpenPGP key of the mail channel cannot be used.', {
      cause,
      remedy: 'Give a public key, armored, that is valid and can encrypt: gpg --armor --export ADDRESS',
    });
  }
}

/**
 * A mail in the form of RFC 3156 §4. Its own headers say only that there is a message; the true subject stands first in
 * the encrypted part.
 */
export async function encryptedMail(mail: {
  readonly key: Key;
  readonly from: string;
  readonly to: string;
  readonly messageId: string;
  readonly message: Message;
}): Promise<string> {
  const { createMessage, encrypt } = await library();
  const { subject, body, atMs } = mail.message;
  const words = Buffer.from(`${subject}\n\n${body}\n`).toString('base64').replace(/.{76}/g, '$&\r\n');
  const part = `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${words}\r\n`;
  const sealed = await encrypt({
    message: await createMessage({ binary: Buffer.from(part) }),
    encryptionKeys: mail.key,
  });
  const boundary = `keepwatch-${randomUUID()}`;
  return [
    `From: ${mail.from}`,
    `To: ${mail.to}`,
    'Subject: Message from Keepwatch',
    `Date: ${new Date(atMs).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: ${mail.messageId}`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    `Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: application/pgp-encrypted',
    '',
    'Version: 1',
    '',
    `--${boundary}`,
    'Content-Type: application/octet-stream',
    '',
    ...String(sealed)
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/\r$/, '')),
    '',
    `--${boundary}--`,
    '',
  ].join('\r\n');
}
