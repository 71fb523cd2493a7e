import { CodedError } from '@keepwatch/base';
import { textOf, type SealMail } from './sealed-part.ts';

/** Loaded only where a recipient is configured. */
const library = () => import('age-encryption');

/**
 * Mail that age opens (age-encryption.org/v1). The armored text is the whole body, so that what a reader copies or saves
 * is what `age --decrypt` takes. Any of the recipients can open it, and none sees who the others are.
 *
 * Throws `age_recipient_malformed`, `age_recipient_unsupported`.
 */
export async function readAgeRecipients(recipients: readonly string[]): Promise<SealMail> {
  const { armor, Encrypter } = await library();
  const encrypter = new Encrypter();
  const each = [...new Set(recipients.map((text) => text.trim()))];
  if (each.length === 0) throw malformed();
  try {
    for (const recipient of each) {
      refuseOthers(recipient);
      encrypter.addRecipient(recipient);
    }
    // A point of low order is found out by the first use alone.
    await encrypter.encrypt('');
  } catch (error) {
    throw error instanceof CodedError ? error : malformed();
  }
  return async (message) => ({
    headers: ['Content-Type: text/plain; charset=us-ascii', 'Content-Transfer-Encoding: 7bit'],
    lines: armor
      .encode(await encrypter.encrypt(textOf(message)))
      .trimEnd()
      .split('\n'),
  });
}

/** What is a recipient, but not one that every age opens. A secret key is told by its name, and never repeated. */
function refuseOthers(recipient: string): void {
  if (/^AGE-SECRET-KEY-/i.test(recipient) || /-----BEGIN /.test(recipient)) {
    throw malformed(' It is a secret key: keep that to yourself.');
  }
  // `age1` and a name and `1`: of plugins, of hardware (`age1tag1…`), and the post-quantum ones (`age1pq1…`).
  if (/^age1[a-z0-9+._-]{1,32}1/i.test(recipient)) {
    throw unsupported('It is a post-quantum recipient, or one of a plugin or a hardware key.');
  }
  if (/^(ssh-|ecdsa-|sk-)/.test(recipient)) throw unsupported('It is a key of SSH.');
}

// The cause is left out on purpose: what is wrong with a recipient may be that it is a secret.
const malformed = (why = '') =>
  new CodedError('age_recipient_malformed', `A recipient of age cannot be read.${why}`, {
    remedy: 'Give the public key that age-keygen -y KEYFILE prints: age1 and 58 letters and digits.',
  });

const unsupported = (why: string) =>
  new CodedError('age_recipient_unsupported', `Mails cannot be encrypted to this recipient of age. ${why}`, {
    remedy: 'Give an X25519 recipient, which every version of age opens: age-keygen makes one.',
  });
