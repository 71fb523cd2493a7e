import type { MethodParams } from '@keepwatch/protocol';
import { command } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { findPeer, findWallet } from '../find.ts';
import { readTextFile } from '../json-file.ts';
import { needed } from '../needed.ts';
import { table } from '../table.ts';
import { parseChain } from '../values.ts';
import { withOperator } from '../vault-session.ts';

const explain = command({
  name: 'grant explain',
  summary: 'What would be decided of a request, rule by rule; nothing is signed or consumed',
  options: {
    client: { value: 'CLIENT', words: 'whose request it would be' },
    wallet: { value: 'WALLET', words: 'with which wallet' },
    chain: { value: 'N', words: 'on which chain' },
    transaction: { value: 'HEX', words: 'an unsigned transaction' },
    'typed-data': { value: 'FILE', words: 'typed data (EIP-712)' },
    message: { value: 'TEXT', words: 'a text (EIP-191)' },
    authorization: { value: 'HEX', words: 'an authorisation (EIP-7702)' },
  },
  run: (context, options) =>
    withOperator(context, async (operator) => {
      const { peer } = await findPeer(operator, needed(options.client, '--client'), 'client', 'registered');
      const { wallet } = await findWallet(operator, needed(options.wallet, '--wallet'));
      const chain = parseChain(needed(options.chain, '--chain'), '--chain');
      const payload = await payloadOf(options);
      const answer = await operator.query('grant.explain', { client: peer, wallet, chain, payload });
      const { paint } = context.terminal;
      const verdict = answer.verdict === 'permit' ? paint.good(answer.verdict) : paint.bad(answer.verdict);
      const rows = answer.grants.flatMap(({ grant, rules }) =>
        rules.map(({ rule, verdict: of, words }) => [grant, rule, of, words]),
      );
      const lines = [answer.asks, `${verdict}${answer.grant === null ? '' : ` by ${answer.grant}`}`];
      lines.push(...answer.reasons, ...answer.forbidden);
      if (rows.length > 0) lines.push('', table([['GRANT', 'RULE', 'VERDICT', ''], ...rows], paint.quiet));
      return { json: answer, text: lines.join('\n') };
    }),
});

const lint = command({
  name: 'grant lint',
  summary: 'What to look at again in the grants in force',
  run: (context) =>
    withOperator(context, async (operator) => {
      const answer = await operator.query('grant.lint', {});
      if (answer.findings.length === 0) return { json: answer, text: 'Nothing to look at again.' };
      const rows = answer.findings.map(({ grant, topic, about, words }) => [
        about === null ? grant : `${grant} (${about})`,
        topic,
        words,
      ]);
      const more = answer.left === 0 ? '' : `\n… and ${answer.left} more`;
      return {
        json: answer,
        text: table([['GRANT', 'TOPIC', 'WHAT'], ...rows], context.terminal.paint.quiet) + more,
      };
    }),
});

async function payloadOf(options: {
  readonly transaction: string | undefined;
  readonly 'typed-data': string | undefined;
  readonly message: string | undefined;
  readonly authorization: string | undefined;
}): Promise<MethodParams<'grant.explain'>['payload']> {
  const { transaction, 'typed-data': typedData, message, authorization } = options;
  const given = [transaction, typedData, message, authorization].filter((each) => each !== undefined);
  if (given.length !== 1) {
    throw usageError('options_conflict', 'Give one of --transaction, --typed-data, --message and --authorization.');
  }
  if (transaction !== undefined) return { transaction };
  if (authorization !== undefined) return { authorization };
  return typedData === undefined ? { message: message! } : { typedData: await readTextFile(typedData) };
}

export const GRANT_ADVICE_COMMANDS = [explain, lint];
