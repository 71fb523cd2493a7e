import type { ApprovalInfo } from '@keepwatch/protocol';
import { command } from '../command.ts';
import { pick } from '../names.ts';
import { fields, table } from '../table.ts';
import { showTime } from '../values.ts';
import { withOperator } from '../vault-session.ts';

const list = command({
  name: 'approval list',
  summary: 'Requests that wait until enough operators agree',
  run: (context) =>
    withOperator(context, async (operator) => {
      const approvals = await operator.approvals();
      if (approvals.length === 0) return { json: { approvals }, text: 'Nothing waits for an operator.' };
      const rows = approvals.map((each) => [
        each.approval,
        `${each.given.length} of ${each.needed}`,
        showTime(each.expires),
        each.sentence,
      ]);
      const head = ['ID', 'AGREED', 'UNTIL', 'REQUEST'];
      return { json: { approvals }, text: table([head, ...rows], context.terminal.paint.quiet) };
    }),
});

const give = command({
  name: 'approval give',
  summary: 'Agree to a request, once its words are what you want',
  positionals: ['ID'],
  more: 'The signed command names the digest of what would be signed and the words that you see here.',
  run: (context, _, [word = '']) =>
    withOperator(context, async (operator) => {
      const waiting = findApproval(await operator.approvals(), word);
      const { approval, digest, sentence } = waiting;
      context.note(sentence);
      const { value } = await operator.command('approval.give', { approval, digest, asks: sentence });
      const rest = value.needed - value.given;
      const next = rest > 0 ? `${rest} more must agree.` : 'The client may ask again now, and gets its signature.';
      return {
        json: { approval, ...value },
        text: fields([
          ['agreed', sentence],
          ['digest', digest],
          ['by', `${value.given} of ${value.needed}`],
          ['next', next],
        ]),
      };
    }),
});

const reject = command({
  name: 'approval reject',
  summary: 'Drop a request that waits',
  positionals: ['ID'],
  run: (context, _, [word = '']) =>
    withOperator(context, async (operator) => {
      const { approval, sentence } = findApproval(await operator.approvals(), word);
      await operator.command('approval.reject', { approval });
      return { json: { approval, rejected: true }, text: `Rejected: ${sentence}` };
    }),
});

const findApproval = (waiting: readonly ApprovalInfo[], word: string) =>
  pick('request', word, waiting, ({ approval }) => ({ id: approval, name: approval }));

export const APPROVAL_COMMANDS = [list, give, reject];
