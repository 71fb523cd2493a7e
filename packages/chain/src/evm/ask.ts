import type { Said } from './agree.ts';
import { EvmFault } from './fault.ts';
import { pause, type EvmUpstream } from './upstream.ts';

export interface AskOptions<T> {
  /** Those that can be asked. */
  readonly able: readonly EvmUpstream[];
  readonly ask: (upstream: EvmUpstream, signal: AbortSignal) => Promise<T>;
  /** Whether what was said so far suffices: the others have `patienceMs` more. */
  readonly isEnough: (said: readonly Said<T>[]) => boolean;
  readonly patienceMs: number;
  readonly limitMs: number;
  /** Told how each of them fared; null: well. */
  readonly note: (upstream: EvmUpstream, error: unknown) => void;
}

const TRIES = 4;

/** Asks all at once; is done when enough agree and the others had their time, or none is left to wait for. */
export async function askAll<T>(options: AskOptions<T>, outer: AbortSignal): Promise<readonly Said<T>[]> {
  const { able, ask, isEnough, patienceMs, limitMs, note } = options;
  const said: Said<T>[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
  let waiting = able.length;
  if (waiting === 0) settle();
  let patience: NodeJS.Timeout | undefined;
  const limit = setTimeout(settle, limitMs);
  const asked = new Set<EvmUpstream>();
  const asking = (upstream: EvmUpstream, inner: AbortSignal) => {
    asked.add(upstream);
    return ask(upstream, inner).finally(() => asked.delete(upstream));
  };
  for (const upstream of able) {
    void patiently(() => asking(upstream, signal), patienceMs / TRIES, signal)
      .then(
        (value) => {
          note(upstream, null);
          if (stop.signal.aborted) return;
          said.push({ name: upstream.name, value });
          if (patience === undefined && isEnough(said)) patience = setTimeout(settle, patienceMs);
        },
        (error: unknown) => {
          if (!signal.aborted) note(upstream, error);
        },
      )
      .finally(() => {
        if (--waiting === 0) settle();
      });
  }
  outer.addEventListener('abort', () => settle(), { once: true, signal: stop.signal });
  await settled;
  clearTimeout(limit);
  clearTimeout(patience);
  // Who lets others wait rests for a while, so that nobody waits for it at each block.
  if (!outer.aborted) {
    for (const upstream of asked) note(upstream, new EvmFault('upstream_silent', 'It answers later than the others.'));
  }
  stop.abort();
  return said;
}

/** One that is not there yet is asked some more times, so that what it says is compared too. */
async function patiently<T>(ask: () => Promise<T>, restMs: number, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const isEarly = error instanceof EvmFault && error.code === 'upstream_lacks';
      if (!isEarly || tries === TRIES || signal.aborted) throw error;
      await pause(restMs, signal);
    }
  }
}
