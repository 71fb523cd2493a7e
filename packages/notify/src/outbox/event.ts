import type { Delivery } from '../channel.ts';
import type { Post } from './state.ts';

/** What the outbox is told. `entropy` is 32 random bits as a number: the step has no chance of its own. */
export type OutboxInput =
  | { readonly kind: 'post'; readonly channel: string; readonly post: Post; readonly hold?: Hold }
  /** A try is about to be made: journaled first, so that a crash repeats it. */
  | { readonly kind: 'begin'; readonly channel: string; readonly key: string }
  | {
      readonly kind: 'outcome';
      readonly channel: string;
      readonly key: string;
      readonly attempt: number;
      readonly delivery: Delivery;
      readonly entropy: number;
    }
  /** A self-test that sent nothing. */
  | { readonly kind: 'probed'; readonly channel: string; readonly delivery: Delivery }
  /** The channel is no longer configured: what waits for it is given up, by the operator's will. */
  | { readonly kind: 'remove'; readonly channel: string };

/**
 * Not told before `untilMs`. `summary`: in one message with everything else that waits for a summary on its channel,
 * whatever its severity.
 */
export interface Hold {
  readonly untilMs: number;
  readonly summary: boolean;
}

/** What is journaled. The fold computes nothing: every decision and every time stands in the event. */
export type OutboxEvent =
  | {
      readonly kind: 'queued';
      readonly channel: string;
      readonly post: Post;
      /** `gathered`: into the entry of its group that still gathers. `gathering`: as the first of such an entry. */
      readonly place: 'alone' | 'gathering' | 'gathered';
      readonly atMs: number;
      readonly notBeforeMs: number;
    }
  | {
      readonly kind: 'began';
      readonly channel: string;
      readonly key: string;
      readonly attempt: number;
      readonly id: string;
      readonly number: number;
      readonly atMs: number;
    }
  | {
      readonly kind: 'tried';
      readonly channel: string;
      readonly key: string;
      readonly attempt: number;
      readonly delivery: Delivery;
      readonly atMs: number;
      /** The lane rests, the message rests, the service wants to be left alone: until then. */
      readonly restUntilMs: number;
      readonly ownRestUntilMs: number;
      readonly heldUntilMs: number;
      /** The words were not taken: the bare minimum is tried next. */
      readonly bare: boolean;
    }
  | {
      readonly kind: 'channel-died';
      readonly channel: string;
      readonly code: string;
      readonly words: string;
      readonly atMs: number;
    }
  | { readonly kind: 'channel-revived'; readonly channel: string; readonly atMs: number }
  /** `undelivered`: keys that were given up. */
  | {
      readonly kind: 'channel-removed';
      readonly channel: string;
      readonly undelivered: readonly string[];
      readonly atMs: number;
    };
