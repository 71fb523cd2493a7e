import type { Severity } from '@keepwatch/watch';
import type { AcknowledgeBy } from '../channel.ts';
import type { AcknowledgeWay, Code, Ladder } from './state.ts';

export type LadderInput =
  | {
      readonly kind: 'open';
      /** Id of the finding; the escalation takes it as its own. */
      readonly finding: string;
      readonly entry: number;
      /** Wallet and kind: while one of a group is open, the next joins it. */
      readonly group: string;
      readonly severity: Severity;
      readonly ladder: Ladder;
      /** 32 random bytes, of which the codes of the first rung are made. */
      readonly entropy: Uint8Array;
    }
  /** Time has passed for one of them, or a channel died. `dead`: channels that cannot deliver now. */
  | {
      readonly kind: 'tick';
      readonly escalation: string;
      readonly dead: readonly string[];
      readonly entropy: Uint8Array;
    }
  /** The owner set another ladder: one that is open begins it from its first rung, and knows the codes of before. */
  | {
      readonly kind: 'replan';
      readonly escalation: string;
      readonly ladder: Ladder;
      readonly entropy: Uint8Array;
    }
  /** The outbox delivered the message of an order. */
  | { readonly kind: 'delivered'; readonly escalation: string; readonly step: number; readonly channel: string };

/** What is journaled. Codes stand in it as hashes. */
export type LadderEvent =
  | {
      readonly kind: 'opened';
      readonly escalation: string;
      readonly entry: number;
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
      readonly kind: 'replanned';
      readonly escalation: string;
      readonly ladder: Ladder;
      readonly step: number;
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
  /** `by`: who says that they have seen it. `who`, `channel`: whom the code was sent to, and by what. */
  | {
      readonly kind: 'acknowledged';
      readonly escalation: string;
      readonly by: string;
      readonly way: AcknowledgeWay;
      readonly who: string | null;
      readonly channel: string | null;
      readonly step: number;
      readonly atMs: number;
    }
  | { readonly kind: 'wrong-code'; readonly from: string; readonly atMs: number }
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
  | {
      readonly kind: 'acknowledged';
      readonly by: string;
      readonly way: AcknowledgeWay;
      readonly viaChannel: string | null;
    }
  | { readonly kind: 'exhausted' }
);

/** The key of the message that tells of a step: unique on its channel. */
export const alertKey = (escalation: string, step: number) => `${escalation} step ${step}`;

/** What an alert's key says; undefined for keys of other messages. */
export function readAlertKey(key: string): { readonly escalation: string; readonly step: number } | undefined {
  const match = /^(.+) step (\d{1,9})$/.exec(key);
  return match ? { escalation: match[1]!, step: Number(match[2]) } : undefined;
}
