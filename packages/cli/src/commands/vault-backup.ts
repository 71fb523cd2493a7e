import type { CommandParams, GrantInfo } from '@keepwatch/protocol';
import type { Operator } from '@keepwatch/sdk';
import { command, type Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { findGrant, findPeer, findWallet } from '../find.ts';
import { readBytesFile } from '../json-file.ts';
import { writeNewFile } from '../new-file.ts';
import { readSecret } from '../secret-input.ts';
import { parseChain, parseCount, splitList } from '../values.ts';
import { adoptIdentity, withOperator } from '../vault-session.ts';

/** Backup, restore, and what has to be said before a restored vault signs again. */

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
  summary: 'Open a backup in a vault that has not been initialised; it signs after `vault resume`',
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
          'The backup is restored. Nothing is signed before `keepwatch vault resume` says what is still in force.',
          `The vault has a new identity: ${value.identity}`,
          'This profile has taken it over; other peers need the new connection string.',
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

const resume = command({
  name: 'vault resume',
  summary: 'After a restore or a rollback: say what is still in force; all else is revoked',
  options: {
    operator: { value: 'NAME,…', many: true, words: 'these operators stay, besides yourself' },
    client: { value: 'NAME,…', many: true, words: 'these clients stay' },
    grant: { value: 'GRANT,…', many: true, words: 'these grants stay, their limits counted as spent' },
    'full-grant': { value: 'GRANT,…', many: true, words: 'these grants stay, with nothing of their limits spent' },
    'all-peers': { words: 'every operator and client stays, named or not' },
    'all-grants': { words: 'every grant of who stays is kept; those not named count as spent' },
    'nonce-floor': { value: 'WALLET=CHAIN=N', many: true, words: 'the wallet signs on this chain from nonce N on' },
  },
  more: 'A wallet signs on a chain only after its nonce floor there was named: take the next nonce from the chain itself.',
  run: (context, options) =>
    withOperator(context, async (operator, connection) => {
      const stay = (words: readonly string[], role: 'operator' | 'client') =>
        Promise.all(
          splitList(words, `--${role}`).map(async (word) => (await findPeer(operator, word, role, 'registered')).peer),
        );
      const peers = new Set([
        connection.info.ready.peer,
        ...(await stay(options.operator, 'operator')),
        ...(await stay(options.client, 'client')),
      ]);
      const params: CommandParams<'vault.resume'> = {
        peers: [...peers],
        grants: [
          ...(await grantsNamed(operator, options.grant, '--grant', () => [])),
          ...(await grantsNamed(operator, options['full-grant'], '--full-grant', everythingLeft)),
        ],
        nonceFloors: await Promise.all(
          splitList(options['nonce-floor'], '--nonce-floor').map((text) => parseFloor(operator, text)),
        ),
        others: {
          peers: options['all-peers'] ? 'kept' : 'revoked',
          grants: options['all-grants'] ? 'spent' : 'revoked',
        },
      };
      const { version } = await operator.command('vault.resume', params);
      return {
        json: { version, ...params },
        text: `Signing goes on: ${inForce(peers.size, 'peers', options['all-peers'])} and ${inForce(params.grants.length, 'grants', options['all-grants'])} are in force, all else is revoked.`,
      };
    }),
});

const inForce = (named: number, what: string, all: boolean) => (all ? `all ${what}` : `${named} ${what}`);

type Remaining = CommandParams<'vault.resume'>['grants'][number]['remaining'];

function grantsNamed(
  operator: Operator,
  words: readonly string[],
  option: string,
  remaining: (grant: GrantInfo) => Remaining,
): Promise<CommandParams<'vault.resume'>['grants']> {
  return Promise.all(
    splitList(words, option).map(async (word) => {
      const grant = await findGrant(operator, word);
      return { grant: grant.grant, remaining: remaining(grant) };
    }),
  );
}

const everythingLeft = ({ draft }: GrantInfo): Remaining =>
  draft.kind === 'deny'
    ? []
    : draft.constraints.flatMap((constraint, i) => {
        const { type } = constraint;
        const isBudget = type === 'volume' || type === 'count' || type === 'outstanding';
        return isBudget ? [{ constraint: i, left: String(constraint.limit) }] : [];
      });

async function parseFloor(operator: Operator, text: string) {
  const [word = '', chain = '', floor, ...rest] = text.split('=');
  if (floor === undefined || rest.length > 0) {
    throw usageError('nonce_floor', `--nonce-floor: “${text}” is no floor.`, 'Write one such as main=1=42.');
  }
  const { wallet } = await findWallet(operator, word);
  return { wallet, chain: parseChain(chain, '--nonce-floor'), floor: parseCount(floor, '--nonce-floor') };
}

export const VAULT_BACKUP_COMMANDS = [backup, restore, resume];
