import type { SupervisorEvent } from '@keepwatch/gate';
import { shown, shownJson } from './shown.ts';
import type { Terminal } from './terminal.ts';

/**
 * What the daemon tells: one JSON object per line, or short lines on a terminal. Keep and gate log in the same form
 * themselves, and their lines are passed on as they are. Of an event only the members that are named here are written,
 * so a token or a key that an event may carry one day does not slip into a log.
 */
export interface LogLine {
  readonly time: string;
  readonly level: 'info' | 'warn' | 'error';
  /** Which process speaks. */
  readonly name: 'supervisor' | 'keep' | 'gate' | 'monitor';
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function createDaemonLog(terminal: Terminal, pretty: boolean): (line: LogLine) => void {
  const { errors, paintErrors: paint } = terminal;
  if (!pretty) return (line) => void errors.write(`${shownJson(JSON.stringify(line))}\n`);
  const levels = { info: paint.quiet, warn: paint.warning, error: paint.bad };
  return ({ time, level, name, msg, ...fields }) => {
    const details = Object.entries(fields).map(([key, value]) => paint.quiet(`${key}=${showValue(value)}`));
    const clock = paint.quiet(time.slice(11, 19));
    const words = [clock, levels[level](name.padEnd(10)), msg, ...details].join('  ');
    errors.write(`${shown(words)}\n`);
  };
}

const showValue = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

/** The line for an event, or `undefined` for one that only the command itself looks at. */
export function lineOf(event: SupervisorEvent, nowMs: number): LogLine | undefined {
  const time = new Date(nowMs).toISOString();
  const own = (level: LogLine['level'], msg: string, fields: object = {}): LogLine => ({
    time,
    level,
    name: 'supervisor',
    msg,
    ...fields,
  });
  switch (event.type) {
    case 'keep_started':
    case 'gate_started':
      return own('info', `${event.type.slice(0, 4)} started`, { pid: event.pid });
    case 'keep_ended':
    case 'gate_ended': {
      const { code, signal, restartInMs } = event;
      const level = restartInMs === undefined ? 'info' : 'error';
      return own(level, `${event.type.slice(0, 4)} ended`, { code, signal, restartInMs });
    }
    case 'crash_loop':
      return own('error', `${event.process} keeps ending; look at its lines above`, { ends: event.ends });
    case 'sleep_watch':
      return sleepLine(event, own);
    case 'output':
      return outputLine(event.process, event.line, time);
    // Gate says that itself.
    case 'gate_listening':
    case 'keep_message':
      return undefined;
  }
}

function sleepLine(
  event: Extract<SupervisorEvent, { type: 'sleep_watch' }>,
  own: (level: LogLine['level'], msg: string, fields?: object) => LogLine,
): LogLine {
  switch (event.state) {
    case 'watching':
      return own('info', 'the vault seals before the machine sleeps', { delayed: event.delayed });
    case 'unavailable':
      return own('warn', 'the vault does not notice when the machine sleeps', { why: event.why });
    case 'sleeping':
      return own(event.sealed ? 'info' : 'error', 'the machine goes to sleep', { sealed: event.sealed });
    case 'resumed':
      return own('info', 'the machine woke up');
  }
}

const LEVELS = ['info', 'warn', 'error'] as const;

/** A line of a child: structured if it is JSON, else its text. */
function outputLine(name: 'keep' | 'gate', line: string, time: string): LogLine {
  const fields = parseFields(line);
  if (!fields || typeof fields['msg'] !== 'string') return { time, level: 'warn', name, msg: line };
  const level = LEVELS.find((known) => known === fields['level']) ?? (fields['level'] === 'fatal' ? 'error' : 'info');
  return { ...fields, time: timeOf(fields['time']) ?? time, level, name, msg: fields['msg'] };
}

/** `undefined` for what is no JSON object: a crash report of the runtime, for example. */
function parseFields(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function timeOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? new Date(value).toISOString() : undefined;
}
