import type { ChainSource, Health, P2pSource } from '@keepwatch/chain';

/** Sources that run for a while so that their condition can be told. */

export const isP2p = (source: ChainSource): source is P2pSource => source.kind === 'p2p';

const TICK_MS = 100;

/** Follows a source in the background until the signal aborts, and keeps nothing of what it says. */
export function follow(source: ChainSource, signal: AbortSignal): Promise<void> {
  return (async () => {
    for await (const _ of source.events(null, signal)) if (signal.aborted) return;
  })();
}

/** Whether a source has said what there is to say: it is where it can be, or it says why it is not. */
export function isSettled({ state, problem, tip }: Health): boolean {
  if (state === 'starting') return false;
  return problem !== null || (state !== 'syncing' && tip !== null);
}

/** Resolves `true` when `done` is, `false` when the time is over or the signal aborts. */
export async function until(done: () => boolean, withinMs: number, signal: AbortSignal): Promise<boolean> {
  const end = Date.now() + withinMs;
  while (!done()) {
    if (signal.aborted || Date.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  return true;
}

/** Headers and filter headers are two ways of one length. */
export interface SyncStep {
  readonly what: 'headers' | 'filter headers';
  readonly done: number;
  readonly total: number;
}

/** Which of the two is behind; null while no peer has said how long the chain is. */
export function syncStep({
  headers,
  filterHeaders,
  target,
}: Pick<ReturnType<P2pSource['progress']>, 'headers' | 'filterHeaders' | 'target'>): SyncStep | null {
  if (target === null) return null;
  return headers < target
    ? { what: 'headers', done: headers, total: target }
    : { what: 'filter headers', done: Math.max(0, filterHeaders), total: target };
}
