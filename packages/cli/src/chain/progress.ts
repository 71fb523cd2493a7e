import type { Writable } from 'node:stream';
import type { Context } from '../command.ts';

/** How far something long is. */
export interface Step {
  readonly what: string;
  readonly done: number;
  readonly total: number;
  /** Null while it is unknown. */
  readonly perSecond: number | null;
  readonly etaSeconds: number | null;
}

/** Shows progress on stderr: one line that changes on a terminal, a line now and then elsewhere, nothing with `--json`. */
export interface Progress {
  show(step: Step): void;
  /** What is being done before it can be said how far it is: on a terminal only. */
  say(words: string): void;
  /** Takes the line off again. */
  clear(): void;
}

const CELLS = 24;
const PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const DRAW_MS = 100;
const LINE_MS = 30_000;

export function createProgress(context: Context, nowMs: () => number): Progress {
  const stream = context.terminal.errors as Writable & { readonly isTTY?: boolean; readonly columns?: number };
  const { paintErrors } = context.terminal;
  const startedMs = nowMs();
  let lastMs = -Infinity;
  let lastWhat = '';
  let shown = false;
  if (context.json) return { show: () => undefined, say: () => undefined, clear: () => undefined };
  if (stream.isTTY !== true) {
    return {
      show(step) {
        // What is done soon needs no word.
        if (nowMs() - Math.max(lastMs, startedMs) < LINE_MS) return;
        lastMs = nowMs();
        stream.write(`${progressWords(step)}\n`);
      },
      say: () => undefined,
      clear: () => undefined,
    };
  }
  return {
    show(step) {
      if (nowMs() - lastMs < DRAW_MS && lastWhat === step.what && step.done < step.total) return;
      lastMs = nowMs();
      lastWhat = step.what;
      shown = true;
      const words = progressWords(step);
      const bar = paintErrors.good(progressBar(step.done / step.total));
      // What does not fit would break the line, and each redrawing leave a part behind.
      const wide = (stream.columns ?? 80) > words.length + CELLS + 3;
      stream.write(`\r\x1b[2K${wide ? `${bar} ${words}` : words.slice(0, (stream.columns ?? 80) - 1)}`);
    },
    say(words) {
      if (words === lastWhat) return;
      lastWhat = words;
      shown = true;
      stream.write(`\r\x1b[2K${`${words} …`.slice(0, (stream.columns ?? 80) - 1)}`);
    },
    clear() {
      lastWhat = '';
      if (shown) stream.write('\r\x1b[2K');
      shown = false;
    },
  };
}

/** `[0, 1]` as a bar in eighths of a cell. */
export function progressBar(share: number): string {
  const eighths = Math.floor(Math.min(1, Math.max(0, share || 0)) * CELLS * 8);
  const full = '█'.repeat(Math.floor(eighths / 8));
  return `${full}${PARTS[eighths % 8]!}`.padEnd(CELLS, '░');
}

/** `headers  52%  474,111 of 911,000  31,200/s  14s left`. */
export function progressWords({ what, done, total, perSecond, etaSeconds }: Step): string {
  const percent = total > 0 ? Math.floor((done / total) * 100) : 100;
  const parts = [what, `${percent}%`, `${grouped(done)} of ${grouped(total)}`];
  if (perSecond !== null) parts.push(`${perSecond < 10 ? perSecond.toFixed(1) : grouped(Math.round(perSecond))}/s`);
  if (etaSeconds !== null && done < total) parts.push(`${showSpan(etaSeconds)} left`);
  return parts.join('  ');
}

const grouped = (count: number) => count.toLocaleString('en-US');

/** The two largest units: `3h 20m`, `14s`. */
export function showSpan(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, length]) => whole >= length);
  if (first < 0) return '0s';
  let rest = whole;
  const parts = units.slice(first, first + 2).map(([name, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return count > 0 ? `${count}${name}` : '';
  });
  return parts.filter((part) => part !== '').join(' ');
}

/** The rate of something that is looked at now and then, over the last half minute. */
export function createRate(nowMs: () => number): (done: number) => number | null {
  const WINDOW_MS = 30_000;
  const seen: { readonly atMs: number; readonly done: number }[] = [];
  return (done) => {
    const atMs = nowMs();
    seen.push({ atMs, done });
    while (seen.length > 2 && atMs - seen[1]!.atMs > WINDOW_MS) seen.shift();
    const spanMs = atMs - seen[0]!.atMs;
    return spanMs < 1_000 ? null : Math.max(0, ((done - seen[0]!.done) / spanMs) * 1_000);
  };
}
