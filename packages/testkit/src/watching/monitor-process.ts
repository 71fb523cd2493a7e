import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A line that the monitor logged, and when: nanoseconds on the monotonic clock of the machine. */
export interface Told {
  readonly ns: bigint;
  readonly words: string;
  readonly kind?: string;
}

export interface MonitorProcess {
  /** From its start until it watched, ms. */
  readonly startMs: number;
  /** The first line from `sinceNs` on for which it holds; waits for it. */
  told(sinceNs: bigint, which: (line: Told) => boolean): Promise<Told>;
  /** Bytes that are resident, and the most that ever were. */
  memory(): { readonly now: number; readonly most: number };
  /** Processor time so far, ms. */
  cpuMs(): number;
  stop(): Promise<void>;
}

const PATIENCE_MS = 300_000;

/** Starts a monitor over a data directory that was made before, and waits until it watches. */
export async function startMonitorProcess(program: string, dataDir: string, sources: object): Promise<MonitorProcess> {
  const startedNs = process.hrtime.bigint();
  const child = spawn(process.execPath, [program, dataDir, JSON.stringify(sources)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let lines: Told[] = [];
  let heard: () => void = () => undefined;
  let ended = false;
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Omit<Told, 'ns'> & { readonly ns: string };
    lines.push({ ...line, ns: BigInt(line.ns) });
    heard();
  });
  child.once('exit', () => {
    ended = true;
    heard();
  });

  async function told(sinceNs: bigint, which: (line: Told) => boolean): Promise<Told> {
    const patience = setTimeout(() => heard(), PATIENCE_MS);
    const until = performance.now() + PATIENCE_MS;
    // What is older is asked for no more.
    lines = lines.filter(({ ns }) => ns >= sinceNs);
    try {
      for (;;) {
        const found = lines.find((line) => line.ns >= sinceNs && which(line));
        if (found) return found;
        if (ended) throw new Error('the monitor ended before it told what was waited for');
        if (performance.now() >= until) throw new Error(`the monitor did not tell within ${PATIENCE_MS} ms`);
        await new Promise<void>((resolve) => (heard = resolve));
      }
    } finally {
      clearTimeout(patience);
    }
  }

  const status = (what: string) => {
    const text = readFileSync(`/proc/${child.pid!}/status`, 'utf8');
    return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(text)![1]) * 1_024;
  };
  const stop = async () => {
    child.kill('SIGTERM');
    if (!ended) await once(child, 'exit');
  };
  try {
    const watches = await told(startedNs, ({ words }) => words === 'the monitor watches');
    return {
      startMs: Number(watches.ns - startedNs) / 1e6,
      told,
      memory: () => ({ now: status('VmRSS'), most: status('VmHWM') }),
      cpuMs() {
        // user and system time in ticks of 10 ms, behind the name in brackets (proc(5)).
        const fields = readFileSync(`/proc/${child.pid!}/stat`, 'utf8').split(') ')[1]!.split(' ');
        return (Number(fields[11]) + Number(fields[12])) * 10;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
