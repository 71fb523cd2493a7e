import { assertNever } from '@keepwatch/base';
import {
  acknowledge,
  acknowledgeDirectly,
  deadChannels,
  ladderStep,
  readAlertKey,
  type Ladder,
  type LadderEvent,
  type LadderOutcome,
  type LadderState,
  type OutboxEvent,
} from '@keepwatch/notify';
import type { Severity } from '@keepwatch/watch';
import { sha256 } from '../store/store.ts';
import type { LadderAsk } from './engine.ts';
import type { MonitorState } from './state.ts';

// How the ladder is asked within a batch of the engine. It changes nothing.

type Open = {
  readonly kind: 'open';
  readonly finding: string;
  readonly entry: number;
  readonly group: string;
  readonly severity: Severity;
  readonly ladder: Ladder;
};

export function askLadder(
  state: MonitorState,
  ask: LadderAsk | Open,
  entropy: Uint8Array,
  nowMs: number,
): LadderOutcome {
  switch (ask.kind) {
    case 'open':
    case 'replan':
      return ladderStep(state.ladder, { ...ask, entropy }, nowMs, sha256);
    case 'tick':
      return ladderStep(state.ladder, { ...ask, dead: unusable(state), entropy }, nowMs, sha256);
    case 'code':
      return acknowledge(state.ladder, ask.given, nowMs, sha256);
    case 'direct':
      return acknowledgeDirectly(state.ladder, ask, nowMs);
    default:
      return assertNever(ask);
  }
}

/** Channels that nobody can be reached by: dead ones, and those of an open escalation that are set no more. */
export function unusable({ outbox, desk, ladder }: MonitorState): string[] {
  const named = [...ladder.escalations.values()].flatMap(({ ladder: { rungs } }) => {
    return rungs.flatMap(({ channels }) => channels);
  });
  const dead = deadChannels(outbox).map(({ channel }) => channel);
  return [...new Set([...dead, ...named.filter((name) => !desk.channels.has(name))])];
}

/** What the ladder journals of messages that were delivered. */
export function deliveredTo(state: LadderState, events: readonly OutboxEvent[], nowMs: number): LadderEvent[] {
  return events.flatMap((event) => {
    if (event.kind !== 'tried' || event.delivery.kind !== 'delivered') return [];
    const alert = readAlertKey(event.key);
    if (!alert) return [];
    const { channel } = event;
    return [...ladderStep(state, { kind: 'delivered', ...alert, channel }, nowMs, sha256).events];
  });
}
