import { parseArgs } from 'node:util';
import { usageError } from './exit-codes.ts';
import { suggest } from './suggest.ts';

export interface OptionSpec {
  /** What stands for the value in the help text; an option without one is a switch. */
  readonly value?: string;
  /** The option may be given more than once. */
  readonly many?: true;
  readonly words: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

export type OptionValues<O extends OptionSpecs> = {
  readonly [K in keyof O]: O[K] extends { value: string }
    ? O[K] extends { many: true }
      ? readonly string[]
      : string | undefined
    : boolean;
};

export interface ParsedArguments {
  readonly values: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** The form of an id: 16 bytes in base64url. One in 64 begins with a dash, and is no option all the same. */
const DASHED_ID = /^-[A-Za-z0-9_-]{21}$/;
/** Stands before such an id while options are looked for. No argument of a process can hold it. */
const SHIELD = '\0';
const unshield = (word: string) => (word.startsWith(SHIELD) ? word.slice(SHIELD.length) : word);

/**
 * Reads options anywhere on the line, and positionals by name: `NAME` is needed, `NAME?` may be left out. Whatever is
 * not known, given twice, missing or left over is an error that says so: nothing is ever ignored.
 */
export function parseArguments(
  args: readonly string[],
  specs: OptionSpecs,
  positionalNames: readonly string[],
): ParsedArguments {
  const isId = (word: string) => DASHED_ID.test(word) && !Object.hasOwn(specs, word.replace(/^--?/, ''));
  const parsed = parseArgs({
    args: args.map((word) => (isId(word) ? SHIELD + word : word)),
    options: Object.fromEntries(
      Object.entries(specs).map(([name, spec]) => [name, { type: spec.value ? 'string' : 'boolean' } as const]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const positionals = parsed.positionals.map(unshield);
  const values: Record<string, string | string[] | boolean | undefined> = {};
  for (const [name, spec] of Object.entries(specs)) {
    values[name] = spec.value ? (spec.many ? [] : undefined) : false;
  }
  for (const token of parsed.tokens) if (token.kind === 'option') readOption(token, specs, values);
  checkPositionals(positionals, positionalNames);
  return { values, positionals };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function readOption(
  token: OptionToken,
  specs: OptionSpecs,
  values: Record<string, string | string[] | boolean | undefined>,
): void {
  const { name, rawName, value } = token;
  if (!Object.hasOwn(specs, name) || !rawName.startsWith('--')) {
    const near = suggest(name, Object.keys(specs));
    throw usageError(
      'unknown_option',
      `There is no option ${rawName} here.`,
      near ? `Did you mean --${near}?` : 'See --help for the options of this command.',
    );
  }
  const spec = specs[name]!;
  if (!spec.value) {
    if (value !== undefined) throw usageError('option_without_value', `--${name} is a switch and takes no value.`);
    values[name] = true;
    return;
  }
  // `-` alone stands for standard input; anything longer that begins so is most likely the next option.
  if (value === undefined || (token.inlineValue === false && /^-./.test(value))) {
    throw usageError(
      'option_needs_value',
      `--${name} needs a value.`,
      `Write --${name} ${spec.value}, or --${name}=${spec.value} for a value that begins with a dash.`,
    );
  }
  const held = values[name];
  if (Array.isArray(held)) held.push(unshield(value));
  else if (held === undefined) values[name] = unshield(value);
  else throw usageError('option_repeated', `--${name} is given twice.`, 'Give it once.');
}

function checkPositionals(positionals: readonly string[], names: readonly string[]): void {
  const missing = names.slice(positionals.length).find((name) => !name.endsWith('?'));
  if (missing) throw usageError('argument_missing', `${missing} is missing.`, 'See --help for how this is called.');
  if (positionals.length > names.length) {
    throw usageError(
      'argument_left_over',
      `“${positionals[names.length]}” is one word too many.`,
      'Quote a name that has spaces, or see --help for how this is called.',
    );
  }
}
