import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** Where things lie, by the XDG Base Directory specification. */
export interface Directories {
  /** The vault daemon's data. */
  readonly data: string;
  /** What is kept of public chains: headers, filter headers, scans. */
  readonly chain: string;
  /** The monitor's data. */
  readonly monitor: string;
  /** Where the profiles lie, and the configuration of the chain’s sources. */
  readonly home: string;
  /** This profile's keys and what it remembers of its vault, one folder for each role. */
  readonly operator: string;
  readonly client: string;
  /** This profile's key for a monitor over a network, and where that is. */
  readonly watcher: string;
}

export interface DirectoryOptions {
  readonly home?: string | undefined;
  readonly profile: string;
}

/** A relative path in an XDG variable is ignored, as the specification demands. */
export function findDirectories(
  environment: Readonly<Record<string, string | undefined>>,
  options: DirectoryOptions,
): Directories {
  const base = (variable: string, fallback: string) => {
    const named = environment[variable];
    return named !== undefined && isAbsolute(named) ? named : join(homedir(), fallback);
  };
  const data = join(base('XDG_DATA_HOME', '.local/share'), 'keepwatch');
  const home = options.home ? resolve(options.home) : join(base('XDG_CONFIG_HOME', '.config'), 'keepwatch');
  const profile = join(home, options.profile);
  return {
    data: join(data, 'vault'),
    chain: join(data, 'chain'),
    monitor: join(data, 'monitor'),
    home,
    operator: join(profile, 'operator'),
    client: join(profile, 'client'),
    watcher: join(profile, 'monitor'),
  };
}

/** The directories, with the vault's data where `--data` says. */
export function withData(directories: Directories, data: string | undefined): Directories {
  return data === undefined ? directories : { ...directories, data: resolve(data) };
}
