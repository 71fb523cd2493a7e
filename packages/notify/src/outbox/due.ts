import { SEVERITIES } from '@keepwatch/watch';
import type { Message } from '../channel.ts';
import { entryOf } from './apply.ts';
import { composeMessage } from './compose.ts';
import type { Entry, Lane, OutboxState } from './state.ts';

/**
 * What is to be done now; derived from the state, so a restart finds it again. `begin`: put it to `outboxStep` and
 * journal what comes. `send`: the beginning is journaled, so send this message and report the outcome.
 */
export type OutboxEffect =
  | { readonly kind: 'begin'; readonly channel: string; readonly key: string }
  | {
      readonly kind: 'send';
      readonly channel: string;
      readonly key: string;
      readonly attempt: number;
      readonly message: Message;
    };

/** At most one for each channel: a channel that hangs delays no other, and a storm on one fills none. */
export function dueEffects(state: OutboxState, nowMs: number): OutboxEffect[] {
  return [...state.lanes].flatMap(([channel, lane]): OutboxEffect[] => {
    const { trying } = lane;
    if (trying) {
      const entry = entryOf(lane, trying.key);
      return entry ? [{ kind: 'send', channel, ...trying, message: composeMessage(entry) }] : [];
    }
    const entry = nextEntry(state, lane, nowMs);
    return entry ? [{ kind: 'begin', channel, key: entry.post.key }] : [];
  });
}

const BY_SEVERITY = SEVERITIES.toReversed();

/**
 * Which entry of a lane is tried now: the most severe, of these the first that came. Only one that has failed so often
 * that it stands aside is overtaken by another of its severity; and a critical one that was never tried does not wait
 * for the back-off that others caused.
 */
export function nextEntry({ options }: OutboxState, lane: Lane, nowMs: number): Entry | undefined {
  if (nowMs < lane.heldUntilMs) return undefined;
  const resting = nowMs < lane.restUntilMs;
  for (const severity of BY_SEVERITY) {
    if (resting && severity !== 'critical') return undefined;
    let first: Entry | undefined;
    let aside: Entry | undefined;
    for (const each of lane.waiting) {
      if (each.post.severity !== severity || nowMs < each.notBeforeMs || (resting && each.attempts > 0)) continue;
      if (each.attempts < options.asideAfter) first ??= each;
      else if (nowMs >= each.restUntilMs && (!aside || each.restUntilMs < aside.restUntilMs)) aside = each;
    }
    // What stands aside takes its turn by the end of its rest, so that neither keeps the other waiting for ever.
    const found = aside && first && first.queuedAtMs < aside.restUntilMs ? first : (aside ?? first);
    if (found) return found;
  }
  return undefined;
}

/** When `dueEffects` will next have something that it has not now; null where nothing waits. */
export function nextDueMs(state: OutboxState, nowMs: number): number | null {
  let next: number | null = null;
  for (const lane of state.lanes.values()) {
    if (lane.trying) continue;
    for (const each of lane.waiting) {
      const fresh = each.post.severity === 'critical' && each.attempts === 0;
      const aside = each.attempts >= state.options.asideAfter ? each.restUntilMs : 0;
      const at = Math.max(lane.heldUntilMs, fresh ? 0 : lane.restUntilMs, each.notBeforeMs, aside, nowMs);
      if (next === null || at < next) next = at;
    }
  }
  return next;
}
