import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { CodedError } from '@keepwatch/base';
import { codeRoots } from './code-roots.ts';
import { createLineChannel, readLines } from './line-channel.ts';
import { startFailure } from './start-failure.ts';
import { strayDescriptors } from './stray-descriptors.ts';

/**
 * Node's own seat belts for keep (DESIGN §2). The add-ons that hold the keys must be loaded, libc is called a few times
 * by FFI, and one thread is made that signs: keep drops these rights as soon as that is done. There is no network, no
 * child process, no inspector, no eval, no `__proto__`, and nobody's monkey patch.
 */
export const KEEP_NODE_FLAGS: readonly string[] = [
  '--no-warnings',
  '--permission',
  '--allow-addons',
  '--allow-ffi',
  '--allow-worker',
  '--disable-sigusr1',
  '--disable-proto=throw',
  '--disallow-code-generation-from-strings',
  '--frozen-intrinsics',
  // Room for what a few batches of requests leave behind: by default V8 collects it so often, and takes so much of it
  // for long-lived, that it costs keep a tenth of its time. In MiB, per half.
  '--min-semi-space-size=16',
  '--max-semi-space-size=32',
];

/** What keep may read besides its code and its data: whether pages are locked, and which C library the add-ons want. */
const KEEP_SYSTEM_READS = ['/proc/self/status', '/etc/alpine-release'];

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface KeepProcess {
  readonly pid: number | undefined;
  /** Our end of keep's fd 3. It belongs to gate: nothing here may read or write it. */
  readonly linkSocket: Socket;
  readonly ended: Promise<ProcessEnd>;
  /** What it said of a start that failed, once it has ended. */
  failure(): Promise<CodedError | undefined>;
  /** One message on the control channel (fd 4). */
  send(message: Readonly<Record<string, unknown>>): void;
  /** Asks keep to seal itself; whether it said so within `waitMs`. */
  seal(reason: string, waitMs: number): Promise<boolean>;
  /** Seals, then ends the process: by SIGTERM, and by SIGKILL where that does not help within `waitMs`. */
  shutDown(reason: string, waitMs: number): Promise<ProcessEnd>;
}

export interface KeepProcessOptions {
  readonly main: string;
  readonly args: readonly string[];
  readonly extraNodeFlags: readonly string[];
  /** Keep's own directory: the only one that it may write. */
  readonly dataDir: string;
  readonly user?: UserIds;
  readonly onMessage: (message: Record<string, unknown>) => void;
  readonly onOutput: (line: string) => void;
}

/**
 * Starts keep: an empty environment (no NODE_OPTIONS reaches it), a session of its own (no terminal signals), fd 3 the
 * link, fd 4 the control channel, whose end of file tells keep that its supervisor is gone.
 */
export function startKeepProcess(options: KeepProcessOptions): KeepProcess {
  const { main, dataDir } = options;
  const reads = [...codeRoots(main), dataDir, ...KEEP_SYSTEM_READS].map((path) => `--allow-fs-read=${path}`);
  const flags = [...KEEP_NODE_FLAGS, ...options.extraNodeFlags, ...reads, `--allow-fs-write=${dataDir}`];
  const child = spawn(process.execPath, [...flags, main, '--data', dataDir, ...options.args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', ...strayDescriptors()],
    env: {},
    cwd: dataDir,
    detached: true,
    ...options.user,
  });
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  // stdio pipes are sockets in Node; the types only promise streams.
  const linkSocket = child.stdio[3] as Socket;
  linkSocket.on('error', () => undefined);
  const control = child.stdio[4] as Socket;
  const silent = new Promise<void>((resolve) => void control.once('close', resolve));
  let failure: CodedError | undefined;
  const waitForSealed = new Set<() => void>();
  const channel = createLineChannel(
    control,
    (message) => {
      if (message['event'] === 'failed') failure = startFailure(message);
      if (message['event'] === 'sealed') for (const resolve of waitForSealed) resolve();
      options.onMessage(message);
    },
    options.onOutput,
  );
  for (const stream of [child.stdout, child.stderr] as Readable[]) readLines(stream, options.onOutput);

  async function seal(reason: string, waitMs: number): Promise<boolean> {
    let acknowledge = () => undefined as void;
    const acknowledged = new Promise<boolean>((resolve) => {
      acknowledge = () => resolve(true);
    });
    waitForSealed.add(acknowledge);
    channel.send({ cmd: 'seal', reason });
    // A process that has ended holds no keys either.
    const result = await Promise.race([acknowledged, ended.then(() => true), timeout(waitMs).then(() => false)]);
    waitForSealed.delete(acknowledge);
    return result;
  }

  async function shutDown(reason: string, waitMs: number): Promise<ProcessEnd> {
    await seal(reason, waitMs);
    child.kill('SIGTERM');
    const end = await Promise.race([ended, timeout(waitMs)]);
    if (end) return end;
    child.kill('SIGKILL');
    return ended;
  }

  return {
    pid: child.pid,
    linkSocket,
    ended,
    async failure() {
      await Promise.race([silent, timeout(LAST_WORDS_MS)]);
      return failure;
    },
    send: channel.send,
    seal,
    shutDown,
  };
}

/** How long the last words of a process that has ended are waited for: they may be read after its end was. */
export const LAST_WORDS_MS = 1_000;

/** Resolves after `ms` without keeping the process alive for it. */
export function timeout(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined).unref());
}
