import { command } from '../command.ts';
import { MONITOR_OPTIONS, ORDER_OPTIONS } from '../monitor/options.ts';

const apply = command({
  name: 'rules apply',
  summary: 'Let the rules in a file decide which findings are told to whom, and when',
  positionals: ['FILE'],
  options: ORDER_OPTIONS,
  more: [
    'From then on the rules alone decide, and no longer the least severity of each channel. What no rule speaks of is kept',
    'and told to nobody. docs/watch.md shows such a file.',
  ].join('\n'),
  run: async (context, options, [file]) => (await import('../monitor/rules.ts')).rulesApply(context, file!, options),
});

const show = command({
  name: 'rules show',
  summary: 'The rules that hold',
  options: MONITOR_OPTIONS,
  run: async (context, options) => (await import('../monitor/rules.ts')).rulesShow(context, options),
});

const dryRun = command({
  name: 'rules dry-run',
  summary: 'What the rules in a file would have told of past findings, to whom, and what not',
  positionals: ['FILE'],
  options: {
    since: { value: 'TIME', words: 'findings not older than 2h, or since a day such as 2026-05-01' },
    limit: { value: 'N', words: 'so many of the last findings (default: 1000)' },
    ...MONITOR_OPTIONS,
  },
  run: async (context, options, [file]) => (await import('../monitor/rules.ts')).rulesDryRun(context, file!, options),
});

const clear = command({
  name: 'rules clear',
  summary: 'Hold no rules: each channel is told what is severe enough for it',
  options: ORDER_OPTIONS,
  run: async (context, options) => (await import('../monitor/rules.ts')).rulesClear(context, options),
});

export const RULES_COMMANDS = [apply, show, dryRun, clear];
