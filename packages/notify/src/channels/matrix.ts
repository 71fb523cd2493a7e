import type { Channel, Delivery } from '../channel.ts';
import { broken, later } from '../delivery.ts';
import { DIRECT, type Route } from '../net/dial.ts';
import type { HttpAnswer } from '../net/http.ts';
import { createHttpChannel, fitted, JSON_TYPE, memberOf, wordOf } from './http-channel.ts';

export interface MatrixOptions {
  readonly name: string;
  readonly homeserver: string;
  readonly accessToken: string;
  readonly roomId: string;
  readonly route?: Route;
}

/** An event has at most 65,536 bytes (Matrix 1.11, client-server API, “Size limits”). */
const MOST = 8_000;

/**
 * Matrix over its client-server API, not encrypted: homeservers read it, so only the level `look` is for it. The
 * transaction id is the id of the message, so a second try of the same makes no second event.
 */
export function createMatrix({ name, homeserver, accessToken, roomId, route = DIRECT }: MatrixOptions): Channel {
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
    readBack: {
      referenceOf: (answer) => wordOf(memberOf(answer, 'event_id')),
      request: (id) => ({ method: 'GET', url: `${base}/rooms/${room}/event/${encodeURIComponent(id)}`, headers }),
      isThere: (answer, id) => memberOf(answer, 'event_id') === id,
    },
    probe: { method: 'GET', url: `${base}/rooms/${room}/joined_members`, headers },
  });
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
