import { randomUUID } from 'node:crypto';
import { CodedError } from '@keepwatch/base';
import type { Key } from 'openpgp';
import { textOf, type SealMail } from './sealed-part.ts';

/** Loaded only where a key is configured: it is the largest library of this package. */
const library = () => import('openpgp');

/** Mail in the form of RFC 3156 §4. Throws `openpgp_key_malformed`. */
export async function readOpenPgpKey(armoredKey: string): Promise<SealMail> {
  const key = await readable(armoredKey);
  return async (message) => {
    const { createMessage, encrypt } = await library();
    const words = Buffer.from(textOf(message)).toString('base64').replace(/.{76}/g, '$&\r\n');
    const part = `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${words}\r\n`;
    const sealed = await encrypt({ message: await createMessage({ binary: Buffer.from(part) }), encryptionKeys: key });
    const boundary = `keepwatch-${randomUUID()}`;
    return {
      headers: [`Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="${boundary}"`],
      lines: [
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
      ],
    };
  };
}

async function readable(armoredKey: string): Promise<Key> {
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
