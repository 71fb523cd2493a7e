import { parseArguments } from './arguments.ts';
import type { Answer, Command, Context } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { takeCommonOptions, type CommonOptions } from './common-options.ts';
import { findDirectories } from './directories.ts';
import { EXIT, exitCodeOf, usageError } from './exit-codes.ts';
import { commandHelp, generalHelp, nounHelp } from './help.ts';
import { reportError } from './report-error.ts';
import { shown, shownJson } from './shown.ts';
import { suggest } from './suggest.ts';
import type { Terminal } from './terminal.ts';

/** Runs one command line and returns the exit code. Never throws. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  // Whether errors are JSON has to be known even where the line cannot be read.
  const json = args.includes('--json');
  try {
    const common = takeCommonOptions(args);
    const answer = await dispatch(common, terminal);
    if (answer) print(terminal, json, answer);
    return EXIT.ok;
  } catch (error) {
    reportError(error, terminal, json);
    return exitCodeOf(error);
  }
}

async function dispatch(common: CommonOptions, terminal: Terminal): Promise<Answer | void> {
  const { paint } = terminal;
  const { noun, command, args } = findCommand(common.rest);
  if (noun === undefined || (noun === 'help' && args.length === 0)) return asAnswer(generalHelp(COMMANDS, paint));
  if (noun === 'help') return dispatch({ ...common, help: true, rest: args }, terminal);
  if (!command) return asAnswer(nounHelp(noun, COMMANDS, paint));
  if (common.help) return asAnswer(commandHelp(command, paint));
  const { values, positionals } = parseArguments(args, command.options, command.positionals);
  // The values were read by the command's own specs, from which its parameter's type follows.
  return command.run(createContext(common, terminal), values as Readonly<Record<string, never>>, positionals);
}

interface Found {
  /** `undefined`: nothing was asked for. Without `command`: the noun alone. */
  readonly noun?: string;
  readonly command?: Command;
  readonly args: readonly string[];
}

function findCommand(words: readonly string[]): Found {
  const [noun, verb] = words;
  if (noun === undefined) return { args: [] };
  if (noun === 'help') return { noun, args: words.slice(1) };
  const nouns = [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0]!))];
  if (!nouns.includes(noun)) {
    const near = suggest(noun, [...nouns, 'help']);
    const hint = near ? `Did you mean “${near}”?` : 'See `keepwatch help` for what there is.';
    if (noun.startsWith('-')) throw usageError('unknown_option', `There is no option ${noun} here.`, hint);
    throw usageError('unknown_command', `There is no command “${noun}”.`, hint);
  }
  const single = COMMANDS.find(({ name }) => name === noun);
  if (single) return { noun, command: single, args: words.slice(1) };
  if (verb === undefined) return { noun, args: [] };
  for (const length of [3, 2]) {
    const command = COMMANDS.find(({ name }) => name === words.slice(0, length).join(' '));
    if (command) return { noun, command, args: words.slice(length) };
  }
  const verbs = COMMANDS.flatMap(({ name }) => (name.startsWith(`${noun} `) ? [name.slice(noun.length + 1)] : []));
  const near = suggest(verb, verbs);
  throw usageError(
    'unknown_command',
    `There is no command “${noun} ${verb}”.`,
    near ? `Did you mean “${noun} ${near}”?` : `There are: ${verbs.map((known) => `${noun} ${known}`).join(', ')}.`,
  );
}

function createContext(common: CommonOptions, terminal: Terminal): Context {
  const { json, home, profile } = common;
  return {
    terminal,
    json,
    profile,
    directories: findDirectories(terminal.environment, { home, profile }),
    emit: (answer) => terminal.output.write(`${json ? shownJson(JSON.stringify(answer.json)) : shown(answer.text)}\n`),
    note: (text) => {
      if (!json) terminal.errors.write(`${shown(text)}\n`);
    },
  };
}

const asAnswer = (text: string): Answer => ({ json: { help: text }, text });

function print(terminal: Terminal, json: boolean, answer: Answer): void {
  const text = json ? shownJson(JSON.stringify(answer.json, null, 2)) : shown(answer.text);
  terminal.output.write(`${text}\n`);
}
