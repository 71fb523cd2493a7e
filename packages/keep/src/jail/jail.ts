import { CodedError } from '@keepwatch/base';
import { openLibc } from './libc.ts';

/**
 * What keep does to itself before it touches a secret (DESIGN §2). The supervisor or systemd starts it with seat belts;
 * here it puts on those that only a process can put on itself, takes off the rights that it needed for its start, and
 * looks whether every belt holds.
 */
export interface JailReport {
  /** Every belt holds. */
  readonly complete: boolean;
  readonly belts: readonly Belt[];
  /**
   * Whether gate runs as the same user as keep. Then the split stops a bad dependency or a logic error in gate, but not
   * native code: not a missing belt, but something that `doctor` says. `unknown` without a link or the means to ask.
   */
  readonly sameUserAsGate: boolean | 'unknown';
  /** Names of environment variables that keep was started with. There should be none. */
  readonly environment: readonly string[];
}

export interface Belt {
  readonly name: BeltName;
  readonly holds: boolean;
  /** What to do where it does not hold. */
  readonly remedy: string;
}

export type BeltName = keyof typeof REMEDIES;

const START = 'Start keep by `keepwatch vault run` or the systemd units; they give Node the right flags.';
const FFI = 'Needs Linux and Node 26 with node:ffi, allowed by --allow-ffi at start.';

const REMEDIES = {
  no_core_files: FFI,
  not_dumpable: FFI,
  no_new_privileges: FFI,
  permission_model: START,
  no_network: START,
  no_child_process: START,
  no_worker_after_start: START,
  no_addon_after_start: START,
  no_ffi_after_start: START,
  no_inspector: START,
  no_wasi: START,
  files_only_where_granted: START,
  no_code_from_strings: START,
  no_proto: START,
  frozen_intrinsics: START,
  no_sigusr1: START,
  empty_environment: `${START} NODE_OPTIONS and the like can turn every other belt off.`,
} as const;

export interface JailOptions {
  /**
   * Loads the native add-ons (sodium, secp256k1) and starts the thread that signs. Runs after the memory is closed to
   * others and before the rights to load and to make threads are dropped.
   */
  readonly loadAddons: () => void | Promise<void>;
  /** Throw `jail_incomplete` when a belt does not hold. */
  readonly strict: boolean;
  /** The link to gate; its peer's user is looked up. Default fd 3. */
  readonly linkFd?: number;
}

/** systemd hands these over; none of them changes what Node does. */
const HARMLESS_ENVIRONMENT = new Set([
  ...['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'INVOCATION_ID', 'JOURNAL_STREAM', 'SYSTEMD_EXEC_PID'],
  ...['CREDENTIALS_DIRECTORY', 'NOTIFY_SOCKET', 'PATH', 'LANG', 'USER', 'LOGNAME', 'HOME', 'SHELL', 'REMOTE_ADDR'],
  ...['STATE_DIRECTORY', 'RUNTIME_DIRECTORY', 'MEMORY_PRESSURE_WATCH', 'MEMORY_PRESSURE_WRITE'],
]);

/** Closes the jail. Throws `jail_incomplete` in strict mode, with the belts that do not hold in `details.missing`. */
export async function enterJail(options: JailOptions): Promise<JailReport> {
  const libc = openLibc();
  const held = new Map<BeltName, boolean>();
  held.set('no_core_files', libc?.forbidCoreFiles() ?? false);
  held.set('not_dumpable', libc?.forbidDumps() ?? false);
  held.set('no_new_privileges', libc?.forbidNewPrivileges() ?? false);
  const gateUser = libc?.peerUser(options.linkFd ?? 3);

  await options.loadAddons();
  const { permission } = process;
  permission?.drop('addon');
  permission?.drop('ffi');
  permission?.drop('worker');

  const denied = (scope: string) => permission !== undefined && !permission.has(scope);
  held.set('permission_model', permission !== undefined);
  held.set('no_network', denied('net'));
  held.set('no_child_process', denied('child'));
  held.set('no_worker_after_start', denied('worker'));
  held.set('no_addon_after_start', denied('addon'));
  held.set('no_ffi_after_start', denied('ffi'));
  held.set('no_inspector', denied('inspector'));
  held.set('no_wasi', denied('wasi'));
  held.set('files_only_where_granted', denied('fs.read') && denied('fs.write'));
  held.set(
    'no_code_from_strings',
    throws(() => new Function('')),
  );
  held.set(
    'no_proto',
    throws(() => Reflect.get({}, '__proto__')),
  );
  held.set(
    'frozen_intrinsics',
    [Object, Array, Promise, Map].every(({ prototype }) => Object.isFrozen(prototype)),
  );
  held.set('no_sigusr1', process.execArgv.includes('--disable-sigusr1'));
  const environment = Object.keys(process.env);
  held.set(
    'empty_environment',
    environment.every((name) => HARMLESS_ENVIRONMENT.has(name)),
  );

  const belts = (Object.keys(REMEDIES) as BeltName[]).map((name) => ({
    name,
    holds: held.get(name) ?? false,
    remedy: REMEDIES[name],
  }));
  const missing = belts.filter(({ holds }) => !holds);
  if (options.strict && missing.length > 0) {
    throw new CodedError('jail_incomplete', `Seat belts do not hold: ${missing.map(({ name }) => name).join(', ')}.`, {
      remedy: [...new Set(missing.map(({ remedy }) => remedy))].join(' '),
      details: { missing: missing.map(({ name }) => name) },
    });
  }
  return {
    complete: missing.length === 0,
    belts,
    sameUserAsGate: gateUser === undefined ? 'unknown' : gateUser === process.getuid?.(),
    environment,
  };
}

function throws(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch {
    return true;
  }
}
