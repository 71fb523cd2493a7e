import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SupervisorEvent, SuperviseOptions } from '@keepwatch/gate';

export interface StartVaultOptions extends Partial<Omit<SuperviseOptions, 'onEvent' | 'listen'>> {
  /** Left out: a new directory under the system's temporary one, which `stop` removes. */
  readonly dataDir?: string;
  /** Left out: one that the system chooses, and that stays the same over restarts of keep and gate. */
  readonly port?: number;
}

export interface VaultPids {
  readonly supervisor: number;
  readonly keep: number;
  readonly gate: number;
}

/** A real vault: a supervisor in a process of its own, and under it keep and gate as the product starts them. */
export interface VaultProcess {
  readonly dataDir: string;
  /** Of the processes that run now. */
  pids(): VaultPids;
  /** Of the edge, on 127.0.0.1. */
  port(): number;
  /** For peers; without a token. */
  connection(): string;
  /** With the token for the first operator. Throws where the vault offers none. */
  bootstrapConnection(): Promise<string>;
  /** What the supervisor told, newest last. */
  readonly events: readonly SupervisorEvent[];
  /** What keep and gate wrote, newest last. */
  output(): readonly string[];
  /** How many keeps were started so far. */
  keepStarts(): number;
  /** The first keep from the `count`-th on (counted from 1) that says it can be reached. */
  keepReady(count: number): Promise<void>;
  /** kill -9. Does not wait for the next one. */
  killKeep(): void;
  /** Keep ends in good order: it seals itself first. Does not wait for the next one. */
  endKeep(): void;
  /** Ends everything in good order. Removes the data directory where it was left to `startVault`. */
  stop(): Promise<void>;
}

const SUPERVISOR = fileURLToPath(new URL('./supervisor/main.ts', import.meta.url));
const START_MS = 30_000;
/** The newest events: a crash test makes many thousand. */
const EVENTS_KEPT = 1_000;

/** Starts a vault and waits until it can be reached. Throws with the processes' output where it does not start. */
export async function startVault(options: StartVaultOptions = {}): Promise<VaultProcess> {
  const { port = 0, dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-vault-')), ...rest } = options;
  const settings = {
    keepMain: fileURLToPath(import.meta.resolve('@keepwatch/keep/main')),
    listen: { host: '127.0.0.1', port },
    sleep: 'off',
    dataDir,
    ...rest,
  };
  const child = spawn(process.execPath, ['--no-warnings', SUPERVISOR, JSON.stringify(settings)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const events: SupervisorEvent[] = [];
  const current = { keep: 0, gate: 0, port: 0, connection: '', bootstrap: '' };
  let keepStarts = 0;
  let keepsReady = 0;
  let waiting: (() => void)[] = [];

  function note(event: SupervisorEvent): void {
    events.push(event);
    if (events.length > EVENTS_KEPT) events.shift();
    if (event.type === 'keep_started') {
      current.keep = event.pid!;
      keepStarts++;
    } else if (event.type === 'gate_started') {
      current.gate = event.pid!;
    } else if (event.type === 'gate_listening') {
      current.port = event.address.port;
    } else if (event.type === 'keep_message') {
      const { event: name, connection } = event.message;
      if (name === 'bootstrap') current.bootstrap = String(connection);
      if (name === 'ready') {
        current.connection = String(connection);
        keepsReady = keepStarts;
      }
    }
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  }
  createInterface({ input: child.stdout }).on('line', (line) => note(JSON.parse(line) as SupervisorEvent));

  const output = () => events.flatMap((event) => (event.type === 'output' ? [`${event.process}: ${event.line}`] : []));

  async function until(met: () => boolean): Promise<void> {
    const deadline = Date.now() + START_MS;
    while (!met()) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the vault did not start as expected:\n${output().slice(-20).join('\n')}`);
      }
      await Promise.race([
        new Promise<void>((resolve) => waiting.push(resolve)),
        new Promise<void>((resolve) => setTimeout(resolve, 1_000)),
      ]);
    }
  }

  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  }

  try {
    await until(() => keepsReady > 0);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    dataDir,
    pids: () => ({ supervisor: child.pid!, keep: current.keep, gate: current.gate }),
    port: () => current.port,
    connection: () => current.connection,
    async bootstrapConnection() {
      await until(() => current.bootstrap !== '');
      return current.bootstrap;
    },
    events,
    output,
    keepStarts: () => keepStarts,
    keepReady: (count) => until(() => keepsReady >= count),
    killKeep: () => void process.kill(current.keep, 'SIGKILL'),
    endKeep: () => void process.kill(current.keep, 'SIGTERM'),
    stop,
  };
}
