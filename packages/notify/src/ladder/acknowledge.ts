import type { Sha256 } from '@keepwatch/base';
import { cleanLabel } from '../words/clean.ts';
import { hashOf, isToken, normalCode } from './codes.ts';
import type { LadderEvent } from './event.ts';
import { channelsOf, type Escalation, type LadderState } from './state.ts';
import type { LadderOutcome } from './step.ts';

/**
 * What became of an acknowledgement. `already`: somebody answered before, with this code or another. `busy`: too many
 * wrong short codes were tried lately; the link still works.
 */
export type AcknowledgeAnswer = 'acknowledged' | 'already' | 'expired' | 'unknown' | 'busy';

/** `from`: where short codes come from that may be guesses: each such place has its own limit of wrong ones. */
export interface GivenCode {
  readonly code: string;
  readonly by: string | null;
  readonly way: 'code' | 'reply';
  readonly from: string;
}

/**
 * Uses a code or the token of a link. It counts once, for the escalation that it was made for and until it expires; with
 * it, all other codes of that escalation are used up. `by`: who says so, as far as is known. The news goes to every
 * other channel that was told.
 */
export function acknowledge(
  state: LadderState,
  given: GivenCode,
  nowMs: number,
  sha256: Sha256,
): LadderOutcome & { readonly answer: AcknowledgeAnswer } {
  const code = normalCode(given.code);
  const { wrongCodes, wrongWindowMs } = state.options;
  const guessable = !isToken(code);
  const wrong = state.wrong.filter(({ from, atMs }) => from === given.from && nowMs - atMs < wrongWindowMs).length;
  if (guessable && wrong >= wrongCodes) return { answer: 'busy', events: [], orders: [] };
  const found = findCode(state, code, sha256);
  // Strangers can make us write at most so often.
  if (!found) {
    const { from } = given;
    return { answer: 'unknown', events: guessable ? [{ kind: 'wrong-code', from, atMs: nowMs }] : [], orders: [] };
  }
  const { escalation, match } = found;
  if (escalation.over?.how === 'acknowledged') return { answer: 'already', events: [], orders: [] };
  if (nowMs >= match.untilMs) return { answer: 'expired', events: [], orders: [] };
  const { who, channel, step } = match;
  const by = cleanLabel(given.by ?? '') || who;
  return answered(escalation, { by, way: guessable ? given.way : 'link', who, channel, step }, nowMs);
}

/** What a code or a token is of; undefined where nothing knows it. */
export function findCode(state: LadderState, given: string, sha256: Sha256) {
  const hash = hashOf(normalCode(given), sha256);
  for (const escalation of state.escalations.values()) {
    const match = escalation.codes.find((each) => each.hash === hash);
    if (match) return { escalation, match };
  }
  return undefined;
}

/** By somebody who may ask the monitor itself, and so needs no code. */
export function acknowledgeDirectly(
  state: LadderState,
  given: { readonly escalation: string; readonly by: string },
  nowMs: number,
): LadderOutcome & { readonly answer: AcknowledgeAnswer } {
  const found = state.escalations.get(given.escalation);
  if (!found) return { answer: 'unknown', events: [], orders: [] };
  if (found.over?.how === 'acknowledged') return { answer: 'already', events: [], orders: [] };
  const by = cleanLabel(given.by) || 'the owner';
  return answered(found, { by, way: 'command', who: null, channel: null, step: found.step }, nowMs);
}

function answered(
  found: Escalation,
  how: Omit<Extract<LadderEvent, { kind: 'acknowledged' }>, 'kind' | 'escalation' | 'atMs'>,
  nowMs: number,
): LadderOutcome & { readonly answer: AcknowledgeAnswer } {
  const escalation = found.id;
  const { by, way, channel: viaChannel } = how;
  return {
    answer: 'acknowledged',
    events: [{ kind: 'acknowledged', escalation, ...how, atMs: nowMs }],
    orders: channelsOf(found)
      .filter((each) => each !== viaChannel)
      .map((channel) => ({
        ...{ kind: 'acknowledged', key: `${escalation} acknowledged`, escalation, channel, by, way, viaChannel },
      })),
  };
}
