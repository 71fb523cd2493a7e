import { assertNever } from '@keepwatch/base';
import type { LadderEvent } from './event.ts';
import type { LadderState } from './state.ts';

const NAMED_FINDINGS = 100;
const KEPT_DELIVERIES = 100;

/** Folds one event. What names something unknown changes nothing. */
export function applyLadderEvent(state: LadderState, event: LadderEvent): void {
  if (event.kind === 'wrong-code') {
    const since = event.atMs - state.options.wrongWindowMs;
    const recent = state.wrong.filter(({ atMs }) => atMs > since && atMs <= event.atMs);
    state.wrong.splice(0, state.wrong.length, ...recent, { from: event.from, atMs: event.atMs });
    return;
  }
  if (event.kind === 'opened') {
    const { escalation: id, entry, group, severity, ladder, codes, atMs } = event;
    state.escalations.set(id, {
      ...{ id, entry, findings: [id], joined: 0, group, severity, ladder, first: 0, step: 0, sinceMs: atMs },
      ...{ codes: [...codes], deliveries: [], over: null },
    });
    return;
  }
  const found = state.escalations.get(event.escalation);
  if (!found) return;
  switch (event.kind) {
    case 'joined':
      found.joined++;
      if (found.findings.length < NAMED_FINDINGS) found.findings.push(event.finding);
      return;
    case 'climbed':
      found.step = event.step;
      found.sinceMs = event.atMs;
      found.codes.push(...event.codes);
      return;
    case 'replanned':
      found.ladder = event.ladder;
      found.first = event.step;
      found.step = event.step;
      found.sinceMs = event.atMs;
      found.codes.push(...event.codes);
      found.over = null;
      return;
    case 'reached': {
      const { who, channel, step, atMs } = event;
      found.deliveries.push({ who, channel, step, atMs });
      if (found.deliveries.length > KEPT_DELIVERIES) found.deliveries.shift();
      return;
    }
    case 'exhausted':
      found.over = { how: 'exhausted', atMs: event.atMs };
      return;
    case 'acknowledged': {
      const { by, way, who, channel, atMs } = event;
      found.over = { how: 'acknowledged', by, way, who, channel, atMs };
      return;
    }
    case 'forgotten':
      state.escalations.delete(event.escalation);
      return;
    default:
      assertNever(event);
  }
}
