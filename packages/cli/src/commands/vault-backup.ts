import { command, type Context } from '../command.ts';
import { readBytesFile } from '../json-file.ts';
import { writeNewFile } from '../new-file.ts';
import { readSecret } from '../secret-input.ts';
import { adoptIdentity, withOperator } from '../vault-session.ts';

/** Backup and restore of the whole vault. */

const PASSWORD_FILE = {
  value: 'FILE',
  words: 'read the password from FILE instead of asking (-: standard input)',
} as const;

const backup = command({
  name: 'vault backup',
  summary: 'Write an encrypted backup of the whole vault; it opens with the password of now',
  positionals: ['FILE'],
  options: { 'password-file': PASSWORD_FILE },
  run: (context, options, [path = '']) =>
    writeNewFile(path, async (file) => {
      const password = await readSecret(context.terminal, {
        prompt: 'Password of the vault',
        option: '--password-file',
        file: options['password-file'],
      });
      return withOperator(context, async (operator) => {
        let bytes = 0;
        for await (const piece of operator.backup(password, { onProgress: progress(context) })) {
          await file.write(piece);
          bytes += piece.length;
        }
        return { json: { file: path, bytes }, text: `The backup is in ${path} (${bytes} bytes).` };
      });
    }),
});

const restore = command({
  name: 'vault restore',
  summary:
    'Open a backup in a vault that has not been initialised; it signs after `vault resume` has said what is in force',
  positionals: ['FILE'],
  options: { 'password-file': { ...PASSWORD_FILE, words: 'read the backup’s password from FILE (-: standard input)' } },
  async run(context, options, [path = '']) {
    const bytes = await readBytesFile(path);
    const password = await readSecret(context.terminal, {
      prompt: 'Password of the backup',
      option: '--password-file',
      file: options['password-file'],
    });
    return withOperator(context, async (operator) => {
      const { value } = await operator.restore(bytes, password, { onProgress: progress(context) });
      await adoptIdentity(context, 'operator', value.identity);
      return {
        json: value,
        text: [
          'The backup is restored.',
          `The vault has a new identity: ${value.identity}`,
          'This profile has taken it over; other peers need the new connection string.',
          'Nothing is signed before you have said who and what is still in force; all else is revoked:',
          '  keepwatch vault resume --client NAME,… --grant GRANT,… --nonce-floor WALLET=CHAIN=N',
          'Without any name it lists what there is, and revokes nothing.',
        ].join('\n'),
      };
    });
  },
});

function progress(context: Context): (done: number, total: number) => void {
  const { errors, interactive } = context.terminal;
  if (!interactive || context.json) return () => {};
  return (done, total) => {
    errors.write(`\r${Math.floor((100 * done) / Math.max(1, total))} %${done >= total ? '\n' : ''}`);
  };
}

export const VAULT_BACKUP_COMMANDS = [backup, restore];
