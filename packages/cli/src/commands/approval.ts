import type { ApprovalInfo, WalletInfo } from '@keepwatch/protocol';
import { command } from '../command.ts';
import { pick } from '../names.ts';
import { fields, table } from '../table.ts';
import { showEther, showTime } from '../values.ts';
import { withOperator } from '../vault-session.ts';

const list = command({
  name: 'approval list',
  summary: 'Requests that wait until enough operators agree',
  run: (context) =>
    withOperator(context, async (operator) => {
      const [approvals, wallets] = await Promise.all([operator.approvals(), operator.wallets()]);
      if (approvals.length === 0) return { json: { approvals }, text: 'Nothing waits for an operator.' };
      const rows = approvals.map((each) => [
        each.approval,
        `${each.given.length} of ${each.needed}`,
        showTime(each.expires),
        walletName(each, wallets),
        each.nonce === undefined || each.nonce === null ? '–' : String(each.nonce),
        feeOf(each) ?? '–',
        each.sentence,
      ]);
      const head = ['ID', 'AGREED', 'UNTIL', 'WALLET', 'NONCE', 'FEE AT MOST', 'REQUEST'];
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
      const [approvals, wallets] = await Promise.all([operator.approvals(), operator.wallets()]);
      const waiting = findApproval(approvals, word);
      const { approval, digest, sentence, nonce } = waiting;
      const rows: [string, string | undefined][] = [
        ['wallet', walletName(waiting, wallets)],
        ['nonce', nonce === undefined || nonce === null ? undefined : String(nonce)],
        ['fee', feeOf(waiting, 'at most ')],
      ];
      context.note(`${sentence}\n${fields(rows)}`);
      const { value } = await operator.command('approval.give', { approval, digest, asks: sentence });
      const rest = value.needed - value.given;
      const next = rest > 0 ? `${rest} more must agree.` : 'The client may ask again now, and gets its signature.';
      return {
        json: { approval, ...value },
        text: fields([
          ['agreed', sentence],
          ...rows,
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

const walletName = ({ wallet }: ApprovalInfo, wallets: readonly WalletInfo[]) =>
  wallets.find((each) => each.wallet === wallet)?.name ?? wallet;

/** What a transaction may cost at most, in the chain's coin. `undefined`: it is none, or the vault did not note it. */
function feeOf({ maxFeeWei }: ApprovalInfo, before = ''): string | undefined {
  return maxFeeWei === undefined || maxFeeWei === null ? undefined : `${before}${showEther(maxFeeWei)}`;
}

const findApproval = (waiting: readonly ApprovalInfo[], word: string) =>
  pick('request', word, waiting, ({ approval }) => ({ id: approval, name: approval }));

export const APPROVAL_COMMANDS = [list, give, reject];
