import { assertNever } from '@keepwatch/base';
import type { Delivery } from '../channel.ts';
import { entryOf, gatheringEntry } from './apply.ts';
import { nextEntry } from './due.ts';
import type { OutboxEvent, OutboxInput } from './event.ts';
import { createLane, SUMMARY, type Lane, type OutboxState, type Post } from './state.ts';

/**
 * Decides what becomes of one input. It changes nothing: journal what it gives, then fold it with `applyOutboxEvent`,
 * and only then act. `nowMs`: wall clock; what it says may jump, which makes a rest longer or shorter and loses nothing.
 */
export function outboxStep(state: OutboxState, input: OutboxInput, nowMs: number): OutboxEvent[] {
  const lane = state.lanes.get(input.channel) ?? createLane();
  const { channel } = input;
  switch (input.kind) {
    case 'post':
      return isKnown(lane, input.post.key) ? [] : [place(state, lane, input, nowMs)];
    case 'begin': {
      if (lane.trying || nextEntry(state, lane, nowMs)?.post.key !== input.key) return [];
      const entry = entryOf(lane, input.key)!;
      const number = entry.sent?.number ?? lane.nextNumber;
      const id = entry.sent?.id ?? `${state.options.instance}-${channel}-${number}`;
      return [{ kind: 'began', channel, key: input.key, attempt: entry.attempts + 1, id, number, atMs: nowMs }];
    }
    case 'outcome':
      return lane.trying?.key === input.key && lane.trying.attempt === input.attempt
        ? outcome(state, lane, input, nowMs)
        : [];
    case 'probed':
      return health(state, lane, channel, input.delivery, nowMs);
    case 'remove': {
      if (!state.lanes.has(channel)) return [];
      const undelivered = lane.waiting.flatMap(({ post, more }) => [post.key, ...more.keys]);
      return [{ kind: 'channel-removed', channel, undelivered, atMs: nowMs }];
    }
    default:
      return assertNever(input);
  }
}

function isKnown(lane: Lane, key: string): boolean {
  return lane.done.includes(key) || lane.waiting.some(({ post, more }) => post.key === key || more.keys.includes(key));
}

/** What waits for an answer has a code of its own and is never gathered; who opens such posts bounds their number. */
function place(
  { options }: OutboxState,
  lane: Lane,
  { channel, post: given, hold }: Extract<OutboxInput, { kind: 'post' }>,
  nowMs: number,
): OutboxEvent {
  if (hold?.summary) return placeInSummary(lane, channel, given, hold.untilMs, nowMs);
  const heldUntilMs = hold?.untilMs ?? 0;
  // Severities never mix: a critical one is not to wait among others.
  const post = given.group === null ? given : { ...given, group: `${given.severity} ${given.group}` };
  const alone = { kind: 'queued', channel, post, place: 'alone', atMs: nowMs, notBeforeMs: heldUntilMs } as const;
  if (post.group === null || post.acknowledgement) return alone;
  const open = gatheringEntry(lane, post.group);
  if (open) return { ...alone, place: 'gathered', notBeforeMs: open.notBeforeMs };
  const windowMs = options.windowMs[post.severity];
  const waiting = lane.waiting.filter((each) => each.post.group === post.group);
  const fresh = waiting.filter(({ sent }) => sent === null).length;
  const begun = (lane.begun.get(post.group) ?? []).filter((at) => Math.abs(nowMs - at) < windowMs).length;
  const crowd = Math.max(waiting.length, fresh + begun);
  return crowd < options.burst
    ? alone
    : { ...alone, place: 'gathering', notBeforeMs: Math.max(nowMs + windowMs, heldUntilMs) };
}

function placeInSummary(lane: Lane, channel: string, given: Post, untilMs: number, nowMs: number): OutboxEvent {
  const post = { ...given, group: SUMMARY };
  const open = gatheringEntry(lane, SUMMARY);
  const place = open ? 'gathered' : 'gathering';
  return { kind: 'queued', channel, post, place, atMs: nowMs, notBeforeMs: open?.notBeforeMs ?? untilMs };
}

function outcome(
  state: OutboxState,
  lane: Lane,
  { channel, key, attempt, delivery, entropy }: Extract<OutboxInput, { kind: 'outcome' }>,
  nowMs: number,
): OutboxEvent[] {
  const failed = delivery.kind === 'later' || delivery.kind === 'broken';
  const { maxHoldMs, asideAfter } = state.options;
  const asked = delivery.kind === 'later' ? Math.min(delivery.retryAfterMs ?? 0, maxHoldMs) : 0;
  const rest = failed ? nowMs + restOf(state, lane.failures, entropy) : 0;
  const tried: OutboxEvent = {
    ...{ kind: 'tried', channel, key, attempt, delivery, atMs: nowMs, restUntilMs: rest },
    ownRestUntilMs: failed ? Math.max(rest, attempt < asideAfter ? 0 : nowMs + restOf(state, attempt - 1, entropy)) : 0,
    heldUntilMs: asked > 0 ? nowMs + asked : 0,
    bare: delivery.kind === 'refused' && !entryOf(lane, key)!.bare,
  };
  return [tried, ...health(state, lane, channel, delivery, nowMs)];
}

/**
 * Exponential back-off: between half of the step and the whole of it, so that many monitors which lost one service at
 * one time do not come back at one time.
 */
function restOf({ options }: OutboxState, failures: number, entropy: number): number {
  const step = Math.min(options.maxRestMs, options.restMs * 2 ** Math.min(failures, 30));
  return Math.ceil(step / 2 + (step / 2) * ((entropy >>> 0) / 2 ** 32));
}

/** Says when a channel dies and when it lives again; each once. */
function health(state: OutboxState, lane: Lane, channel: string, delivery: Delivery, nowMs: number): OutboxEvent[] {
  switch (delivery.kind) {
    case 'delivered':
    case 'refused':
      return lane.dead ? [{ kind: 'channel-revived', channel, atMs: nowMs }] : [];
    case 'later':
    case 'broken': {
      const failingMs = lane.failingSinceMs === null ? 0 : nowMs - lane.failingSinceMs;
      if (lane.dead || (delivery.kind === 'later' && failingMs < state.options.deadAfterMs)) return [];
      return [{ kind: 'channel-died', channel, code: delivery.code, words: delivery.words, atMs: nowMs }];
    }
    default:
      return assertNever(delivery);
  }
}
