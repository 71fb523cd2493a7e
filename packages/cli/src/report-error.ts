import { CodedError } from '@keepwatch/base';
import { ERRORS, isErrorCode } from '@keepwatch/protocol';
import { detailLines } from './error-details.ts';
import { shown, shownJson } from './shown.ts';
import type { Terminal } from './terminal.ts';

/** What happened, what to do next, and the code to look it up by. A stack only where somebody debugs. */
export function reportError(error: unknown, terminal: Terminal, json: boolean): void {
  const { code, message, remedy, details } = describe(error);
  if (json) {
    const text = JSON.stringify({ error: { code, message, remedy, details } }, null, 2);
    terminal.errors.write(`${shownJson(text)}\n`);
  } else {
    const paint = terminal.paintErrors;
    const lines = [`${paint.bad('keepwatch:')} ${message}`];
    for (const line of detailLines(details, message)) lines.push(`  ${line}`);
    if (remedy) lines.push(`  ${remedy}`);
    lines.push(`  ${paint.quiet(`(${code})`)}`);
    terminal.errors.write(`${shown(lines.join('\n'))}\n`);
  }
  if (terminal.environment['KEEPWATCH_DEBUG'] === '1' && error instanceof Error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      terminal.errors.write(`${shown(cause.stack ?? cause.message)}\n`);
    }
  }
}

interface Described {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
}

function describe(error: unknown): Described {
  if (error instanceof CodedError) {
    const { code, message, details } = error;
    // An error that came over a connection has the remedy of its code; one of this process has it as well.
    return { code, message, details, remedy: error.remedy ?? (isErrorCode(code) ? ERRORS[code].remedy : undefined) };
  }
  const message = error instanceof Error ? error.message : String(error);
  const remedy = 'Run it again with KEEPWATCH_DEBUG=1 in the environment to see where, and report it.';
  return { code: 'unforeseen', message: `Something unforeseen failed: ${message}`, remedy, details: undefined };
}
