import { usageError } from './exit-codes.ts';
import type { OptionSpecs } from './arguments.ts';

/** Options that every command takes, before or after its name. */
export const COMMON_OPTIONS = {
  json: { words: 'one JSON document on stdout; errors as JSON on stderr' },
  home: { value: 'DIR', words: 'where keys and profiles lie (default: $XDG_CONFIG_HOME/keepwatch)' },
  profile: { value: 'NAME', words: 'which vault: its keys and what is remembered of it (default: “default”)' },
  help: { words: 'how this is called' },
} as const satisfies OptionSpecs;

export interface CommonOptions {
  readonly json: boolean;
  readonly help: boolean;
  readonly home: string | undefined;
  readonly profile: string;
  /** The line without them. */
  readonly rest: readonly string[];
}

export function takeCommonOptions(args: readonly string[]): CommonOptions {
  const found: { json: boolean; help: boolean; home?: string; profile?: string } = { json: false, help: false };
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      rest.push(...args.slice(i));
      break;
    }
    const [option, inline] = splitOption(arg);
    if (option === '--json' || option === '--help' || arg === '-h') {
      if (inline !== undefined) throw usageError('option_without_value', `${option} is a switch and takes no value.`);
      found[option === '--json' ? 'json' : 'help'] = true;
    } else if (option === '--home' || option === '--profile') {
      const name = option.slice(2) as 'home' | 'profile';
      if (found[name] !== undefined) throw usageError('option_repeated', `${option} is given twice.`, 'Give it once.');
      const value = inline ?? args[++i];
      if (value === undefined || value === '' || (inline === undefined && value.startsWith('-'))) {
        throw usageError('option_needs_value', `${option} needs a value.`);
      }
      found[name] = value;
    } else {
      rest.push(arg);
    }
  }
  return { json: found.json, help: found.help, home: found.home, profile: profileName(found.profile), rest };
}

function splitOption(arg: string): [string, string | undefined] {
  const equals = arg.startsWith('--') ? arg.indexOf('=') : -1;
  return equals < 0 ? [arg, undefined] : [arg.slice(0, equals), arg.slice(equals + 1)];
}

function profileName(name = 'default'): string {
  // It names a directory.
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/i.test(name)) return name;
  throw usageError('profile_name', `“${name}” cannot name a profile.`, 'Use letters, digits, dashes and underscores.');
}
