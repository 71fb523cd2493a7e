import { text, type ErrorText } from './text.ts';

/** What channels and their outbox say. */
export const NOTIFY_ERRORS = {
  age_recipient_malformed: text(
    'A recipient of age cannot be read.',
    'Give the public key that age-keygen -y KEYFILE prints: age1 and 58 letters and digits.',
  ),
  age_recipient_unsupported: text(
    'Mails cannot be encrypted to this recipient of age: it is post-quantum, of a plugin, of a hardware key, or of SSH.',
    'Give an X25519 recipient, which every version of age opens: age-keygen makes one.',
  ),
  ladder_malformed: text(
    'What is stored of escalations cannot be read.',
    'Check that the journal is whole, and that no older version of the monitor reads what a newer one wrote.',
  ),
  nostr_key_malformed: text(
    'A nostr key cannot be read.',
    'Give nsec1… for the key of the monitor and npub1… for the reader, or 64 hex digits.',
  ),
  openpgp_key_malformed: text(
    'The OpenPGP key of the mail channel cannot be used.',
    'Give a public key, armored, that is valid and can encrypt; gpg --armor --export ADDRESS prints it.',
  ),
  outbox_malformed: text(
    'What is stored of the outbox cannot be read.',
    'Check that the journal is whole, and that no older version of the monitor reads what a newer one wrote.',
  ),
  sms_template_malformed: text(
    'The template of the SMS gateway cannot be used.',
    'See docs/channels.md for examples; {text} must stand in the address or in the body.',
  ),
  webhook_secret_malformed: text(
    'A secret of the webhook has another form than it must have.',
    'Give whsec_ and 24 to 64 bytes in base64, or whsk_ and an Ed25519 seed of 32 bytes in base64.',
  ),
} as const satisfies Record<string, ErrorText>;
