import type { CommandName, CommandParams, VaultStatus } from '@keepwatch/protocol';
import { command, type Answer } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { fields } from '../table.ts';
import type { Paint } from '../terminal.ts';
import { parseDuration, showCount, showDuration, showTime } from '../values.ts';
import { knownConnection, withOperator } from '../vault-session.ts';

/** Commands on the vault as a whole that carry no secret. */

const status = command({
  name: 'vault status',
  summary: 'Whether the vault is sealed, frozen, and what it holds',
  run: (context) =>
    withOperator(context, async (operator) => {
      const answer = await operator.status();
      const connection = await knownConnection(context, 'operator');
      return {
        json: { ...answer, connection },
        text: `${describeStatus(answer, context.terminal.paint)}\n\n${connection}`,
      };
    }),
});

function describeStatus(answer: VaultStatus, paint: Paint): string {
  const phases = { uninitialised: paint.warning, sealed: paint.warning, unsealed: paint.good };
  const freeze = (held: VaultStatus['clockFrozen']) =>
    held ? paint.bad(`${held.reason} (since ${showTime(held.since)})`) : undefined;
  const { counts, head } = answer;
  return fields([
    ['vault', phases[answer.phase](answer.phase)],
    ['identity', answer.identity],
    ['time', showTime(answer.time)],
    ['signing frozen', freeze(answer.signingFrozen)],
    ['clock frozen', freeze(answer.clockFrozen)],
    ['unseal again in', answer.retryAfterMs > 0 ? `${Math.ceil(answer.retryAfterMs / 1_000)}s` : undefined],
    ['seals itself', answer.idleSealSeconds === null ? 'never' : `after ${showDuration(answer.idleSealSeconds)} idle`],
    [
      'holds',
      counts
        ? [
            showCount(counts.wallets, 'wallet'),
            showCount(counts.grants, 'grant'),
            showCount(counts.operators, 'operator'),
            showCount(counts.clients, 'client'),
          ].join(', ')
        : undefined,
    ],
    ['waiting', counts && counts.proposals > 0 ? paint.warning(`${counts.proposals} to be approved`) : undefined],
    ['journal', head ? `${showCount(head.lastSeq, 'entry', 'entries')}, epoch ${answer.epoch}` : 'empty'],
    ['version', String(answer.version)],
  ]);
}

/** A command that needs no more than to be said. */
function simple<N extends CommandName>(
  name: N,
  verb: string,
  summary: string,
  params: () => CommandParams<N>,
  said: string,
) {
  return command({
    name: `vault ${verb}`,
    summary,
    run: (context) =>
      withOperator(context, async (operator): Promise<Answer> => {
        const { version, value } = await operator.command(name, params());
        return { json: { version, value }, text: said };
      }),
  });
}

const seal = simple('vault.seal', 'seal', 'Wipe every key from memory at once', () => ({}), 'The vault is sealed.');

const rotateTls = simple(
  'vault.rotate-tls',
  'rotate-tls',
  'Make a new TLS key; peers take it over by the keep’s signature',
  () => ({}),
  'The edge has a new TLS key. Peers that know the vault follow by themselves; `vault status` shows the new string.',
);

const confirmTime = simple(
  'vault.confirm-time',
  'confirm-time',
  'Confirm the machine’s clock after a jump',
  () => ({ time: Date.now() }),
  'The clock is confirmed: limits that depend on time work again.',
);

const configure = command({
  name: 'vault configure',
  summary: 'Change settings',
  options: {
    'idle-seal': { value: 'TIME|never', words: 'seal after so long without a command or a permitted request' },
  },
  async run(context, options) {
    const text = options['idle-seal'];
    if (text === undefined) throw usageError('option_missing', '--idle-seal is missing.', 'There is no other setting.');
    const idleSealSeconds = text === 'never' ? null : parseDuration(text, '--idle-seal');
    return withOperator(context, async (operator) => {
      await operator.command('vault.configure', { idleSealSeconds });
      const when = idleSealSeconds === null ? 'never' : `after ${showDuration(idleSealSeconds)} without a request`;
      return { json: { idleSealSeconds }, text: `The vault seals itself ${when}.` };
    });
  },
});

export const VAULT_COMMANDS = [status, seal, configure, confirmTime, rotateTls];
