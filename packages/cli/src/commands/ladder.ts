import { command } from '../command.ts';
import { MONITOR_OPTIONS, ORDER_OPTIONS } from '../monitor/options.ts';

const apply = command({
  name: 'ladder apply',
  summary: 'Set who is told what must not go unanswered, how long to wait, and who is next',
  positionals: ['FILE'],
  options: ORDER_OPTIONS,
  more: [
    'What waits for an answer already begins the new ladder from its first rung. docs/watch.md shows such a file. The answer',
    'says so where the channels of the first rung can all fail together.',
  ].join('\n'),
  run: async (context, options, [file]) => (await import('../monitor/answers.ts')).ladderApply(context, file!, options),
});

const show = command({
  name: 'ladder show',
  summary: 'The ladder that holds',
  options: MONITOR_OPTIONS,
  run: async (context, options) => (await import('../monitor/answers.ts')).ladderShow(context, options),
});

const clear = command({
  name: 'ladder clear',
  summary: 'Ask for no answers any more; what waits for one goes on by the ladder that it began',
  options: ORDER_OPTIONS,
  run: async (context, options) => (await import('../monitor/answers.ts')).ladderClear(context, options),
});

export const LADDER_COMMANDS = [apply, show, clear];
