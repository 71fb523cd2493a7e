import type { OptionSpecs } from '../arguments.ts';

/** Where a monitor is found, and how it is opened where it does not run. */
export const MONITOR_OPTIONS = {
  data: { value: 'DIR', words: 'data directory (default: $XDG_DATA_HOME/keepwatch/monitor)' },
  'passphrase-file': { value: 'FILE', words: 'its pass phrase, where it is locked by one; - for standard input' },
} as const satisfies OptionSpecs;

export interface MonitorPlace {
  readonly data: string | undefined;
  readonly 'passphrase-file': string | undefined;
}
