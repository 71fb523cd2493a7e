import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { Channel, Delivery } from '../channel.ts';
import { broken, delivered, later, notTaken } from '../delivery.ts';

export interface CommandOptions {
  readonly name: string;
  /** An absolute path: what PATH says is nobody's promise. No shell reads it or its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  /** Nothing else of the environment is handed on: it holds secrets of the monitor. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A program that gets the message as JSON on its standard input. It says by its exit code what became of it, after
 * sysexits.h: 0 delivered, 65 (bad data) this message never, 69 to 75 another time, 77 and 78 (permission,
 * configuration) the channel is broken, everything else another time. What it prints is not read.
 */
export function createCommand({ name, program, args, env = {} }: CommandOptions): Channel {
  async function usable(): Promise<Delivery> {
    try {
      if (!isAbsolute(program)) return broken('not_there', 'The program must be named by an absolute path.');
      await access(program, constants.X_OK);
      return delivered();
    } catch {
      return broken('not_there', 'The program is not there, or may not be run.');
    }
  }

  return {
    ...{ name, kind: 'command' },
    async send(message, signal) {
      const ready = await usable();
      if (ready.kind !== 'delivered') return ready;
      if (signal.aborted) return later('timeout', 'There was no time to run the program.');
      return new Promise((resolve) => {
        // A group of its own, so that what it started ends with it.
        const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'ignore'], detached: true, shell: false });
        const kill = () => {
          try {
            if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
          } catch {
            // It has ended meanwhile.
          }
        };
        signal.addEventListener('abort', kill, { once: true });
        const end = (delivery: Delivery) => {
          signal.removeEventListener('abort', kill);
          resolve(delivery);
        };
        child.once('error', () => end(later('program_failed', 'The program could not be started.')));
        child.once('exit', (code) =>
          end(signal.aborted ? later('timeout', 'The program did not end within the time.') : meaningOf(code)),
        );
        child.stdin.on('error', () => undefined);
        child.stdin.end(`${JSON.stringify(message)}\n`);
      });
    },
    probe: usable,
    close: async () => undefined,
  };
}

function meaningOf(code: number | null): Delivery {
  switch (code) {
    case 0:
      return delivered();
    case 65:
      return notTaken('not_taken', 'The program will not take this message (65).');
    case 77:
    case 78:
      return broken('denied', `The program says that it is not set up (${code}).`);
    default:
      return later('program_failed', code === null ? 'The program was killed.' : `The program ended with ${code}.`);
  }
}
