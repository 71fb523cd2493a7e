import type { ChainEvent, ChainSource, Cursor } from '../source.ts';
import { createQuorumState, quorumStep, quorumTick, type QuorumConfig, type QuorumEvent } from './step.ts';

export interface QuorumDeps {
  readonly sources: readonly ChainSource[];
  readonly nowMs: () => number;
}

/** Between two looks at what only time makes worth telling, ms. */
const TICK_MS = 2_000;
/** Events that wait for a consumer who is slow; beyond that the sources wait. */
const BACKLOG = 10_000;

/**
 * Runs all sources and yields what they say together, from a cursor of the told chain on. A source that fails for good
 * is told as down and the others go on; the sequence ends when the signal aborts.
 */
export async function* runQuorum(
  deps: QuorumDeps,
  config: Omit<QuorumConfig, 'sources'>,
  from: Cursor | null,
  signal: AbortSignal,
): AsyncGenerator<QuorumEvent> {
  const told = [...(from?.blocks ?? [])].reverse();
  const state = createQuorumState({ ...config, sources: deps.sources }, told);
  const queue: QuorumEvent[] = [];
  let wake: () => void = () => undefined;
  let relieve: () => void = () => undefined;
  const push = (events: readonly QuorumEvent[]) => {
    queue.push(...events);
    if (events.length > 0) wake();
  };

  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  ended.addEventListener('abort', () => {
    wake();
    relieve();
  });
  const follow = async (source: ChainSource) => {
    const say = (event: ChainEvent) => push(quorumStep(state, source.name, event, deps.nowMs()));
    try {
      for await (const event of source.events(from, ended)) {
        say(event);
        while (queue.length > BACKLOG && !ended.aborted) await new Promise<void>((resolve) => (relieve = resolve));
      }
    } catch (error) {
      if (ended.aborted) return;
      const words = error instanceof Error ? error.message : 'it ended';
      say({ kind: 'health', health: { ...source.health(), state: 'down', problem: { code: 'source_failed', words } } });
    }
  };
  const running = Promise.all(deps.sources.map(follow));
  const ticking = setInterval(() => push(quorumTick(state, deps.nowMs())), TICK_MS);
  try {
    while (!signal.aborted) {
      const next = queue.shift();
      if (next) {
        if (queue.length === 0) relieve();
        yield next;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    clearInterval(ticking);
    stop.abort();
    await running;
  }
}
