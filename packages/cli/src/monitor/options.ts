import { resolve } from 'node:path';
import type { OptionSpecs } from '../arguments.ts';
import type { Context } from '../command.ts';
import { nextCommand, type Carried } from '../next-command.ts';
import { parseCount } from '../values.ts';

/** Where the data of a monitor is, and how it is opened where it does not run. */
export const LOCAL_OPTIONS = {
  data: { value: 'DIR', words: 'data directory (default: $XDG_DATA_HOME/keepwatch/monitor)' },
  'passphrase-file': { value: 'FILE', words: 'its pass phrase, where it is locked by one; - for standard input' },
} as const satisfies OptionSpecs;

/** Which monitor is meant. */
export const MONITOR_OPTIONS = {
  ...LOCAL_OPTIONS,
  monitor: { value: 'CONNECTION', words: 'one over a network (default: the one here, else the one that was joined)' },
} as const satisfies OptionSpecs;

/** For what changes a monitor. */
export const ORDER_OPTIONS = {
  ...MONITOR_OPTIONS,
  expects: {
    value: 'VERSION',
    words: 'only if nobody changed the monitor since; `monitor status` and `show` name the version',
  },
} as const satisfies OptionSpecs;

export interface MonitorPlace {
  readonly data: string | undefined;
  readonly 'passphrase-file': string | undefined;
  readonly monitor?: string | undefined;
  readonly expects?: string | undefined;
}

export const monitorDirectory = (context: Context, data: string | undefined): string =>
  data === undefined ? context.directories.monitor : resolve(data);

/** Where `--data` was given: as it has to be given again, wherever the next command is run. */
export const namedDirectory = ({ data }: Pick<MonitorPlace, 'data'>): string | undefined =>
  data === undefined ? undefined : resolve(data);

/** The command that starts the monitor. `network`: the one that it was made for. */
export const startCommand = (place: MonitorPlace, network: string | undefined): string =>
  nextCommand('monitor run', {
    network: network === 'main' ? undefined : network,
    data: namedDirectory(place),
  });

/** What leads another command to the same monitor. */
export const samePlace = (place: MonitorPlace): Carried => ({ data: namedDirectory(place), monitor: place.monitor });

/** Of `watch add`. */
export interface AddOptions extends MonitorPlace {
  readonly descriptor: readonly string[];
  readonly unvault: readonly string[];
  readonly xpub: readonly string[];
  readonly address: readonly string[];
  readonly script: readonly string[];
  readonly outpoint: readonly string[];
  readonly transaction: readonly string[];
  readonly txid: readonly string[];
  readonly birthday: string | undefined;
  readonly 'gap-limit': string | undefined;
  readonly tag: readonly string[];
  readonly owner: string | undefined;
  readonly large: string | undefined;
  readonly above: string | undefined;
  readonly below: string | undefined;
  readonly evm: string | undefined;
  readonly chain: string | undefined;
  readonly token: readonly string[];
  readonly limit: readonly string[];
}

export const expectsOf = ({ expects }: MonitorPlace): number | undefined =>
  expects === undefined ? undefined : parseCount(expects, '--expects');
