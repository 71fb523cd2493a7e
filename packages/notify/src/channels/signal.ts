import { parseJsonBytes, utf8 } from '@keepwatch/base';
import { z } from 'zod';
import type { Channel, Replies } from '../channel.ts';
import { DIRECT, type Route } from '../net/dial.ts';
import type { HttpAnswer } from '../net/http.ts';
import { createHttpChannel, fitted, isRecent, JSON_TYPE } from './http-channel.ts';

export interface SignalOptions {
  readonly name: string;
  /** Of a signal-cli-rest-api of one's own. */
  readonly url: string;
  /** The number that sends, and whom it writes to: international form, or the id of a group. */
  readonly from: string;
  readonly to: string;
  /** Numbers or account ids whose messages count as answers; left out: the receiver’s own, and in a group nobody’s. */
  readonly answersBy?: readonly string[];
  readonly nowMs?: () => number;
  readonly route?: Route;
}

const MOST = 2_000;
const AT_ONCE = 10;
const MOST_RECEIVED = 1_000_000;
const GROUP = 'group.';

/** Signal through signal-cli-rest-api (POST /v2/send). End-to-end encryption begins there: it sees the words. */
export function createSignal(options: SignalOptions): Channel {
  const { name, url, from, to, route = DIRECT, nowMs = Date.now } = options;
  const answersBy = options.answersBy ?? (to.startsWith(GROUP) ? [] : [to]);
  const base = url.replace(/\/+$/, '');
  return createHttpChannel({
    ...{ name, kind: 'signal', route },
    request: ({ subject, body }) => ({
      ...{ method: 'POST', url: `${base}/v2/send`, headers: JSON_TYPE },
      body: JSON.stringify({ number: from, recipients: [to], message: fitted(`${subject}\n\n${body}`, MOST) }),
    }),
    ...(answersBy.length > 0 && {
      replies: {
        // What was received once is given to nobody again: neither a cursor nor a second try would bring it back.
        request: () => ({
          ...{ method: 'GET' as const, mostBytes: MOST_RECEIVED },
          url: `${base}/v1/receive/${encodeURIComponent(from)}?timeout=1&max_messages=${AT_ONCE}&ignore_attachments=true&ignore_stories=true`,
        }),
        read: (answer: HttpAnswer) => repliesOf(answer, { to, answersBy, nowMs }),
      },
    }),
    probe: { method: 'GET', url: `${base}/v1/health` },
  });
}

/** Only what those who may answer wrote to us directly, or in the very group that is written to. */
function repliesOf(
  answer: HttpAnswer,
  allowed: { readonly to: string; readonly answersBy: readonly string[]; readonly nowMs: () => number },
): Replies | undefined {
  const received: unknown = answer.status === 200 ? parseJsonBytes(utf8(answer.text)) : undefined;
  if (!Array.isArray(received)) return undefined;
  const replies = received.flatMap((each) => {
    const read = RECEIVED.safeParse(each);
    if (!read.success) return [];
    const { sourceNumber, sourceUuid, sourceName, timestamp, dataMessage } = read.data.envelope;
    const isTheirs = [sourceNumber, sourceUuid].some((id) => typeof id === 'string' && allowed.answersBy.includes(id));
    const { message, groupInfo } = dataMessage ?? {};
    if (!isTheirs || typeof message !== 'string' || !isRecent(timestamp, allowed.nowMs())) return [];
    if (placeOf(groupInfo?.groupId) !== (allowed.to.startsWith(GROUP) ? allowed.to : null)) return [];
    return [{ text: message, by: sourceName || null }];
  });
  return { replies, cursor: null, more: received.length > 0 };
}

/** How the interface names a group to which one writes: the id that messages carry, in base64 once more. */
const placeOf = (groupId: string | undefined): string | null =>
  groupId === undefined ? null : `${GROUP}${Buffer.from(groupId).toString('base64')}`;

const RECEIVED = z.object({
  envelope: z.object({
    sourceNumber: z.string().nullish(),
    sourceUuid: z.string().nullish(),
    sourceName: z.string().max(1_000).nullish(),
    timestamp: z.number(),
    dataMessage: z
      .object({ message: z.string().nullish(), groupInfo: z.object({ groupId: z.string() }).optional() })
      .optional(),
  }),
});
