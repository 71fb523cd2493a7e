import type { ReplayChange, ReplayTotals } from '@keepwatch/protocol';
import type { Operator, ReplayLeftOut } from '@keepwatch/sdk';
import { command, type Context } from '../command.ts';
import { grantsById, readGrantFile } from '../grant-file.ts';
import { needed } from '../needed.ts';
import { table } from '../table.ts';
import type { Paint } from '../terminal.ts';
import { showCount, showTime } from '../values.ts';
import { withOperator } from '../vault-session.ts';

type Verdict = ReplayChange['was']['verdict'];

/** So many changes are shown to a person; a program gets all of them. */
const SHOWN = 200;

const VERDICTS: Readonly<Record<Verdict, string>> = {
  permit: 'permitted',
  deny: 'denied',
  'needs-approval': 'needs approval',
};

const LEFT_OUT: Readonly<Record<ReplayLeftOut['why'], string>> = {
  too_long: 'what was to be signed is too long to be in the journal',
  not_readable: 'this version no longer understands what was to be signed',
  nonce_taken: 'its nonce would have gone to a request that was denied, so what would have followed is unknown',
  undecided: 'there would have been no decision: the clock was frozen, or too many requests waited',
};

const replay = command({
  name: 'grant replay',
  summary: 'What grants of a file, and no others, would have decided of all requests in the journal',
  options: { candidate: { value: 'FILE', words: 'grants in the form of `grant export`' } },
  more:
    'Budgets are filled in order from nothing, each request at its own time. Nothing is signed or consumed.\n' +
    `The first ${SHOWN} changes are shown; --json gives all of them.\n` +
    'Example\n  keepwatch grant replay --candidate grants.json',
  async run(context, options) {
    const wanted = await readGrantFile(needed(options.candidate, '--candidate'));
    return withOperator(context, async (operator) => {
      const candidates = await grantsById(wanted, operator);
      const changes: ReplayChange[] = [];
      const leftOut: ReplayLeftOut[] = [];
      const findings = operator.replay(candidates, { onProgress: progressTo(context) });
      for (;;) {
        const next = await findings.next();
        if (next.done === true) {
          const totals = next.value;
          const text = await describe({ changes, leftOut, totals }, operator, context.terminal.paint);
          return { json: { totals, changes, leftOut }, text };
        }
        if (next.value.kind === 'change') changes.push(next.value.change);
        else leftOut.push(next.value.leftOut);
      }
    });
  },
});

/** Long journals take a while: a person learns how far it is, every tenth. */
function progressTo(context: Context) {
  let tenths = 0;
  return (done: number, total: number) => {
    const now = total === 0 ? 10 : Math.floor((10 * done) / total);
    if (now > tenths && now < 10) context.note(`${done} of ${total} entries`);
    tenths = now;
  };
}

interface Report {
  readonly changes: readonly ReplayChange[];
  readonly leftOut: readonly ReplayLeftOut[];
  readonly totals: ReplayTotals;
}

async function describe({ changes, leftOut, totals }: Report, operator: Operator, paint: Paint): Promise<string> {
  const parts = [summary(changes.length, totals)];
  if (changes.length > 0) {
    const names = new Map((await operator.peers()).map(({ peer, name }) => [peer, name]));
    const rows = changes.slice(0, SHOWN).map((change) => rowOf(change, names, paint));
    parts.push('', table([['ENTRY', 'TIME', 'CLIENT', 'WAS', 'WOULD BE', 'WHAT AND WHY'], ...rows], paint.quiet));
    if (changes.length > SHOWN) parts.push(`… and ${changes.length - SHOWN} more: --json has all of them`);
  }
  if (totals.otherGrant > 0) {
    parts.push(
      '',
      `${showCount(totals.otherGrant, 'request')} would be permitted as before, charged to another grant.`,
    );
  }
  if (leftOut.length > 0) parts.push('', ...leftOutLines(leftOut));
  return parts.join('\n');
}

function summary(changed: number, { verdicts, leftOut }: ReplayTotals): string {
  const total = Object.values(verdicts)
    .flatMap((row) => Object.values(row))
    .reduce((sum, count) => sum + count, 0);
  if (total === 0 && leftOut === 0) return 'There is no request in the journal yet.';
  const rows = (Object.keys(VERDICTS) as Verdict[]).map((was) => [
    `was: ${VERDICTS[was]}`,
    ...(Object.keys(VERDICTS) as Verdict[]).map((now) => String(verdicts[was][now])),
  ]);
  const head = ['WOULD BE:', ...Object.values(VERDICTS)];
  return `${showCount(total, 'request')}, of which ${changed} would be decided otherwise.\n\n${table([head, ...rows])}`;
}

function rowOf({ seq, at, client, asks, was, now }: ReplayChange, names: ReadonlyMap<string, string>, paint: Paint) {
  const words = now.verdict === 'permit' ? was.words : now.words;
  const verdict = (of: ReplayChange['was']) => VERDICTS[of.verdict] + (of.grant === null ? '' : ` (${of.grant})`);
  return [
    String(seq),
    showTime(at),
    names.get(client) ?? client,
    verdict(was),
    now.verdict === 'permit' ? paint.good(verdict(now)) : paint.bad(verdict(now)),
    `${asks}${words.length === 0 ? '' : `: ${words.join('; ')}`}`,
  ];
}

/** By the reason, with the entries where they are few. */
function leftOutLines(leftOut: readonly ReplayLeftOut[]): string[] {
  const why = [...new Set(leftOut.map((each) => each.why))];
  return why.map((reason) => {
    const entries = leftOut.filter((each) => each.why === reason).map(({ seq }) => seq);
    const named = `${entries.slice(0, 8).join(', ')}${entries.length > 8 ? ', …' : ''}`;
    return `${showCount(entries.length, 'request')} could not be tried (entry ${named}): ${LEFT_OUT[reason]}.`;
  });
}

export const GRANT_REPLAY_COMMANDS = [replay];
