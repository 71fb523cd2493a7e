import type { SupervisorEvent } from '@keepwatch/gate';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createDaemonLog, lineOf } from './daemon-log.ts';
import { createPaint, type Terminal } from './terminal.ts';

const NOW = Date.UTC(2026, 10, 21, 2, 3, 4);
const TIME = '2026-11-21T02:03:04.000Z';

function written(pretty: boolean, events: readonly SupervisorEvent[]): string {
  let text = '';
  const errors = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      done();
    },
  });
  const paint = createPaint(false);
  const terminal: Terminal = {
    input: new PassThrough(),
    output: new PassThrough(),
    errors,
    interactive: pretty,
    paint,
    paintErrors: paint,
    environment: {},
  };
  const log = createDaemonLog(terminal, pretty);
  for (const event of events) {
    const line = lineOf(event, NOW);
    if (line) log(line);
  }
  return text;
}

describe('the daemon’s log', () => {
  const events: readonly SupervisorEvent[] = [
    { type: 'keep_started', pid: 17 },
    { type: 'output', process: 'gate', line: '{"level":"warn","time":"2026-01-01T00:00:00.000Z","msg":"slow","n":1}' },
    { type: 'output', process: 'keep', line: `{"level":"error","time":${NOW},"name":"x","msg":"failed"}` },
    { type: 'output', process: 'keep', line: 'Segmentation fault' },
    { type: 'keep_ended', code: 70, signal: null, restartInMs: 250 },
    { type: 'sleep_watch', state: 'sleeping', sealed: false },
  ];

  it('is one JSON object a line, with the same members whoever speaks', () => {
    const lines = written(false, events).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { time: TIME, level: 'info', name: 'supervisor', msg: 'keep started', pid: 17 },
      { time: '2026-01-01T00:00:00.000Z', level: 'warn', name: 'gate', msg: 'slow', n: 1 },
      { time: TIME, level: 'error', name: 'keep', msg: 'failed' },
      { time: TIME, level: 'warn', name: 'keep', msg: 'Segmentation fault' },
      { time: TIME, level: 'error', name: 'supervisor', msg: 'keep ended', code: 70, signal: null, restartInMs: 250 },
      { time: TIME, level: 'error', name: 'supervisor', msg: 'the machine goes to sleep', sealed: false },
    ]);
  });

  it('is short lines on a terminal', () => {
    expect(written(true, events.slice(0, 2))).toBe(
      '02:03:04  supervisor  keep started  pid=17\n00:00:00  gate        slow  n=1\n',
    );
  });

  it('never has what the keep tells the supervisor: the bootstrap token is among it', () => {
    const message = { event: 'bootstrap', connection: 'keepwatch://…&token=secret', expires: 1 };
    expect(written(false, [{ type: 'keep_message', message }])).toBe('');
  });
});
