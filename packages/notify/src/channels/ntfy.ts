import { parseJsonBytes, utf8 } from '@keepwatch/base';
import type { Severity } from '@keepwatch/watch';
import { z } from 'zod';
import type { Channel, Replies } from '../channel.ts';
import { DIRECT, type Route } from '../net/dial.ts';
import { bytesOf, createHttpChannel, fitted, JSON_TYPE, memberOf, wordOf } from './http-channel.ts';

export interface NtfyOptions {
  readonly name: string;
  /** Of the server, such as `https://ntfy.sh`. */
  readonly url: string;
  /** Who knows the topic reads it, unless the server asks for a token. */
  readonly topic: string;
  readonly token: string | null;
  readonly route?: Route;
}

const PRIORITY: Readonly<Record<Severity, number>> = { info: 2, notice: 3, warning: 4, critical: 5 };
/** ntfy makes a file of what is longer than 4,096 bytes (docs.ntfy.sh/publish, “Limitations”). */
const MOST_BYTES = 4_000;

/** One line of JSON for each message (docs.ntfy.sh/subscribe/api, “JSON message format”). */
function repliesOf(text: string, before: string | null): Replies {
  const replies: { text: string; by: string | null }[] = [];
  let cursor = before;
  for (const line of text.split('\n')) {
    const read = MESSAGE.safeParse(parseJsonBytes(utf8(line)));
    if (!read.success) continue;
    cursor = read.data.id;
    replies.push({ text: read.data.message, by: null });
  }
  return { replies, cursor, more: false };
}

const MESSAGE = z.object({ id: z.string().max(64), event: z.literal('message'), message: z.string() });

/** ntfy (docs.ntfy.sh/publish, “Publish as JSON”). */
export function createNtfy({ name, url, topic, token, route = DIRECT }: NtfyOptions): Channel {
  const base = url.replace(/\/+$/, '');
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  return createHttpChannel({
    ...{ name, kind: 'ntfy', route },
    request: ({ subject, body, severity, acknowledgement }) => ({
      ...{ method: 'POST', url: `${base}/`, headers: { ...headers, ...JSON_TYPE } },
      body: JSON.stringify({
        ...{
          topic,
          title: fitted(subject, 200),
          message: fitted(body, MOST_BYTES, bytesOf),
          priority: PRIORITY[severity],
        },
        // The link opens a page; a button that posts by itself would be pressed by accident.
        ...(acknowledgement?.url ? { click: acknowledgement.url } : {}),
      }),
    }),
    // Whoever may write to the topic may answer: who knows it reads the codes anyway.
    replies: {
      request: (cursor) => ({
        ...{ method: 'GET', headers },
        url: `${base}/${encodeURIComponent(topic)}/json?poll=1&since=${encodeURIComponent(cursor ?? '10m')}`,
      }),
      read: ({ status, text }, cursor) => (status === 200 ? repliesOf(text, cursor) : undefined),
    },
    readBack: {
      referenceOf: (answer) => wordOf(memberOf(answer, 'id')),
      // “poll=1” ends after what is there; `id` leaves out everything else (docs.ntfy.sh/subscribe/api).
      request: (id) => ({
        ...{ method: 'GET', headers },
        url: `${base}/${encodeURIComponent(topic)}/json?poll=1&since=10m&id=${encodeURIComponent(id)}`,
      }),
      isThere: (answer, id) => answer.text.includes(JSON.stringify(id)),
    },
    probe: { method: 'GET', url: `${base}/${encodeURIComponent(topic)}/auth`, headers },
  });
}
