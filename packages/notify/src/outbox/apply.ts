import { assertNever } from '@keepwatch/base';
import type { OutboxEvent } from './event.ts';
import { createLane, type Entry, type Lane, type OutboxState } from './state.ts';

/** How many subjects of gathered messages are kept; the rest is counted. */
const GATHERED_SUBJECTS = 20;
/** How many keys a lane remembers after they left. What is posted comes from the journal once: this is the second bolt. */
const KEPT_KEYS = 4_096;
/** Longer than any window. */
const BEGUN_KEPT_MS = 60 * 60_000;

/** Folds one event. It never fails: what names something unknown changes nothing. */
export function applyOutboxEvent(state: OutboxState, event: OutboxEvent): void {
  const lane = laneOf(state, event.channel);
  switch (event.kind) {
    case 'queued':
      return queue(lane, event);
    case 'began':
      return begin(lane, event);
    case 'tried':
      return settle(lane, event);
    case 'channel-died':
      lane.dead = { sinceMs: event.atMs, code: event.code, words: event.words };
      return;
    case 'channel-revived':
      lane.dead = null;
      forgetFailures(lane, event.atMs);
      return;
    case 'channel-removed':
      // The count goes on where a channel of that name comes back: the reader's gap is a true one.
      lane.missing.push(...lane.waiting.flatMap(({ sent }) => (sent ? [sent.number] : [])));
      Object.assign(lane, { waiting: [], trying: null, dead: null });
      forgetFailures(lane, event.atMs);
      return;
    default:
      assertNever(event);
  }
}

function laneOf(state: OutboxState, channel: string): Lane {
  const lane = state.lanes.get(channel) ?? createLane();
  state.lanes.set(channel, lane);
  return lane;
}

function queue(lane: Lane, { post, place, atMs, notBeforeMs }: Extract<OutboxEvent, { kind: 'queued' }>): void {
  const open = place === 'gathered' ? gatheringEntry(lane, post.group) : undefined;
  if (!open) {
    lane.waiting.push({
      ...{ post, more: { count: 0, subjects: [], keys: [] }, gathers: place !== 'alone' },
      ...{ queuedAtMs: atMs, notBeforeMs, attempts: 0, restUntilMs: 0, sent: null, bare: false },
    });
    return;
  }
  open.more.count++;
  open.more.keys.push(post.key);
  if (open.more.subjects.length < GATHERED_SUBJECTS) open.more.subjects.push(post.subject);
}

function begin(lane: Lane, event: Extract<OutboxEvent, { kind: 'began' }>): void {
  const entry = entryOf(lane, event.key);
  if (!entry) return;
  lane.trying = { key: event.key, attempt: event.attempt };
  entry.attempts = event.attempt;
  if (entry.sent) return;
  entry.gathers = false;
  entry.sent = { id: event.id, number: event.number, missing: lane.missing };
  lane.nextNumber = event.number + 1;
  lane.missing = [];
  if (entry.post.group === null) return;
  const times = (lane.begun.get(entry.post.group) ?? []).filter((each) => event.atMs - each < BEGUN_KEPT_MS);
  lane.begun.delete(entry.post.group);
  lane.begun.set(entry.post.group, [...times, event.atMs]);
  // Groups in the order of their last beginning: the old ones stand in front.
  for (const [group, each] of lane.begun) {
    if (event.atMs - each.at(-1)! < BEGUN_KEPT_MS) break;
    lane.begun.delete(group);
  }
}

function settle(lane: Lane, event: Extract<OutboxEvent, { kind: 'tried' }>): void {
  const entry = entryOf(lane, event.key);
  if (!entry || lane.trying?.key !== event.key) return;
  lane.trying = null;
  lane.heldUntilMs = Math.max(lane.heldUntilMs, event.heldUntilMs);
  const { delivery } = event;
  switch (delivery.kind) {
    case 'delivered':
      lane.delivered++;
      forgetFailures(lane, event.atMs);
      return leave(lane, entry);
    case 'refused':
      // The channel works: it is these words that it will not take.
      forgetFailures(lane, event.atMs);
      if (event.bare) {
        entry.bare = true;
        return;
      }
      lane.missing.push(...(entry.sent ? [...entry.sent.missing, entry.sent.number] : []));
      return leave(lane, entry);
    case 'later':
    case 'broken':
      lane.failures++;
      lane.failingSinceMs ??= event.atMs;
      lane.restUntilMs = event.restUntilMs;
      entry.restUntilMs = event.ownRestUntilMs;
      return;
    default:
      assertNever(delivery);
  }
}

/** After an outage what stood aside is tried at once. One message that always fails makes no outage: it fails alone. */
function forgetFailures(lane: Lane, atMs: number): void {
  if (lane.failures > 1) for (const each of lane.waiting) each.restUntilMs = Math.min(each.restUntilMs, atMs);
  Object.assign(lane, { failures: 0, failingSinceMs: null, restUntilMs: 0 });
}

function leave(lane: Lane, entry: Entry): void {
  lane.waiting = lane.waiting.filter((each) => each !== entry);
  lane.done.push(entry.post.key, ...entry.more.keys);
  if (lane.done.length > KEPT_KEYS) lane.done = lane.done.slice(-KEPT_KEYS / 2);
}

export function entryOf(lane: Lane, key: string): Entry | undefined {
  return lane.waiting.find(({ post }) => post.key === key);
}

export function gatheringEntry(lane: Lane, group: string | null): Entry | undefined {
  return group === null ? undefined : lane.waiting.find((each) => each.gathers && each.post.group === group);
}
