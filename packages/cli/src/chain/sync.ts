import { CodedError } from '@keepwatch/base';
import type { ChainSource, P2pSource } from '@keepwatch/chain';
import type { Answer, Context } from '../command.ts';
import { table } from '../table.ts';
import type { ChainOptions } from './options.ts';
import { createProgress, createRate } from './progress.ts';
import { chainSettings, withSources } from './settings.ts';
import { follow, isP2p, isSettled, syncStep, until } from './watching.ts';

/** Brings every source to the tip of its chain, one after the other, and says where they are then. */
export async function chainSync(context: Context, options: ChainOptions, patienceMs: number): Promise<Answer> {
  const settings = await chainSettings(context, options);
  return withSources(context, settings, async (sources, signal) => {
    for (const source of sources) await synchronise(context, source, patienceMs, signal);
    const reached = sources.map((source) => ({ source: source.name, ...tipOf(source) }));
    const { paint } = context.terminal;
    const rows = reached.map(({ source, height, hash }) => [
      source,
      paint.good('at the tip'),
      String(height),
      hash ?? '',
    ]);
    return {
      json: { network: settings.configuration.network, data: settings.data, sources: reached },
      text: table(rows),
    };
  });
}

function tipOf(source: ChainSource): { readonly height: number; readonly hash: string | null } {
  if (isP2p(source)) {
    const { tip } = source.progress();
    return { height: tip.height, hash: tip.hash };
  }
  const { tip } = source.health();
  return { height: tip?.height ?? 0, hash: tip?.hash ?? null };
}

/**
 * Brings a source to the tip of its chain and shows how far it is: the light client its headers and filter headers, any
 * other one by asking it until it is there. Throws `chain_not_reached` where nothing is heard of it for `patienceMs`.
 */
export async function synchronise(
  context: Context,
  source: ChainSource,
  patienceMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (isP2p(source)) await synchroniseClient(context, source, patienceMs, signal);
  else await untilLive(source, patienceMs, signal);
}

async function synchroniseClient(
  context: Context,
  source: P2pSource,
  patienceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const progress = createProgress(context, Date.now);
  const rates = { headers: createRate(Date.now), 'filter headers': createRate(Date.now) };
  let heardMs = Date.now();
  let heard = '';
  source.start();
  try {
    const failed = () => {
      const step = syncStep(source.progress());
      const now = JSON.stringify(step);
      if (now !== heard) heardMs = Date.now();
      heard = now;
      if (step) {
        const perSecond = rates[step.what](step.done);
        const etaSeconds = perSecond ? (step.total - step.done) / perSecond : null;
        progress.show({ ...step, perSecond, etaSeconds });
      } else progress.say('looking for a node of the network');
      return Date.now() - heardMs > patienceMs;
    };
    await until(() => source.progress().synced || failed(), Infinity, signal);
  } finally {
    progress.clear();
  }
  if (!source.progress().synced && !signal.aborted) throw notReached(source);
}

async function untilLive(source: ChainSource, patienceMs: number, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const following = follow(source, AbortSignal.any([signal, stop.signal]));
  try {
    const there = () => ['live', 'stale'].includes(source.health().state);
    await until(() => there() || isFailed(source), patienceMs, signal);
    if (!there() && !signal.aborted) throw notReached(source);
  } finally {
    stop.abort();
    await following;
  }
}

const isFailed = (source: ChainSource) => isSettled(source.health()) && source.health().state === 'down';

function notReached(source: ChainSource): CodedError {
  const { problem, peers } = source.health();
  const silent = peers === 0 ? 'No node of the network can be reached.' : 'Its nodes say nothing more.';
  return new CodedError('chain_not_reached', `${source.name}: ${problem?.words ?? silent}`, {
    remedy: 'Check the network and the address; `keepwatch chain status` shows each source.',
    details: { source: source.name, problem: problem?.code ?? null },
  });
}
