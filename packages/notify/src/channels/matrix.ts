import { parseJsonBytes, utf8 } from '@keepwatch/base';
import { z } from 'zod';
import type { Channel, Delivery, Replies } from '../channel.ts';
import { broken, later } from '../delivery.ts';
import { DIRECT, type Route } from '../net/dial.ts';
import type { HttpAnswer } from '../net/http.ts';
import { createHttpChannel, fitted, isRecent, JSON_TYPE, memberOf, wordOf } from './http-channel.ts';

export interface MatrixOptions {
  readonly name: string;
  readonly homeserver: string;
  readonly accessToken: string;
  readonly roomId: string;
  /** Users (`@ada:example.org`) whose messages in the room count as answers; left out: nothing is read. */
  readonly answersBy?: readonly string[];
  readonly nowMs?: () => number;
  readonly route?: Route;
}

/** An event has at most 65,536 bytes (Matrix 1.11, client-server API, “Size limits”). */
const MOST = 8_000;

/**
 * Matrix over its client-server API, not encrypted: homeservers read it, so only the level `look` is for it. The
 * transaction id is the id of the message, so a second try of the same makes no second event.
 */
export function createMatrix(options: MatrixOptions): Channel {
  const { name, homeserver, accessToken, roomId, answersBy = [], route = DIRECT, nowMs = Date.now } = options;
  const base = `${homeserver.replace(/\/+$/, '')}/_matrix/client/v3`;
  const headers = { authorization: `Bearer ${accessToken}`, ...JSON_TYPE };
  const room = encodeURIComponent(roomId);
  return createHttpChannel({
    ...{ name, kind: 'matrix', route, meaning },
    request: ({ id, subject, body }) => ({
      method: 'PUT',
      url: `${base}/rooms/${room}/send/m.room.message/${encodeURIComponent(id)}`,
      headers,
      body: JSON.stringify({ msgtype: 'm.text', body: fitted(`${subject}\n\n${body}`, MOST) }),
    }),
    ...(answersBy.length > 0 && {
      replies: {
        request: (cursor: string | null) => ({
          ...{ method: 'GET' as const, headers, mostBytes: MOST_SYNC },
          url: `${base}/sync?${new URLSearchParams({
            ...{ timeout: '0', set_presence: 'offline', filter: JSON.stringify(filterOf(roomId, answersBy)) },
            ...(cursor !== null && { since: cursor }),
          }).toString()}`,
        }),
        read: (answer: HttpAnswer, cursor: string | null) => repliesOf(answer, { roomId, answersBy, nowMs }, cursor),
      },
    }),
    readBack: {
      referenceOf: (answer) => wordOf(memberOf(answer, 'event_id')),
      request: (id) => ({ method: 'GET', url: `${base}/rooms/${room}/event/${encodeURIComponent(id)}`, headers }),
      isThere: (answer, id) => memberOf(answer, 'event_id') === id,
    },
    probe: { method: 'GET', url: `${base}/rooms/${room}/joined_members`, headers },
  });
}

/** Beside what is asked for come messages from device to device, which no filter leaves out: 100, of 64 KB each. */
const MOST_SYNC = 8_000_000;
const NOTHING = { not_types: ['*'] };

/**
 * Messages of those who may answer, in this room, and nothing else (client-server API, “Filtering”): whatever others write,
 * the latest of theirs stand in the answer.
 */
function filterOf(roomId: string, senders: readonly string[]): object {
  return {
    ...{ presence: NOTHING, account_data: NOTHING },
    room: {
      ...{ rooms: [roomId], account_data: NOTHING, ephemeral: NOTHING, state: NOTHING },
      timeline: { limit: 20, types: ['m.room.message'], senders },
    },
  };
}

/** A token of the homeserver stands for what was read before; one that it does not know any more is given up. */
function repliesOf(
  answer: HttpAnswer,
  allowed: { readonly roomId: string; readonly answersBy: readonly string[]; readonly nowMs: () => number },
  before: string | null,
): Replies | undefined {
  if (answer.status === 400 && before !== null) return { replies: [], cursor: null, more: true };
  const read = answer.status === 200 ? SYNC.safeParse(parseJsonBytes(utf8(answer.text))) : undefined;
  if (!read?.success) return undefined;
  const { next_batch: cursor, rooms } = read.data;
  const replies = (rooms?.join?.[allowed.roomId]?.timeline?.events ?? []).flatMap((event) => {
    const message = MESSAGE.safeParse(event);
    if (!message.success) return [];
    const { sender, origin_server_ts: atMs, content } = message.data;
    // What the filter asks for is asked of a server that may do otherwise.
    if (!allowed.answersBy.includes(sender) || !isRecent(atMs, allowed.nowMs())) return [];
    return [{ text: withoutQuote(content), by: sender }];
  });
  return { replies, cursor, more: false };
}

const SYNC = z.object({
  next_batch: z.string().min(1).max(10_000),
  rooms: z
    .object({
      join: z
        .record(z.string(), z.object({ timeline: z.object({ events: z.array(z.unknown()) }).optional() }))
        .optional(),
    })
    .optional(),
});
const MESSAGE = z.object({
  type: z.literal('m.room.message'),
  sender: z.string(),
  origin_server_ts: z.number(),
  content: z.object({
    msgtype: z.literal('m.text'),
    body: z.string(),
    'm.relates_to': z.object({ 'm.in_reply_to': z.unknown().optional() }).optional(),
  }),
});

/** Clients put what is replied to in front of a reply, in lines that begin with `>` (client-server API before 1.13, “Rich replies”). */
function withoutQuote({ body, ...content }: z.infer<typeof MESSAGE>['content']): string {
  const isReply = content['m.relates_to']?.['m.in_reply_to'] !== undefined;
  return isReply ? body.replace(/^(>.*\n)+\n?/, '') : body;
}

function meaning(answer: HttpAnswer): Delivery | undefined {
  switch (memberOf(answer, 'errcode')) {
    case 'M_UNKNOWN_TOKEN':
    case 'M_MISSING_TOKEN':
      return broken('denied', 'The homeserver does not accept the access token.');
    case 'M_FORBIDDEN':
      return broken('denied', 'The account may not write in this room.');
    case 'M_NOT_FOUND':
      return broken('chat_unknown', 'The homeserver does not know this room.');
    case 'M_LIMIT_EXCEEDED': {
      const ms = memberOf(answer, 'retry_after_ms');
      return later('busy', 'The homeserver answered 429.', typeof ms === 'number' ? ms : answer.retryAfterMs);
    }
    default:
      return undefined;
  }
}
