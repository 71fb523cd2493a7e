import { assertNever, type Sha256 } from '@keepwatch/base';
import { makeCodes } from './codes.ts';
import { alertKey, type LadderEvent, type LadderInput, type LadderOrder } from './event.ts';
import { channelsOf, rungOf, type Escalation, type LadderState } from './state.ts';

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
      const found = state.escalations.get(input.escalation);
      return found ? tick(state, found, input, nowMs, sha256) : NOTHING;
    }
    case 'replan': {
      const found = state.escalations.get(input.escalation);
      return found ? replan(found, input, nowMs, sha256) : NOTHING;
    }
    case 'delivered': {
      const { escalation, step, channel } = input;
      const code = state.escalations.get(escalation)?.codes.find((each) => {
        return each.step === step && each.channel === channel;
      });
      if (!code) return NOTHING;
      return { events: [{ kind: 'reached', escalation, who: code.who, channel, step, atMs: nowMs }], orders: [] };
    }
    default:
      return assertNever(input);
  }
}

function open(
  state: LadderState,
  { finding, entry, group, severity, ladder, entropy }: Extract<LadderInput, { kind: 'open' }>,
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
      orders: rungOf(running).channels.map((channel) => ({
        ...{ kind: 'joined', key: `${escalation} joined ${finding}`, escalation, channel, finding, group, severity },
      })),
    };
  }
  const { codes, byChannel } = makeCodes({ escalation: finding, step: 0, first: 0, nowMs }, ladder, entropy, sha256);
  return {
    events: [{ kind: 'opened', escalation: finding, entry, group, severity, ladder, codes, atMs: nowMs }],
    orders: alerts(finding, severity, 0, ladder.rungs[0]!.who, byChannel),
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
    ...{ kind: 'alert', key: alertKey(escalation, step), escalation, channel, step, who, severity, acknowledgement },
  }));
}

/** What one of them has due; the times stand still for one that nothing moves. */
type Move = 'forget' | 'exhaust' | 'no-answer' | 'unreachable';

function moveOf(state: LadderState, found: Escalation, dead: readonly string[], nowMs: number): Move | undefined {
  const { ladder, over, first, step } = found;
  if (over) return nowMs - over.atMs >= state.options.keepMs ? 'forget' : undefined;
  const here = rungOf(found);
  const isLast = step + 1 - first >= ladder.rungs.length * ladder.rounds;
  if (nowMs - found.sinceMs >= here.waitMs) return isLast ? 'exhaust' : 'no-answer';
  const reached = found.deliveries.some((each) => each.step === step);
  if (reached || isLast || !here.channels.every((each) => dead.includes(each))) return undefined;
  // Where every rung is unreachable, climbing faster helps nobody: then time alone moves it.
  const elsewhere = ladder.rungs.some(({ channels }) => !channels.every((each) => dead.includes(each)));
  return elsewhere ? 'unreachable' : undefined;
}

/** Those that a tick would move now. */
export function dueEscalations(state: LadderState, dead: readonly string[], nowMs: number): string[] {
  return [...state.escalations.values()].flatMap((each) => (moveOf(state, each, dead, nowMs) ? [each.id] : []));
}

function tick(
  state: LadderState,
  found: Escalation,
  { dead, entropy }: Extract<LadderInput, { kind: 'tick' }>,
  nowMs: number,
  sha256: Sha256,
): LadderOutcome {
  const { id: escalation, ladder, first } = found;
  const move = moveOf(state, found, dead, nowMs);
  switch (move) {
    case undefined:
      return NOTHING;
    case 'forget':
      return { events: [{ kind: 'forgotten', escalation }], orders: [] };
    case 'exhaust':
      return {
        events: [{ kind: 'exhausted', escalation, atMs: nowMs }],
        orders: channelsOf(found).map((channel) => ({
          ...{ kind: 'exhausted', key: `${escalation} exhausted ${found.step}`, escalation, channel },
        })),
      };
    case 'no-answer':
    case 'unreachable': {
      const step = found.step + 1;
      const { codes, byChannel } = makeCodes({ escalation, step, first, nowMs }, ladder, entropy, sha256);
      return {
        events: [{ kind: 'climbed', escalation, step, why: move, codes, atMs: nowMs }],
        orders: alerts(escalation, found.severity, step, rungOf({ ...found, step }).who, byChannel),
      };
    }
    default:
      return assertNever(move);
  }
}

/** What was exhausted is open again: somebody set a ladder that may reach somebody. */
function replan(
  found: Escalation,
  { ladder, entropy }: Extract<LadderInput, { kind: 'replan' }>,
  nowMs: number,
  sha256: Sha256,
): LadderOutcome {
  if (found.over?.how === 'acknowledged') return NOTHING;
  if (ladder.rungs.length === 0) throw new RangeError('a ladder has at least one rung');
  const { id: escalation } = found;
  const step = found.step + 1;
  const { codes, byChannel } = makeCodes({ escalation, step, first: step, nowMs }, ladder, entropy, sha256);
  return {
    events: [{ kind: 'replanned', escalation, ladder, step, codes, atMs: nowMs }],
    orders: alerts(escalation, found.severity, step, ladder.rungs[0]!.who, byChannel),
  };
}

/** When a tick will next change something by time alone; null where nothing is open. */
export function nextLadderMs(state: LadderState): number | null {
  let next: number | null = null;
  for (const each of state.escalations.values()) {
    const at = each.over ? each.over.atMs + state.options.keepMs : each.sinceMs + rungOf(each).waitMs;
    if (next === null || at < next) next = at;
  }
  return next;
}
