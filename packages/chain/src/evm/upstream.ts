import { EvmFault } from './fault.ts';
import type { EvmHead, EvmReader } from './reader.ts';

/** How one upstream fares, in the words of sources of other chains. */
export interface EvmHealth {
  readonly state: 'starting' | 'live' | 'behind' | 'down';
  readonly head: number | null;
  readonly problem: { readonly code: string; readonly words: string } | null;
}

/** One upstream: its head is asked for again and again, whatever else goes on, and it rests after a failure. */
export interface EvmUpstream {
  readonly name: string;
  readonly reader: EvmReader;
  /** Null while it cannot be asked. */
  head(): EvmHead | null;
  /** Notes how reading a block went. */
  noted(error: unknown): void;
  problem(): EvmHealth['problem'];
  run(signal: AbortSignal): Promise<void>;
}

export interface UpstreamTimes {
  readonly pollMs: number;
  /** The longest rest after failures. */
  readonly restMs: number;
}

export function createEvmUpstream(
  name: string,
  reader: EvmReader,
  { pollMs, restMs }: UpstreamTimes,
  changed: () => void,
): EvmUpstream {
  let head: EvmHead | null = null;
  let headProblem: EvmHealth['problem'] = null;
  let readProblem: EvmHealth['problem'] = null;
  let restUntil = 0;
  let failures = 0;

  function failed(error: unknown): number {
    failures++;
    const asked = error instanceof EvmFault ? error.retryAfterMs : null;
    const rest = Math.max(asked ?? 0, Math.min(restMs, pollMs * 2 ** Math.min(failures, 10)));
    restUntil = performance.now() + rest;
    return rest;
  }

  return {
    name,
    reader,
    head: () => (performance.now() < restUntil ? null : head),
    noted(error) {
      if (error === null) readProblem = null;
      else {
        readProblem = problemOf(error);
        // Something is amiss between it and us: others go on meanwhile. What it merely lacks it may have in a moment.
        if (error instanceof EvmFault && error.code !== 'upstream_lacks') failed(error);
      }
    },
    problem: () => headProblem ?? readProblem,
    async run(signal) {
      while (!signal.aborted) {
        let rest = Math.max(pollMs, restUntil - performance.now());
        if (rest <= pollMs) {
          try {
            const before = head;
            head = await reader.head(signal);
            if (headProblem !== null || before?.hash !== head.hash || before.finalized !== head.finalized) changed();
            headProblem = null;
            failures = 0;
          } catch (error) {
            if (signal.aborted) return;
            head = null;
            headProblem = problemOf(error);
            rest = failed(error);
            changed();
          }
        }
        await pause(rest, signal);
      }
    },
  };
}

function problemOf(error: unknown): NonNullable<EvmHealth['problem']> {
  if (error instanceof EvmFault) return { code: error.code, words: error.message };
  return { code: 'upstream_malformed', words: 'The upstream answered something that cannot be read.' };
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
