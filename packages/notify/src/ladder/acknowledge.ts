import type { Sha256 } from '@keepwatch/base';
import { cleanLabel } from '../words/clean.ts';
import { hashOf, isToken, normalCode } from './codes.ts';
import { channelsOf, type LadderOutcome } from './step.ts';
import type { LadderState } from './state.ts';

/**
 * What became of an acknowledgement. `already`: somebody answered before, with this code or another. `busy`: too many
 * wrong short codes were tried lately; the link still works.
 */
export type AcknowledgeAnswer = 'acknowledged' | 'already' | 'expired' | 'unknown' | 'busy';

/**
 * Uses a code or the token of a link. It counts once, for the escalation that it was made for and until it expires; with
 * it, all other codes of that escalation are used up. `by`: who says so, as far as is known. The news goes to every
 * other channel that was told.
 */
export function acknowledge(
  state: LadderState,
  given: { readonly code: string; readonly by: string | null },
  nowMs: number,
  sha256: Sha256,
): LadderOutcome & { readonly answer: AcknowledgeAnswer } {
  const code = normalCode(given.code);
  const { wrongCodes, wrongWindowMs } = state.options;
  const guessable = !isToken(code);
  const wrong = state.wrong.filter((at) => nowMs - at < wrongWindowMs).length;
  if (guessable && wrong >= wrongCodes) return { answer: 'busy', events: [], orders: [] };
  const hash = hashOf(code, sha256);
  for (const found of state.escalations.values()) {
    const match = found.codes.find((each) => each.hash === hash);
    if (!match) continue;
    if (found.over?.how === 'acknowledged') return { answer: 'already', events: [], orders: [] };
    if (nowMs >= match.untilMs) return { answer: 'expired', events: [], orders: [] };
    const { who, channel, step } = match;
    const by = cleanLabel(given.by ?? '') || who;
    const escalation = found.id;
    return {
      answer: 'acknowledged',
      events: [{ kind: 'acknowledged', escalation, by, who, channel, step, atMs: nowMs }],
      orders: channelsOf(found)
        .filter((each) => each !== channel)
        .map((each) => ({
          ...{
            kind: 'acknowledged',
            key: `${escalation} acknowledged`,
            escalation,
            channel: each,
            by,
            viaChannel: channel,
          },
        })),
    };
  }
  // Strangers can make us write at most so often.
  return { answer: 'unknown', events: guessable ? [{ kind: 'wrong-code', atMs: nowMs }] : [], orders: [] };
}
