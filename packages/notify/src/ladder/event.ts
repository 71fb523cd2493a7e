import type { Severity } from '@keepwatch/watch';
import type { AcknowledgeBy } from '../channel.ts';
import type { Code, Ladder } from './state.ts';

export type LadderInput =
  | {
      readonly kind: 'open';
      /** Id of the finding; the escalation takes it as its own. */
      readonly finding: string;
      /** Wallet and kind: while one of a group is open, the next joins it. */
      readonly group: string;
      readonly severity: Severity;
      readonly ladder: Ladder;
      /** 32 random bytes, of which the codes of the first rung are made. */
      readonly entropy: Uint8Array;
    }
  /** Time has passed, or a channel died. `dead`: channels that cannot deliver now. */
  | { readonly kind: 'tick'; readonly dead: readonly string[]; readonly entropy: Uint8Array }
  /** The outbox delivered the message of an order. */
  | { readonly kind: 'delivered'; readonly escalation: string; readonly step: number; readonly channel: string };

/** What is journaled. Codes stand in it as hashes. */
export type LadderEvent =
  | {
      readonly kind: 'opened';
      readonly escalation: string;
      readonly group: string;
      readonly severity: Severity;
      readonly ladder: Ladder;
      readonly codes: readonly Code[];
      readonly atMs: number;
    }
  | { readonly kind: 'joined'; readonly escalation: string; readonly finding: string; readonly atMs: number }
  /** `why`: nobody answered within the time, or no channel of the rung can deliver. */
  | {
      readonly kind: 'climbed';
      readonly escalation: string;
      readonly step: number;
      readonly why: 'no-answer' | 'unreachable';
      readonly codes: readonly Code[];
      readonly atMs: number;
    }
  | {
      readonly kind: 'reached';
      readonly escalation: string;
      readonly who: string;
      readonly channel: string;
      readonly step: number;
      readonly atMs: number;
    }
  | { readonly kind: 'exhausted'; readonly escalation: string; readonly atMs: number }
  /** `who`: whom the code was sent to. `by`: who says that they used it. */
  | {
      readonly kind: 'acknowledged';
      readonly escalation: string;
      readonly by: string;
      readonly who: string;
      readonly channel: string;
      readonly step: number;
      readonly atMs: number;
    }
  | { readonly kind: 'wrong-code'; readonly atMs: number }
  | { readonly kind: 'forgotten'; readonly escalation: string };

/**
 * What is to be posted, once the events are journaled (in the same batch, as posts of the outbox). The caller finds the
 * words: the ladder knows findings by their ids. `key` makes the post idempotent.
 */
export type LadderOrder = { readonly key: string; readonly escalation: string; readonly channel: string } & (
  | {
      readonly kind: 'alert';
      readonly step: number;
      readonly who: string;
      readonly severity: Severity;
      /** In clear, here only: nothing keeps it but the message itself. */
      readonly acknowledgement: AcknowledgeBy;
    }
  /** One more finding of an escalation that is open. */
  | { readonly kind: 'joined'; readonly finding: string; readonly group: string; readonly severity: Severity }
  | { readonly kind: 'acknowledged'; readonly by: string; readonly viaChannel: string }
  | { readonly kind: 'exhausted' }
);
