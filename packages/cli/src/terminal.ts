import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

/**
 * What the command may print. Answers go to stdout and nothing else does; prompts, progress, logs and errors go to
 * stderr. Colour only says again what the words say, and only to a terminal that has not asked to be spared it
 * (https://no-color.org).
 */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly output: Writable;
  readonly errors: Writable;
  /** Whether a person is there to be asked. */
  readonly interactive: boolean;
  readonly paint: Paint;
  readonly paintErrors: Paint;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Paint {
  title(text: string): string;
  strong(text: string): string;
  quiet(text: string): string;
  good(text: string): string;
  warning(text: string): string;
  bad(text: string): string;
}

export function createPaint(colour: boolean): Paint {
  const style = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    colour ? styleText(format, text, { validateStream: false }) : text;
  return {
    title: style(['bold', 'cyan']),
    strong: style('bold'),
    quiet: style('dim'),
    good: style('green'),
    warning: style('yellow'),
    bad: style('red'),
  };
}

/** The terminal of this process. */
export function processTerminal(process: NodeJS.Process): Terminal {
  const { env, stdin, stdout, stderr } = process;
  const colour = (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return {
    input: stdin,
    output: stdout,
    errors: stderr,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    paint: createPaint(colour && stdout.isTTY === true),
    paintErrors: createPaint(colour && stderr.isTTY === true),
    environment: env,
  };
}
