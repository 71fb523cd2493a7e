import { text, type ErrorText } from './text.ts';

/** What channels and their outbox say. */
export const NOTIFY_ERRORS = {
  ladder_malformed: text(
    'What is stored of escalations cannot be read.',
    'Check that the journal is whole, and that no older version of the monitor reads what a newer one wrote.',
  ),
  openpgp_key_malformed: text(
    'The OpenPGP key of the mail channel cannot be used.',
    'Give a public key, armored, that is valid and can encrypt; gpg --armor --export ADDRESS prints it.',
  ),
  outbox_malformed: text(
    'What is stored of the outbox cannot be read.',
    'Check that the journal is whole, and that no older version of the monitor reads what a newer one wrote.',
  ),
  webhook_secret_malformed: text(
    'A secret of the webhook has another form than it must have.',
    'Give whsec_ and 24 to 64 bytes in base64, or whsk_ and an Ed25519 seed of 32 bytes in base64.',
  ),
} as const satisfies Record<string, ErrorText>;
