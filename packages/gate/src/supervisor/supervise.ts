import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, directoryFault } from '@keepwatch/base';
import type { GateLimits } from '../limits.ts';
import type { ListenAddress } from '../server.ts';
import { createBackOff, type BackOff, type BackOffOptions } from './back-off.ts';
import { startGateProcess, type GateListening, type GateProcess } from './gate-process.ts';
import { startKeepProcess, type KeepProcess, type ProcessEnd, type UserIds } from './keep-process.ts';
import { createFirstStart } from './start-failure.ts';
import { watchSleep, type SleepEvent, type SleepWatch, type SleepWatchOptions } from './sleep-watch.ts';

export interface SuperviseOptions {
  /** Keep's entry file. It is run as `node FLAGS keepMain --data DATADIR/keep ...keepArgs`. */
  readonly keepMain: string;
  readonly keepArgs?: readonly string[];
  /** Node flags on top of KEEP_NODE_FLAGS, such as `--allow-worker`. */
  readonly keepNodeFlags?: readonly string[];
  /** The vault's directory. Keep's files go to `keep/` in it, gate's to `gate/`; neither process sees the other's. */
  readonly dataDir: string;
  readonly listen: ListenAddress;
  readonly metrics?: ListenAddress;
  readonly limits?: Partial<GateLimits>;
  readonly logLevel?: string;
  /** As root: two users, so that native code in gate cannot read keep's memory. Each owns its directory. */
  readonly keepUser?: UserIds;
  readonly gateUser?: UserIds;
  /** Seal before the machine sleeps, where logind tells of it. Default: on. `{}` and commands of one's own: see there. */
  readonly sleep?: SleepWatchOptions | 'off';
  /** How long to wait before a process that ended is started again, in ms: doubling up to `mostMs`. */
  readonly restart?: BackOffOptions;
  /** Signals that shut everything down in order. Default SIGTERM, SIGINT, SIGHUP. */
  readonly signals?: readonly NodeJS.Signals[];
  readonly onEvent: (event: SupervisorEvent) => void;
}

export type SupervisorEvent =
  | { readonly type: 'gate_started' | 'keep_started'; readonly pid: number | undefined }
  | ({ readonly type: 'gate_listening' } & GateListening)
  /** `restartInMs` is undefined when it ended because the supervisor stops. */
  | ({ readonly type: 'gate_ended' | 'keep_ended'; readonly restartInMs: number | undefined } & ProcessEnd)
  /** Quick ends in a row: it is started again, but somebody should look. */
  | { readonly type: 'crash_loop'; readonly process: 'gate' | 'keep'; readonly ends: number }
  /** One message of keep's control channel: `{event: 'ready' | 'status' | 'bootstrap' | 'sealed' | …}`. */
  | { readonly type: 'keep_message'; readonly message: Readonly<Record<string, unknown>> }
  /** One line of a process's output. */
  | { readonly type: 'output'; readonly process: 'gate' | 'keep'; readonly line: string }
  | SleepEvent;

export interface Supervisor {
  /** Resolves when gate listens and a keep is linked for the first time. */
  readonly started: Promise<GateListening>;
  /** One message to keep's control channel. */
  send(message: Readonly<Record<string, unknown>>): void;
  /** Asks keep to seal; whether it said so in time. */
  seal(reason: string): Promise<boolean>;
  /** Keep first (sealed, then ended), then gate. Resolves when both are gone, whatever ended them. */
  stop(): Promise<void>;
  /**
   * Resolves when everything has ended, by `stop` or by a signal. Rejects with a CodedError where the vault was never ready
   * and trying again does not help: what gate or keep said, such as `gate_listen_failed`, `storage_busy`, `storage_full`.
   */
  readonly ended: Promise<void>;
}

const RESTART: BackOffOptions = { firstMs: 250, mostMs: 30_000, steadyMs: 60_000 };
const CRASH_LOOP = 5;
const STOP_WAIT_MS = 5_000;
const SEAL_WAIT_MS = 4_000;

/**
 * Starts keep and gate, joins them by one connected socket and starts them again when they end. Keep comes back sealed,
 * always. The socket belongs to the two: when gate ends, its keep is ended as well, because nobody can bring the pair
 * together again. Throws `supervisor_needs_root` when users are named without the right to become them,
 * `supervisor_users_invalid` when they are not two, and `vault_directory_unusable` or `storage_full` for the directory.
 */
