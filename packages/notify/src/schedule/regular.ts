import type { Post } from '../outbox/state.ts';
import { cleanLabel } from '../words/clean.ts';

/**
 * “The monitor lives”: its absence is the message. `nextMs`: when the reader should miss the next one. `momentMs`: for which
 * moment of the schedule it is; it may be sent long behind it, after a start.
 */
export function heartbeatPost(given: {
  readonly momentMs: number;
  readonly nextMs: number;
  readonly words: string;
  readonly nowMs: number;
}): Post {
  const { momentMs, nextMs, words, nowMs } = given;
  return {
    ...{ key: `heartbeat ${momentMs}`, group: null, severity: 'info', subject: 'Keepwatch: the monitor is alive' },
    body: [words, `The next of these comes by ${minuteOf(nextMs)}. If it does not, look at the monitor.`]
      .filter(Boolean)
      .join('\n'),
    ...{ data: { kind: 'heartbeat', nextMs }, acknowledgement: null, atMs: nowMs },
  };
}

/** A test that somebody should see, by which a channel proves that it ends at a person. */
export function selfTestPost(given: {
  readonly momentMs: number;
  readonly channel: string;
  readonly nowMs: number;
}): Post {
  return {
    ...{
      key: `self-test ${given.momentMs}`,
      group: null,
      severity: 'info',
      subject: 'Keepwatch: a test of this channel',
    },
    body: `This is a test of the channel ${cleanLabel(given.channel)}. Nothing happened.`,
    ...{ data: { kind: 'self-test' }, acknowledgement: null, atMs: given.nowMs },
  };
}

/** Whether a key is of a message that the monitor sends by the clock, and not of something that happened. */
export const isRegular = (key: string) => /^(heartbeat|self-test) \d+$/.test(key);

const minuteOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
