import type { Json } from '@keepwatch/base';
import type { Severity } from '@keepwatch/watch';
import type { AcknowledgeBy } from '../channel.ts';

/**
 * What waits to be sent, by channel. Plain data, changed by `applyOutboxEvent` alone, and the fold of the journal: an
 * entry leaves it when its service took it or will never take it, and not before.
 */
export interface OutboxState {
  readonly options: OutboxOptions;
  readonly lanes: Map<string, Lane>;
}

export interface OutboxOptions {
  /** Makes the ids of messages unique in the world: a random word that stays the same as long as the journal. */
  readonly instance: string;
  /** The first rest after a failure; it doubles up to `maxRestMs`. */
  readonly restMs: number;
  readonly maxRestMs: number;
  /** The longest that a service may tell us to wait: a hostile or broken one could say a year. */
  readonly maxHoldMs: number;
  /** A channel that delivers nothing for so long, though it was tried, counts as dead. */
  readonly deadAfterMs: number;
  /** So many messages of one wallet and kind go out by themselves within the window; what comes beyond is gathered. */
  readonly burst: number;
  readonly windowMs: Readonly<Record<Severity, number>>;
  /** After so many failures a message no longer keeps those behind it waiting. */
  readonly asideAfter: number;
}

export const OUTBOX_DEFAULTS: Omit<OutboxOptions, 'instance'> = {
  restMs: 5_000,
  maxRestMs: 15 * 60_000,
  maxHoldMs: 60 * 60_000,
  deadAfterMs: 15 * 60_000,
  burst: 3,
  windowMs: { info: 10 * 60_000, notice: 5 * 60_000, warning: 2 * 60_000, critical: 60_000 },
  asideAfter: 6,
};

/** One channel's queue: its own failure domain. */
export interface Lane {
  /** Of the message that begins next. */
  nextNumber: number;
  /** Messages that their service took. */
  delivered: number;
  /** Numbers that were given up since something was last delivered: the next message names them. */
  missing: number[];
  /** In the order of arrival. */
  waiting: Entry[];
  /** A try that was journaled and has no outcome yet. After a crash it is made again. */
  trying: { readonly key: string; readonly attempt: number } | null;
  /** Failures in a row, whatever the message. */
  failures: number;
  failingSinceMs: number | null;
  /** No try before this, by our own back-off. */
  restUntilMs: number;
  /** No try before this, because the service said so. */
  heldUntilMs: number;
  dead: { readonly sinceMs: number; readonly code: string; readonly words: string } | null;
  /** When messages of a group last began, the oldest first. */
  readonly begun: Map<string, number[]>;
  /** Keys that left, the oldest first: posting one of them again changes nothing. */
  done: string[];
}

/** The group of what waits for a summary. Every other group begins with a severity. */
export const SUMMARY = 'summary';

/** What is handed over: already worded for the channel's level of privacy. */
export interface Post {
  /** Idempotency key, unique on its channel: posting it again changes nothing. */
  readonly key: string;
  /** Wallet and kind, or what else may be gathered under “n more of this kind”; null where each stands for itself. */
  readonly group: string | null;
  readonly severity: Severity;
  readonly subject: string;
  readonly body: string;
  readonly data: Json;
  readonly acknowledgement: AcknowledgeBy | null;
  readonly atMs: number;
}

export interface Entry {
  readonly post: Post;
  /** What was gathered behind the first one. */
  readonly more: Gathered;
  /** Whether it still gathers: until its first try begins. */
  gathers: boolean;
  readonly queuedAtMs: number;
  readonly notBeforeMs: number;
  attempts: number;
  /** For one that stands aside: when it is tried again. */
  restUntilMs: number;
  /** Given when its first try begins, and the same ever after. */
  sent: Sent | null;
  /** The service would not take the words: only the bare minimum is sent. */
  bare: boolean;
}

export interface Sent {
  readonly id: string;
  readonly number: number;
  readonly missing: readonly number[];
}

export interface Gathered {
  count: number;
  /** Subjects of the first of them; the rest is only counted. */
  readonly subjects: string[];
  readonly keys: string[];
}

export function createOutboxState(options: OutboxOptions): OutboxState {
  return { options, lanes: new Map() };
}

export function createLane(): Lane {
  return {
    ...{ nextNumber: 1, delivered: 0, missing: [], waiting: [], trying: null, failures: 0, failingSinceMs: null },
    ...{ restUntilMs: 0, heldUntilMs: 0, dead: null, begun: new Map(), done: [] },
  };
}

/** Channels that cannot deliver at present, and since when: what `channel-dead` findings and a status page say. */
export function deadChannels(state: OutboxState): { channel: string; sinceMs: number; code: string; words: string }[] {
  return [...state.lanes].flatMap(([channel, { dead }]) => (dead ? [{ channel, ...dead }] : []));
}
