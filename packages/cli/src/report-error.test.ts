import { CodedError } from '@keepwatch/base';
import { ERRORS, type ErrorCode } from '@keepwatch/protocol';
import { expect, it } from 'vitest';
import { reportError } from './report-error.ts';
import { createPaint, type Terminal } from './terminal.ts';

/** As an error comes from a vault: the words of its code, and its details. */
function reported(code: ErrorCode, details: Readonly<Record<string, unknown>>): string {
  const written: string[] = [];
  const errors = { write: (text: string) => written.push(text) };
  const terminal = { errors, paintErrors: createPaint(false), environment: {} } as unknown as Terminal;
  reportError(new CodedError(code, ERRORS[code].message, { details }), terminal, false);
  return written.join('');
}

it.each<[ErrorCode, Readonly<Record<string, unknown>>, string]>([
  [
    'params_invalid',
    { issues: ['name: Too small: expected string to have >=1 characters'] },
    'name: Too small: expected string to have >=1 characters',
  ],
  ['unseal_throttled', { retryAfterMs: 63_500 }, 'The next try is taken in 1m 4s.'],
  [
    'approval_needed',
    { approval: 'q83vEjRWeJCrze8SNFZ4kA', needed: 2, given: 0, expires: 1_767_225_600_000 },
    'approval: q83vEjRWeJCrze8SNFZ4kA, 0 of 2 agreed, until 2026-01-01T00:00:00Z',
  ],
  ['transaction_malformed', { reason: 'signed_transaction' }, 'reason: signed_transaction'],
])('shows a person the details that the remedy of %s points at', (code, details, line) => {
  const { message, remedy } = ERRORS[code];
  expect(reported(code, details)).toBe(`keepwatch: ${message}\n  ${line}\n  ${remedy}\n  (${code})\n`);
});
