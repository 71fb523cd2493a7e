import { text, type ErrorText } from './text.ts';

const REINSTALL =
  'Remove node_modules, install again on this very machine, and compare the lock file with the release.';
const RESTORE = 'Stop the keep, keep a copy of its data directory, and restore the vault from a backup.';
const REPORT = 'Look at the log and report it; nothing was signed by it.';

/** Locked memory, native add-ons and the key hierarchy: they stop the keep, or the command that met them. */
export const KEY_ERRORS = {
  native_addon_missing: text('A native add-on could not be loaded.', REINSTALL),
  native_addon_broken: text('A native add-on fails its self-test.', REINSTALL),
  memory_not_locked: text(
    'Key memory is not locked, so keys may be written to swap.',
    'Raise `ulimit -l`, set LimitMEMLOCK in the unit, or give CAP_IPC_LOCK.',
  ),
  secure_memory_exhausted: text(
    'No more guarded memory is to be had.',
    'Give the keep more memory, or raise vm.max_map_count.',
  ),
  slot_size: text('A secret has a size that locked memory does not take.', REPORT),
  slot_freed: text('A secret was used after it was wiped.', REPORT),
  kdf_params_refused: text(
    'The cost of the password hash is outside what this vault accepts.',
    'If it came with a backup or a database, do not trust the file: use another copy.',
  ),
  kdf_out_of_memory: text('The password hash could not get its memory.', 'Give the keep more memory, then try again.'),
  key_record_damaged: text('A record of a key is missing, was altered, or stands in another’s place.', RESTORE),
  boot_key_wrong: text(
    'The data directory does not open under this boot key.',
    'Put back the boot key that belongs to it, or restore the vault from a backup.',
  ),
  secret_file_exposed: text(
    'Other users may read a file with a secret.',
    'Run `chmod 600` on it. If others had access, make a new key.',
  ),
  secret_file_size: text('A file with a secret has the wrong size.', 'Put the right file back.'),
  derivation_failed: text('No key can be derived at this path.', 'Take the next index: it happens once in 2^127.'),
  signature_not_encodable: text('The signature cannot be written in a transaction.', REPORT),
} as const satisfies Record<string, ErrorText>;
