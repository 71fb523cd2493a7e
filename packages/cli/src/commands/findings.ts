import { command } from '../command.ts';
import { MONITOR_OPTIONS } from '../monitor/options.ts';

const FILTER = {
  wallet: { value: 'NAME', words: 'of this wallet, by its name or its id' },
  kind: { value: 'KIND', many: true, words: 'such as received, spent, replaced, disconnected' },
  severity: { value: 'LEVEL', words: 'info, notice, warning or critical, and what is above it' },
  since: { value: 'TIME', words: 'not older than 2h, or since a day such as 2026-05-01' },
} as const;
const AFTER = { value: 'SEQ', words: 'the number of the last finding that you have' } as const;

const list = command({
  name: 'findings list',
  summary: 'What was found last',
  options: {
    ...FILTER,
    limit: { value: 'N', words: 'so many (default: 50)' },
    before: { value: 'SEQ', words: 'those before this one' },
    ...MONITOR_OPTIONS,
  },
  run: async (context, options) => (await import('../monitor/findings.ts')).findingsList(context, options),
});

const tail = command({
  name: 'findings tail',
  summary: 'What is found, as it is found, until Ctrl-C; from a cursor on without a gap',
  options: {
    ...FILTER,
    after: AFTER,
    retry: { words: 'when the monitor ends or cannot be reached, try again, and go on where it was' },
    ...MONITOR_OPTIONS,
  },
  more: 'With --json each line is {"seq":…,"finding":…}: give the last seq with --after, and nothing is missed or doubled.',
  run: async (context, options) => (await import('../monitor/findings.ts')).findingsTail(context, options),
});

const exportFindings = command({
  name: 'findings export',
  summary: 'Every finding as one line of JSON',
  options: {
    ...FILTER,
    after: AFTER,
    out: { value: 'FILE', words: 'into a new file instead of stdout' },
    ...MONITOR_OPTIONS,
  },
  run: async (context, options) => (await import('../monitor/findings.ts')).findingsExport(context, options),
});

const verify = command({
  name: 'findings verify',
  summary: 'Check the monitor’s journal from its first entry, and fold it anew',
  options: MONITOR_OPTIONS,
  run: async (context, options) => (await import('../monitor/findings.ts')).findingsVerify(context, options),
});

const show = command({
  name: 'findings show',
  summary: 'One finding: who was told of it, by what, and who answered',
  positionals: ['FINDING'],
  options: MONITOR_OPTIONS,
  more: 'FINDING is its number (SEQ) or its id.',
  run: async (context, options, [finding]) =>
    (await import('../monitor/answers.ts')).findingsShow(context, finding!, options),
});

const acknowledge = command({
  name: 'findings acknowledge',
  summary: 'Say that you have seen it: nobody else is woken for it',
  positionals: ['WHAT'],
  options: {
    by: { value: 'NAME', words: 'who says so (default: the user of this machine)' },
    ...MONITOR_OPTIONS,
  },
  more: 'WHAT is the code in the message, or the number or the id of the finding. Everybody else who was told hears of it.',
  run: async (context, options, [what]) =>
    (await import('../monitor/answers.ts')).findingsAcknowledge(context, what!, options),
});

export const FINDINGS_COMMANDS = [list, show, acknowledge, tail, exportFindings, verify];
