import { command } from '../command.ts';
import { MONITOR_OPTIONS, ORDER_OPTIONS } from '../monitor/options.ts';

const apply = command({
  name: 'schedule apply',
  summary: 'Set when the monitor says that it lives, and when it tests its channels',
  positionals: ['FILE'],
  options: ORDER_OPTIONS,
  more: 'docs/watch.md shows such a file. Without one, channels are asked every six hours whether they can be reached.',
  run: async (context, options, [file]) =>
    (await import('../monitor/schedule.ts')).scheduleApply(context, file!, options),
});

const show = command({
  name: 'schedule show',
  summary: 'The schedule that holds',
  options: MONITOR_OPTIONS,
  run: async (context, options) => (await import('../monitor/schedule.ts')).scheduleShow(context, options),
});

const clear = command({
  name: 'schedule clear',
  summary: 'Send no heartbeat; channels are asked every six hours whether they can be reached',
  options: ORDER_OPTIONS,
  run: async (context, options) => (await import('../monitor/schedule.ts')).scheduleClear(context, options),
});

export const SCHEDULE_COMMANDS = [apply, show, clear];
