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
  close(): Promise<void>;
}

export type ChannelKind = 'email' | 'webhook' | 'ntfy' | 'telegram' | 'nostr' | 'matrix' | 'signal' | 'sms' | 'command';

/** What is said, already at the privacy level of the channel. */
export interface Message {
  /** Idempotency key: the same message has the same id, however often it is tried. */
  readonly id: string;
  readonly subject: string;
  /** Plain text, lines of any length. */
  readonly body: string;
  readonly severity: 'info' | 'notice' | 'warning' | 'critical';
  /** Number of this message on this channel, from 1 without gaps: a missing one shows. */
  readonly number: number;
  readonly atMs: number;
  /** Where it can be acknowledged, and by which code; null where nothing waits for it. */
  readonly acknowledgement: { readonly code: string; readonly url: string | null } | null;
  /** For machines: what webhooks carry as `data`. Null below the privacy level `full`. */
  readonly data: unknown;
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
