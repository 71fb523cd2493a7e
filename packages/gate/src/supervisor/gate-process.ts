import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';
import type { CodedError } from '@keepwatch/base';
import { formatGateArguments, type GateConfig } from '../config.ts';
import type { ListenAddress } from '../server.ts';
import { codeRoots } from './code-roots.ts';
import { LAST_WORDS_MS, timeout, type ProcessEnd, type UserIds } from './keep-process.ts';
import { readLines } from './line-channel.ts';
import { startFailure } from './start-failure.ts';

export interface GateListening {
  readonly address: ListenAddress;
  readonly metricsAddress?: ListenAddress;
  readonly tls: string;
}

export interface GateProcess {
  readonly pid: number | undefined;
  /** Resolves once gate accepts connections; `undefined` when it ended before. */
  readonly listening: Promise<GateListening | undefined>;
  readonly ended: Promise<ProcessEnd>;
  /** What it said of a start that failed, once it has ended. */
  failure(): Promise<CodedError | undefined>;
  /** Gives the socket away: when gate has it, no copy stays in this process. */
  handOver(socket: Socket): void;
  shutDown(waitMs: number): Promise<ProcessEnd>;
}

const GATE_MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/**
 * In MiB. All that gate leaves behind are buffers of frames, most of them outside of V8's heap, and 64 MiB of those set off
 * a collection of the whole heap. A small new space is full before, and emptying it lets go of them as well: then the
 * whole heap is collected next to never under load, where it was once to twice a second before. So little is left in it
 * that other threads, once awake, would find nothing to help with.
 */
export const GATE_HEAP_FLAGS: readonly string[] = [
  '--min-semi-space-size=1',
  '--max-semi-space-size=2',
  '--no-parallel-scavenge',
  '--initial-old-space-size=64',
];

/** Starts gate under the permission model: network, its code, its own directory, and nothing else. */
export function startGateProcess(
  config: GateConfig,
  options: { readonly user?: UserIds; readonly onOutput: (line: string) => void },
): GateProcess {
  const { dataDir } = config.gate;
  const reads = [...codeRoots(GATE_MAIN), dataDir].map((path) => `--allow-fs-read=${path}`);
  const flags = ['--no-warnings', '--permission', '--allow-net', ...reads, `--allow-fs-write=${dataDir}`];
  const belts = ['--disable-sigusr1', '--disable-proto=throw', '--disallow-code-generation-from-strings'];
  const child = spawn(
    process.execPath,
    [...flags, ...belts, ...GATE_HEAP_FLAGS, GATE_MAIN, ...formatGateArguments(config)],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {},
      cwd: dataDir,
      detached: true,
      ...options.user,
    },
  );
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  let failure: CodedError | undefined;
  const silent = new Promise<void>((resolve) => {
    child.once('disconnect', resolve);
    child.once('error', () => resolve());
  });
  const listening = new Promise<GateListening | undefined>((resolve) => {
    child.on('message', (message: { type?: unknown } & GateListening) => {
      if (message.type === 'failed') failure = startFailure({ ...message });
      if (message.type === 'listening') {
        const { address, metricsAddress, tls } = message;
        resolve(metricsAddress ? { address, metricsAddress, tls } : { address, tls });
      }
    });
    void ended.then(() => resolve(undefined));
  });
  for (const stream of [child.stdout, child.stderr] as Readable[]) readLines(stream, options.onOutput);

  return {
    pid: child.pid,
    listening,
    ended,
    async failure() {
      // Its last words may be read after its end was.
      await Promise.race([silent, timeout(LAST_WORDS_MS)]);
      return failure;
    },
    handOver(socket) {
      if (!child.connected) return void socket.destroy();
      // Node holds the second message back until gate has acknowledged the socket and our copy is closed. Only then may
      // gate speak, and keep answers nobody before that: no byte can end up here.
      child.send({ type: 'link' }, socket, { keepOpen: false }, () => undefined);
      child.send({ type: 'link_open' }, () => undefined);
    },
    async shutDown(waitMs) {
      child.kill('SIGTERM');
      const end = await Promise.race([ended, timeout(waitMs)]);
      if (end) return end;
      child.kill('SIGKILL');
      return ended;
    },
  };
}
