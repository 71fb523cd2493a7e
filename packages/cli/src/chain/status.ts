import type { ChainSource, Health } from '@keepwatch/chain';
import type { Answer, Context } from '../command.ts';
import { table } from '../table.ts';
import { fields } from '../table.ts';
import { showCount } from '../values.ts';
import type { ChainOptions } from './options.ts';
import { showSpan } from './progress.ts';
import { chainSettings, withSources, type ChainSettings } from './settings.ts';
import { follow, isP2p, isSettled, until } from './watching.ts';

/** What each source says of itself, after it had `withinMs` to find out. */
export async function chainStatus(context: Context, options: ChainOptions, withinMs: number): Promise<Answer> {
  const settings = await chainSettings(context, options);
  return withSources(context, settings, async (sources, signal) => {
    const stop = new AbortController();
    const ended = AbortSignal.any([signal, stop.signal]);
    const faults = new Map<string, unknown>();
    const following = sources.map((source) =>
      follow(source, ended).catch((error) => void faults.set(source.name, error)),
    );
    await until(
      () => sources.every((source) => faults.has(source.name) || isSettled(source.health())),
      withinMs,
      signal,
    );
    const reports = sources.map((source) => reportOf(source, faults.get(source.name)));
    stop.abort();
    await Promise.all(following);
    return answer(context, settings, reports);
  });
}

interface Report {
  readonly name: string;
  readonly kind: ChainSource['kind'];
  readonly health: Health;
  /** Of the light client: what it has and what its peers say there is. */
  readonly sync: { readonly headers: number; readonly filterHeaders: number; readonly target: number | null } | null;
}

function reportOf(source: ChainSource, fault: unknown): Report {
  const health = source.health();
  const words = fault instanceof Error ? fault.message : String(fault);
  const { synced: _, ...progress } = isP2p(source) ? source.progress() : { synced: false };
  return {
    name: source.name,
    kind: source.kind,
    health: fault === undefined ? health : { ...health, state: 'down', problem: { code: 'source_failed', words } },
    sync: isP2p(source) ? (progress as Report['sync']) : null,
  };
}

function answer(context: Context, { configuration, data, file }: ChainSettings, reports: readonly Report[]): Answer {
  const { network, quorum } = configuration;
  const best = Math.max(
    -1,
    ...reports.map(({ health, sync }) => Math.max(health.tip?.height ?? -1, sync?.target ?? -1)),
  );
  const live = new Set(reports.filter(({ health }) => health.state === 'live').map(({ name }) => name));
  const able = quorum.suffices.some((set) => set.every((name) => live.has(name)));
  const sources = reports.map(({ name, kind, health, sync }) => ({
    ...{ name, kind, state: health.state, tip: health.tip, peers: health.peers },
    lagBlocks: health.tip && best >= 0 ? best - health.tip.height : null,
    ...{ problem: health.problem, sync },
  }));
  return {
    json: {
      network,
      data,
      configuration: file,
      suffices: quorum.suffices,
      able,
      bestHeight: best < 0 ? null : best,
      sources,
    },
    text: textOf(context, { network, data, file, able }, sources),
  };
}

interface Row {
  readonly name: string;
  readonly kind: string;
  readonly state: Health['state'];
  readonly tip: Health['tip'];
  readonly peers: number;
  readonly lagBlocks: number | null;
  readonly problem: Health['problem'];
  readonly sync: Report['sync'];
}

function textOf(
  { terminal: { paint } }: Context,
  { network, data, file, able }: { network: string; data: string; file: string | null; able: boolean },
  sources: readonly Row[],
): string {
  const paintState = (state: Health['state']) =>
    state === 'live' ? paint.good(state) : state === 'down' ? paint.bad(state) : paint.warning(state);
  const rows = sources.map(({ name, kind, state, tip, peers, lagBlocks }) => [
    ...[name, kind, paintState(state), tip ? String(tip.height) : '–', tip ? tip.hash : '–'],
    ...[tip ? `${showSpan(Date.now() / 1_000 - tip.timeSeconds)} ago` : '–', String(peers)],
    lagBlocks === null ? '–' : lagBlocks === 0 ? 'none' : showCount(lagBlocks, 'block'),
  ]);
  const lines = [
    fields([
      ['network', network],
      ['sources', file ?? 'as the options say'],
      ['data', data],
      ['verdict', able ? paint.good('enough sources are live') : paint.bad('no set of sources that suffices is live')],
    ]),
    '',
    table([['SOURCE', 'KIND', 'STATE', 'HEIGHT', 'BLOCK', 'TIME', 'PEERS', 'LAG'], ...rows], paint.title),
  ];
  const notes = sources.flatMap(({ name, problem, sync, state }) => [
    ...(problem ? [`${name}: ${problem.words} ${paint.quiet(`(${problem.code})`)}`] : []),
    ...(sync && state === 'syncing'
      ? [
          `${name}: ${sync.headers} headers and ${Math.max(0, sync.filterHeaders)} filter headers of ${sync.target ?? '?'}`,
        ]
      : []),
  ]);
  const next = sources.some(({ state, kind }) => state === 'syncing' && kind === 'p2p')
    ? ['`keepwatch chain sync` brings it to the tip and shows how far it is.']
    : [];
  return [...lines, ...(notes.length + next.length > 0 ? ['', ...notes, ...next] : [])].join('\n');
}
