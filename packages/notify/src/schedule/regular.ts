import { compareSeverity, type Severity } from '@keepwatch/watch';
import type { Post } from '../outbox/state.ts';
import { cleanLabel } from '../words/clean.ts';

/** “The monitor lives”: its absence is the message. `nextMs`: when the reader should miss the next one. */
export function heartbeatPost(given: {
  readonly momentMs: number;
  readonly nextMs: number;
  readonly words: string;
}): Post {
  const { momentMs, nextMs, words } = given;
  return {
    ...{ key: `heartbeat ${momentMs}`, group: null, severity: 'info', subject: 'Keepwatch: the monitor is alive' },
    body: [words, `The next of these comes by ${minuteOf(nextMs)}. If it does not, look at the monitor.`]
      .filter(Boolean)
      .join('\n'),
    ...{ data: { kind: 'heartbeat', nextMs }, acknowledgement: null, atMs: momentMs },
  };
}

/** A test that somebody should see, by which a channel proves that it ends at a person. */
export function selfTestPost(given: { readonly momentMs: number; readonly channel: string }): Post {
  return {
    ...{
      key: `self-test ${given.momentMs}`,
      group: null,
      severity: 'info',
      subject: 'Keepwatch: a test of this channel',
    },
    body: `This is a test of the channel ${cleanLabel(given.channel)}. Nothing happened.`,
    ...{ data: { kind: 'self-test' }, acknowledgement: null, atMs: given.momentMs },
  };
}

/** One line of a digest: what the rules kept back, in words of the channel's privacy. */
export interface DigestLine {
  readonly subject: string;
  readonly severity: Severity;
  readonly atMs: number;
}

const MOST_LINES = 200;

/** One message for what was kept back since the last; null where there is nothing to tell. The severest come first. */
export function digestPost(given: { readonly momentMs: number; readonly lines: readonly DigestLine[] }): Post | null {
  const { momentMs, lines } = given;
  if (lines.length === 0) return null;
  const sorted = [...lines].sort((a, b) => compareSeverity(b.severity, a.severity) || a.atMs - b.atMs);
  const shown = sorted
    .slice(0, MOST_LINES)
    .map(({ subject, atMs }) => `- ${minuteOf(atMs)} ${cleanLabel(subject, 200)}`);
  const rest = sorted.length - shown.length;
  const count = lines.length === 1 ? '1 finding' : `${lines.length} findings`;
  return {
    ...{ key: `digest ${momentMs}`, group: null, severity: 'info', subject: `Keepwatch: ${count}` },
    body: [`${count}, the severest first:`, ...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'),
    ...{ data: null, acknowledgement: null, atMs: momentMs },
  };
}

const minuteOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