export function supervise(options: SuperviseOptions): Supervisor {
  const { onEvent, dataDir } = options;
  const logLevel = options.logLevel ?? 'info';
  prepareDirectories(options);

  const gateBackOff = createBackOff(options.restart ?? RESTART, () => performance.now());
  const keepBackOff = createBackOff(options.restart ?? RESTART, () => performance.now());
  let listen = options.listen;
  let keep: KeepProcess | undefined;
  let gate: GateProcess | undefined;
  const firstStart = createFirstStart();
  let failed: CodedError | undefined;
  let stopping = false;
  let requestStop = () => undefined as void;
  const stopRequested = new Promise<void>((resolve) => {
    requestStop = () => {
      stopping = true;
      resolve();
    };
  });
  let hasStarted: (listening: GateListening) => void = () => undefined;
  const started = new Promise<GateListening>((resolve) => {
    hasStarted = resolve;
  });

  async function run(): Promise<void> {
    while (!stopping) {
      gate = startGate();
      const listening = await gate.listening;
      if (listening) {
        // A port that the system chose stays the port: peers hold it in their connection strings.
        listen = { host: listen.host, port: listening.address.port };
        onEvent({ type: 'gate_listening', ...listening });
        await runKeeps(gate, listening);
      }
      const end = stopping ? await gate.shutDown(STOP_WAIT_MS) : await gate.ended;
      endFirstStart(await gate.failure());
      gate = undefined;
      await reportEnd('gate', end, gateBackOff);
    }
    if (failed) throw failed;
  }

  /** Where the vault was never ready, and trying again does not help, everything ends. */
  function endFirstStart(failure: CodedError | undefined): void {
    failed ??= stopping ? undefined : firstStart.verdict(failure);
    if (failed) requestStop();
  }

  /** One keep after the other, for as long as this gate lives. */
  async function runKeeps(owner: GateProcess, listening: GateListening): Promise<void> {
    let gateEnded = false;
    const noted = owner.ended.then(() => {
      gateEnded = true;
    });
    while (!stopping && !gateEnded) {
      keep = startKeep();
      keep.send({ cmd: 'listening', host: listen.host, port: listening.address.port });
      owner.handOver(keep.linkSocket);
      hasStarted(listening);
      await Promise.race([keep.ended, noted, stopRequested]);
      const end = await keep.shutDown(stopping ? 'shutdown' : 'gate_ended', STOP_WAIT_MS);
      endFirstStart(await keep.failure());
      keep = undefined;
      await reportEnd('keep', end, keepBackOff);
    }
  }

  async function reportEnd(process: 'gate' | 'keep', end: ProcessEnd, backOff: BackOff): Promise<void> {
    const restartInMs = stopping ? undefined : backOff.nextMs();
    onEvent({ type: `${process}_ended`, restartInMs, ...end });
    if (restartInMs === undefined) return;
    if (backOff.quickEnds() >= CRASH_LOOP) onEvent({ type: 'crash_loop', process, ends: backOff.quickEnds() });
    let timer: NodeJS.Timeout | undefined;
    // Between two runs this timer may be all that keeps the supervisor alive.
    const waited = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, restartInMs);
    });
    await Promise.race([waited, stopRequested]);
    clearTimeout(timer);
  }

  function startGate(): GateProcess {
    const gateOptions = {
      dataDir: join(dataDir, 'gate'),
      listen,
      ...(options.metrics && { metrics: options.metrics }),
      ...(options.limits && { limits: options.limits }),
    };
    const process = startGateProcess(
      { gate: gateOptions, keep: { from: 'supervisor' }, logLevel },
      {
        ...(options.gateUser && { user: options.gateUser }),
        onOutput: (line) => onEvent({ type: 'output', process: 'gate', line }),
      },
    );
    gateBackOff.started();
    onEvent({ type: 'gate_started', pid: process.pid });
    return process;
  }

  function startKeep(): KeepProcess {
    const process = startKeepProcess({
      main: options.keepMain,
      args: options.keepArgs ?? [],
      extraNodeFlags: options.keepNodeFlags ?? [],
      dataDir: join(dataDir, 'keep'),
      ...(options.keepUser && { user: options.keepUser }),
      onMessage(message) {
        if (message['event'] === 'ready') firstStart.succeeded();
        onEvent({ type: 'keep_message', message });
      },
      onOutput: (line) => onEvent({ type: 'output', process: 'keep', line }),
    });
    keepBackOff.started();
    onEvent({ type: 'keep_started', pid: process.pid });
    return process;
  }

  const signals = options.signals ?? ['SIGTERM', 'SIGINT', 'SIGHUP'];
  for (const signal of signals) process.on(signal, requestStop);
  const seal = async (reason: string) => (keep ? keep.seal(reason, SEAL_WAIT_MS) : true);
  let sleepWatch: SleepWatch | undefined;
  if (options.sleep !== 'off') sleepWatch = watchSleep({ seal: () => seal('sleep'), onEvent }, options.sleep ?? {});

  const ended = run().finally(() => {
    sleepWatch?.stop();
    for (const signal of signals) process.off(signal, requestStop);
  });
  return {
    started,
    send: (message) => keep?.send(message),
    seal,
    async stop() {
      requestStop();
      await ended.catch(() => undefined);
    },
    ended,
  };
}

/** `keep/` and `gate/`, each for its own user alone. With two users the directory above lets both pass, and list nothing. */
function prepareDirectories({ dataDir, keepUser, gateUser }: SuperviseOptions): void {
  const asUsers = keepUser !== undefined || gateUser !== undefined;
  if (asUsers && process.getuid?.() !== 0) {
    throw new CodedError('supervisor_needs_root', 'Only root can start keep and gate as users of their own.', {
      remedy: 'Start it as root or under systemd, or leave the users away.',
    });
  }
  // Half a separation is none: root, or the same user, would read the other's memory.
  if (asUsers && (!keepUser || !gateUser || keepUser.uid === gateUser.uid)) {
    throw new CodedError('supervisor_users_invalid', 'Keep and gate need two different users, or none.', {
      remedy: 'Name a user for each of the two.',
    });
  }
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    chmodSync(dataDir, asUsers ? 0o711 : 0o700);
    for (const [name, user] of [
      ['keep', keepUser],
      ['gate', gateUser],
    ] as const) {
      const dir = join(dataDir, name);
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      chmodSync(dir, 0o700);
      if (user) chownSync(dir, user.uid, user.gid);
    }
  } catch (cause) {
    throw directoryFault(dataDir, cause) ?? cause;
  }
}
