import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodedError } from '@keepwatch/base';
import { createDaemonLog } from './daemon-log.ts';
import { describeEntry } from './journal-words.ts';
import { reportError } from './report-error.ts';
import { shown, shownJson } from './shown.ts';
import { table } from './table.ts';
import { createPaint, type Terminal } from './terminal.ts';

const HOSTILE = '\u001b[2K\u001b[1A\u001b]0;title\u0007\u009b8m\u202ekcab\u2066\u200b\r\u3164\u{e0041}\u001b[8mhidden';
const paint = createPaint(true);

function terminal() {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text) };
  return {
    written: () => written.join(''),
    terminal: {
      ...{ output: stream, errors: stream, paint, paintErrors: paint, environment: {} },
    } as unknown as Terminal,
  };
}

/** What is left of a text when the colours are taken away, which a terminal does not show. */
const withoutPaint = (text: string) => text.replace(/\u001b\[(1|2|22|31|32|33|36|39)m/g, '');

describe('shown', () => {
  it('leaves text, lines, tabs and the colours of the command as they are', () => {
    const text = table(
      [
        ['NAME', 'STATE'],
        ['Зарплата 給与', paint.bad('revoked')],
      ],
      paint.quiet,
    );
    expect(shown(`${text}\n\t${paint.title('a')}${paint.strong('b')}${paint.good('c')}${paint.warning('d')}`)).toBe(
      `${text}\n\t${paint.title('a')}${paint.strong('b')}${paint.good('c')}${paint.warning('d')}`,
    );
  });

  it('shows where something would not have been seen', () => {
    expect(withoutPaint(shown(HOSTILE))).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\u3164]/u);
    expect(shown('a\u001b[8mb\u202ec')).toBe('a�[8mb�c');
  });

  it('gives programs the value that they would have had', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(HOSTILE, '', '\u2028\n\t"\\'), (value, text) => {
        const json = JSON.stringify({ value, text }, null, 2);
        expect(JSON.parse(shownJson(json))).toEqual(JSON.parse(json));
        expect(shownJson(json)).not.toMatch(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe('what clients write', () => {
  it('does not reach the terminal by an error', () => {
    const error = new CodedError('denied', `Denied: ${HOSTILE}.`, { details: { sentences: [HOSTILE] } });
    for (const json of [false, true]) {
      const { terminal: to, written } = terminal();
      reportError(error, to, json);
      expect(withoutPaint(written())).not.toMatch(/(?!\n)\p{C}/u);
    }
  });

  it('does not reach it by the daemon’s log', () => {
    const line = {
      time: '2026-01-01T00:00:00.000Z',
      level: 'warn',
      name: 'keep',
      msg: HOSTILE,
      error: HOSTILE,
    } as const;
    for (const pretty of [true, false]) {
      const { terminal: to, written } = terminal();
      createDaemonLog(to, pretty)(line);
      expect(withoutPaint(written())).not.toMatch(/(?!\n)\p{C}/u);
    }
  });

  it('is a line where the journal’s entries are lines', () => {
    expect(shown(describeEntry(1, { type: 'request.permitted', at: 0, asks: 'a\u001b[2Kb', grant: 'g1' }))).toContain(
      'a�[2Kb',
    );
  });
});
