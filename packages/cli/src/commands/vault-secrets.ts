import { command, type Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { readNewPassword, readSecret } from '../secret-input.ts';
import { withOperator } from '../vault-session.ts';

/** Commands on the vault as a whole that carry a password. */

const PASSWORD_FILE = {
  value: 'FILE',
  words: 'read the password from FILE instead of asking (-: standard input)',
} as const;

const KDFS = ['interactive', 'moderate', 'sensitive'] as const;

const init = command({
  name: 'vault init',
  summary: 'Create the vault under a password',
  options: {
    'password-file': PASSWORD_FILE,
    kdf: {
      value: KDFS.join('|'),
      words: 'cost of each try at the password: 64 MiB, 256 MiB, 1 GiB (default: moderate)',
    },
  },
  async run(context, options) {
    const kdf = KDFS.find((known) => known === (options.kdf ?? 'moderate'));
    if (!kdf) throw usageError('kdf', `--kdf: “${options.kdf}” is none of ${KDFS.join(', ')}.`);
    const password = await newPassword(context, options['password-file']);
    return withOperator(context, async (operator) => {
      const sealed = await operator.sealSecret('vault.init', password);
      const { version } = await operator.command('vault.init', { password: sealed, kdf, time: Date.now() });
      return {
        json: { phase: 'unsealed', version },
        text: 'The vault is ready, and unsealed. There is no way into it without the password: keep it safe.',
      };
    });
  },
});

const unseal = command({
  name: 'vault unseal',
  summary: 'Open the vault, so that it can sign; confirms the clock as well',
  options: { 'password-file': PASSWORD_FILE },
  async run(context, options) {
    const password = await oldPassword(context, options['password-file']);
    return withOperator(context, async (operator) => {
      const sealed = await operator.sealSecret('vault.unseal', password);
      const { version } = await operator.command('vault.unseal', { password: sealed, time: Date.now() });
      return { json: { phase: 'unsealed', version }, text: 'The vault is unsealed.' };
    });
  },
});

const changePassword = command({
  name: 'vault password',
  summary: 'Change the password',
  options: {
    'password-file': { ...PASSWORD_FILE, words: 'read the present password from FILE (-: standard input)' },
    'new-password-file': { ...PASSWORD_FILE, words: 'read the new password from FILE (-: standard input)' },
  },
  async run(context, options) {
    if (options['password-file'] === '-' && options['new-password-file'] === '-') {
      throw usageError('stdin_twice', 'Standard input can give one password only.', 'Put one of them into a file.');
    }
    const old = await oldPassword(context, options['password-file']);
    const next = await readNewPassword(context.terminal, {
      prompt: 'New password',
      option: '--new-password-file',
      file: options['new-password-file'],
    });
    return withOperator(context, async (operator) => {
      const params = {
        old: await operator.sealSecret('vault.password.old', old),
        next: await operator.sealSecret('vault.password.next', next),
      };
      const { version } = await operator.command('vault.password', params);
      return {
        json: { version },
        text: 'The password is changed. Backups made before still open with the old one.',
      };
    });
  },
});

const rotateRoot = command({
  name: 'vault rotate-root',
  summary: 'Make a new root key and re-encrypt every key under it; the password stays',
  options: { 'password-file': PASSWORD_FILE },
  async run(context, options) {
    const password = await oldPassword(context, options['password-file']);
    return withOperator(context, async (operator) => {
      const sealed = await operator.sealSecret('vault.rotate-root', password);
      const { version } = await operator.command('vault.rotate-root', { password: sealed });
      return { json: { version }, text: 'Every key lies under a new root key.' };
    });
  },
});

const oldPassword = (context: Context, file: string | undefined) =>
  readSecret(context.terminal, { prompt: 'Password of the vault', option: '--password-file', file });

const newPassword = (context: Context, file: string | undefined) =>
  readNewPassword(context.terminal, { prompt: 'New password for the vault', option: '--password-file', file });

export const VAULT_SECRET_COMMANDS = [init, unseal, changePassword, rotateRoot];
