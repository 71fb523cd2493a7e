import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A process of the story: its lines of output as they come, its errors for the case that something fails. */
export interface Child {
  readonly pid: number | undefined;
  /** The next line of its output; `undefined` once there are no more. */
  nextLine(): Promise<string | undefined>;
  send(line: string): void;
  /** What it wrote to stderr last. */
  readonly lastErrors: () => string;
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

const STOP_WAIT_MS = 8_000;
const KEPT_ERROR_LINES = 12;

export function startChild(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Child {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...environment } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const errors = keepLastLines(child.stderr);
  const ended = endOf(child);
  // A child that has ended reads no more; what it said before is what counts.
  child.stdin.on('error', () => undefined);
  return {
    pid: child.pid,
    nextLine: async () => (await lines.next()).value as string | undefined,
    send: (line) => void child.stdin.write(`${line}\n`),
    lastErrors: () => errors.join('\n'),
    ended,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WAIT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function keepLastLines(stream: Readable): string[] {
  const kept: string[] = [];
  createInterface({ input: stream }).on('line', (line) => {
    kept.push(line);
    if (kept.length > KEPT_ERROR_LINES) kept.shift();
  });
  return kept;
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code ?? 1));
    child.once('error', () => resolve(1));
  });
}
