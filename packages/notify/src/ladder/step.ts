import { assertNever, type Sha256 } from '@keepwatch/base';
import { makeCodes } from './codes.ts';
import type { LadderEvent, LadderInput, LadderOrder } from './event.ts';
import { rungAt, type Escalation, type LadderState } from './state.ts';

export interface LadderOutcome {
  readonly events: readonly LadderEvent[];
  readonly orders: readonly LadderOrder[];
}

const NOTHING: LadderOutcome = { events: [], orders: [] };

/** Decides; changes nothing. Journal the events and the posts that the orders ask for in one batch. */
export function ladderStep(state: LadderState, input: LadderInput, nowMs: number, sha256: Sha256): LadderOutcome {
  switch (input.kind) {
    case 'open':
      return open(state, input, nowMs, sha256);
    case 'tick': {
      const all = [...state.escalations.values()].map((each) => tick(state, each, input, nowMs, sha256));
      return { events: all.flatMap(({ events }) => events), orders: all.flatMap(({ orders }) => orders) };
    }
    case 'delivered': {
      const { escalation, step, channel } = input;
      const found = state.escalations.get(escalation);
      if (!found || step > found.step) return NOTHING;
      const { who } = rungAt(found.ladder, step);
      return { events: [{ kind: 'reached', escalation, who, channel, step, atMs: nowMs }], orders: [] };
    }
    default:
      return assertNever(input);
  }
}

function open(
  state: LadderState,
  { finding, group, severity, ladder, entropy }: Extract<LadderInput, { kind: 'open' }>,
  nowMs: number,
  sha256: Sha256,
): LadderOutcome {
  if (ladder.rungs.length === 0) throw new RangeError('a ladder has at least one rung');
  const all = [...state.escalations.values()];
  if (all.some(({ id, findings }) => id === finding || findings.includes(finding))) return NOTHING;
  const running = all.find((each) => each.group === group && each.over === null);
  if (running) {
    const { id: escalation } = running;
    return {
      events: [{ kind: 'joined', escalation, finding, atMs: nowMs }],
      orders: rungAt(running.ladder, running.step).channels.map((channel) => ({
        ...{ kind: 'joined', key: `${escalation} joined ${finding}`, escalation, channel, finding, group, severity },
      })),
    };
  }
  const rung = rungAt(ladder, 0);
  const { codes, byChannel } = makeCodes({ escalation: finding, step: 0, rung, nowMs }, state.options, entropy, sha256);
  return {
    events: [{ kind: 'opened', escalation: finding, group, severity, ladder, codes, atMs: nowMs }],
    orders: alerts(finding, severity, 0, rung.who, byChannel),
  };
}

function alerts(
  escalation: string,
  severity: Escalation['severity'],
  step: number,
  who: string,
  byChannel: ReturnType<typeof makeCodes>['byChannel'],
): LadderOrder[] {
  return [...byChannel].map(([channel, acknowledgement]) => ({
    ...{ kind: 'alert', key: `${escalation} step ${step}`, escalation, channel, step, who, severity, acknowledgement },
  }));
}

function tick(
  state: LadderState,
  found: Escalation,
  { dead, entropy }: Extract<LadderInput, { kind: 'tick' }>,
  nowMs: number,
  sha256: Sha256,
): LadderOutcome {
  const { id: escalation, ladder, over } = found;
  if (over) {
    const forget = nowMs - over.atMs >= state.options.keepMs;
    return forget ? { events: [{ kind: 'forgotten', escalation }], orders: [] } : NOTHING;
  }
  const here = rungAt(ladder, found.step);
  const late = nowMs - found.sinceMs >= here.waitMs;
  const reached = found.deliveries.some(({ step }) => step === found.step);
  const unreachable = !reached && here.channels.every((each) => dead.includes(each));
  // Where every rung is unreachable, climbing faster helps nobody: then time alone moves it.
  const elsewhere = ladder.rungs.some(({ channels }) => !channels.every((each) => dead.includes(each)));
  if (!late && !(unreachable && elsewhere)) return NOTHING;
  const step = found.step + 1;
  if (step >= ladder.rungs.length * ladder.rounds) {
    if (!late) return NOTHING;
    return {
      events: [{ kind: 'exhausted', escalation, atMs: nowMs }],
      orders: channelsOf(found).map((channel) => ({
        ...{ kind: 'exhausted', key: `${escalation} exhausted`, escalation, channel },
      })),
    };
  }
  const rung = rungAt(ladder, step);
  const { codes, byChannel } = makeCodes({ escalation, step, rung, nowMs }, state.options, entropy, sha256);
  const why = late ? 'no-answer' : 'unreachable';
  return {
    events: [{ kind: 'climbed', escalation, step, why, codes, atMs: nowMs }],
    orders: alerts(escalation, found.severity, step, rung.who, byChannel),
  };
}

/** Channels that were told of it so far. */
export function channelsOf({ ladder, step }: Escalation): string[] {
  return [...new Set(ladder.rungs.slice(0, step + 1).flatMap(({ channels }) => channels))];
}

/** When a tick will next change something by time alone; null where nothing is open. */
export function nextLadderMs(state: LadderState): number | null {
  const times = [...state.escalations.values()].map(({ over, sinceMs, ladder, step }) =>
    over ? over.atMs + state.options.keepMs : sinceMs + rungAt(ladder, step).waitMs,
  );
  return times.length === 0 ? null : Math.min(...times);
}
