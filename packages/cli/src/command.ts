import type { OptionSpecs, OptionValues } from './arguments.ts';
import type { Directories } from './directories.ts';
import type { Terminal } from './terminal.ts';

/** What a command answers: the same facts for a program and for a person. */
export interface Answer {
  /** Plain JSON data: amounts are decimal strings of wei, times milliseconds since the Unix epoch. */
  readonly json: unknown;
  readonly text: string;
}

/** What every command is given. */
export interface Context {
  readonly terminal: Terminal;
  readonly directories: Directories;
  /** The profile's name. */
  readonly profile: string;
  /** Whether the caller wants JSON. Commands that stream print one JSON document per line then. */
  readonly json: boolean;
  /** Prints a line of a stream on stdout. */
  emit(answer: Answer): void;
  /** Tells a person on stderr what is going on; silent with `--json`. */
  note(text: string): void;
}

export interface Command {
  /** Noun and verb, such as `grant create`. */
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly string[];
  readonly options: OptionSpecs;
  /** Lines of explanation and examples below the options. */
  readonly more?: string;
  readonly run: (
    context: Context,
    options: Readonly<Record<string, never>>,
    positionals: readonly string[],
  ) => Promise<Answer | void>;
}

/** Declares a command; its options' types follow from their declaration. */
export function command<const O extends OptionSpecs>(spec: {
  readonly name: string;
  readonly summary: string;
  readonly positionals?: readonly string[];
  readonly options?: O;
  readonly more?: string;
  readonly run: (context: Context, options: OptionValues<O>, positionals: readonly string[]) => Promise<Answer | void>;
}): Command {
  const { run, positionals = [], options = {}, ...rest } = spec;
  // The dispatcher parses by these very specs, so the values have the declared types.
  return { ...rest, positionals, options, run: run as unknown as Command['run'] };
}
