import type { Health } from '@keepwatch/chain';
import { deadChannels } from '@keepwatch/notify';
import type { MonitorState } from '../engine/state.ts';
import type { EvmChainHealth } from '../evm/run.ts';
import { chainName } from '../evm/source-names.ts';
import { unreadPasts } from '../evm/wallet-view.ts';

/** What is so at the moment of the question. Numbers alone: nothing of whose wallets these are. */
export interface Figures {
  readonly locked: boolean;
  /** Whether enough sources speak. */
  readonly able: boolean;
  readonly tipHeight: number;
  readonly tipAgeSeconds: number;
  readonly wallets: number;
  readonly scripts: number;
  readonly coins: number;
  readonly entries: number;
  readonly findings: Readonly<Record<string, number>>;
  readonly scansDue: number;
  readonly messagesWaiting: number;
  /** Of what may go out: what waits for a digest or for the morning is not late. 0: nothing is. */
  readonly oldestMessageSeconds: number;
  readonly answersAwaited: number;
  readonly answersMissing: number;
  readonly channelsDead: number;
  /** How many vaults are followed, by phase; `silent`: those that cannot be reached. */
  readonly vaults: Readonly<Record<string, number>>;
  readonly sources: readonly {
    readonly name: string;
    readonly live: boolean;
    readonly peers: number;
    /** Blocks below the highest tip that is known; null: it has told none yet. */
    readonly behind: number | null;
  }[];
  /** EVM chains, by their names of CAIP-2 (`eip155:1`). */
  readonly evm: readonly {
    readonly chain: string;
    readonly state: string;
    readonly height: number;
    readonly upstreams: readonly { readonly name: string; readonly live: boolean; readonly behind: number | null }[];
  }[];
}

/** Of a monitor that is locked. */
export const NO_FIGURES: Figures = {
  ...{ locked: true, able: false, tipHeight: -1, tipAgeSeconds: 0, wallets: 0, scripts: 0, coins: 0, entries: 0 },
  ...{ findings: {}, scansDue: 0, messagesWaiting: 0, oldestMessageSeconds: 0, answersAwaited: 0, answersMissing: 0 },
  ...{ channelsDead: 0, vaults: {}, sources: [], evm: [] },
};

export interface FiguresNow {
  readonly state: MonitorState;
  readonly entries: number;
  readonly findings: Readonly<Record<string, number>>;
  readonly able: boolean;
  readonly sources: readonly { readonly name: string; readonly health: Health }[];
  readonly evm: readonly EvmChainHealth[];
  readonly nowMs: number;
}

export function figuresOf({ state, entries, findings, able, sources, evm, nowMs }: FiguresNow): Figures {
  const { watch, outbox, ladder } = state;
  const count = (values: Iterable<unknown>) => [...values].length;
  const seconds = (sinceMs: number) => Math.max(0, Math.round((nowMs - sinceMs) / 1_000));
  const highest = heightsBelow([watch.tip?.height, ...sources.map(({ health }) => health.tip?.height)]);
  const queued = [...outbox.lanes.values()].flatMap(({ waiting }) => waiting);
  return {
    ...{ locked: false, able, findings, entries },
    tipHeight: watch.tip?.height ?? -1,
    tipAgeSeconds: watch.tip ? seconds(watch.tipAtMs) : 0,
    ...{ wallets: count(watch.wallets.keys()), scripts: watch.scripts.size, coins: count(watch.coins.keys()) },
    ...{ scansDue: count(watch.scansDue.keys()) + unreadPasts(state.evm), messagesWaiting: waitingMessages(outbox) },
    oldestMessageSeconds: queued.reduce(
      (oldest, { queuedAtMs, notBeforeMs }) => Math.max(oldest, seconds(Math.max(queuedAtMs, notBeforeMs))),
      0,
    ),
    ...answersOf(ladder),
    channelsDead: deadChannels(outbox).length,
    vaults: vaultsByPhase(state),
    sources: sources.map(({ name, health }) => ({
      ...{ name, live: health.state === 'live', peers: health.peers, behind: highest(health.tip?.height) },
    })),
    evm: evm.map(({ chainId, all, upstreams }) => {
      const below = heightsBelow([all.head, ...upstreams.map(({ health }) => health.head)]);
      return {
        ...{ chain: chainName(chainId), state: all.state, height: all.head ?? -1 },
        upstreams: upstreams.map(({ name, health }) => ({
          ...{ name, live: health.state === 'live', behind: below(health.head) },
        })),
      };
    }),
  };
}

type MaybeHeight = number | null | undefined;

/** How far below the highest of these a height is. */
function heightsBelow(heights: readonly MaybeHeight[]): (height: MaybeHeight) => number | null {
  const highest = heights.reduce<number>((most, height) => Math.max(most, height ?? 0), 0);
  return (height) => (height === null || height === undefined ? null : highest - height);
}

/** Names of vaults are their owner's: they are counted. */
function vaultsByPhase({ desk, vault }: MonitorState): Record<string, number> {
  const counts: Record<string, number> = { unsealed: 0, sealed: 0, silent: 0 };
  for (const name of desk.vaults.keys()) {
    const record = vault.vaults.get(name);
    const phase = record && record.downSinceMs === null ? record.phase : 'silent';
    counts[phase] = (counts[phase] ?? 0) + 1;
  }
  return counts;
}

/** How many findings wait for an answer, and for how many nobody gave one. */
export function answersOf({ escalations }: MonitorState['ladder']) {
  const all = [...escalations.values()];
  return {
    answersAwaited: all.filter(({ over }) => over === null).length,
    answersMissing: all.filter(({ over }) => over?.how === 'exhausted').length,
  };
}

export const waitingMessages = ({ lanes }: MonitorState['outbox']) =>
  [...lanes.values()].reduce((sum, lane) => sum + lane.waiting.length, 0);
