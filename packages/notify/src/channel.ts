import type { Json } from '@keepwatch/base';
import type { Severity } from '@keepwatch/watch';

/**
 * One way to reach somebody: email, a webhook, a chat. Each adapter is small, keeps to its own time-out and never throws
 * for what a service does; all pass one contract suite.
 */
export interface Channel {
  /** Unique in a configuration. */
  readonly name: string;
  readonly kind: ChannelKind;
  /** Sends one message once. The same `id` may come again after a crash: services that can, drop the second. */
  send(message: Message, signal: AbortSignal): Promise<Delivery>;
  /** Whether the service can be reached with these credentials, without sending anything, where that is possible. */
  probe(signal: AbortSignal): Promise<Delivery>;
  /**
   * Whether a message that the service took can be found there: delivered; refused where it is not there; else it cannot be
   * told now. Left out where the service shows nothing of what it took. `reference`: what its delivery said.
   */
  readBack?(reference: string | null, signal: AbortSignal): Promise<Delivery>;
  /**
   * What those who may answer sent back by it, from behind a cursor that it gave; null: from now or some time ago. Left out
   * where it cannot be read. `undefined`: it cannot be told now.
   */
  replies?(cursor: string | null, signal: AbortSignal): Promise<Replies | undefined>;
  close(): Promise<void>;
}

export interface Replies {
  /** `by`: who wrote it, as far as the service says so in words for people. */
  readonly replies: readonly { readonly text: string; readonly by: string | null }[];
  /** Behind what was read; null: begin anew, or the service itself remembers it. */
  readonly cursor: string | null;
  /** There may be more at once. */
  readonly more: boolean;
}

export type ChannelKind = 'email' | 'webhook' | 'ntfy' | 'telegram' | 'nostr' | 'matrix' | 'signal' | 'sms' | 'command';

/** What is said, already at the privacy level of the channel. */
export interface Message {
  /** Idempotency key: the same message has the same id, however often it is tried. */
  readonly id: string;
  readonly subject: string;
  /** Plain text, lines of any length. It says in words what `number` and `acknowledgement` say to machines. */
  readonly body: string;
  readonly severity: Severity;
  /** Number of this message on this channel, from 1 without gaps: a missing one shows. */
  readonly number: number;
  readonly atMs: number;
  readonly acknowledgement: AcknowledgeBy | null;
  /** For machines: what webhooks carry as `data`. Null below the privacy level `full`. */
  readonly data: Json;
}

/** How a message can be acknowledged: by sending the code back, or by opening the page; null where nothing waits for it. */
export interface AcknowledgeBy {
  readonly code: string;
  readonly url: string | null;
  /** Whether what is sent back on this channel is read; left out: as far as is known. */
  readonly sendBack?: boolean;
}

/**
 * What became of a try. `later`: it may work another time, after `retryAfterMs` where the service said so. `refused`: the
 * same message will never be taken (and the channel may still take others). `broken`: the channel itself is of no use until
 * somebody mends it (wrong password, unknown chat). `code` is stable, `words` are for people and hold no secret.
 */
export type Delivery =
  | { readonly kind: 'delivered'; readonly reference: string | null }
  | { readonly kind: 'later'; readonly code: string; readonly words: string; readonly retryAfterMs: number | null }
  | { readonly kind: 'refused'; readonly code: string; readonly words: string }
  | { readonly kind: 'broken'; readonly code: string; readonly words: string };
