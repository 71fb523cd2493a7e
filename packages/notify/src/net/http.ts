import { Agent, type buildConnector, type Dispatcher } from 'undici';
import type { Delivery } from '../channel.ts';
import { broken, delivered, later, notTaken } from '../delivery.ts';
import { dial, secure, type Route } from './dial.ts';
import { troubleOf } from './trouble.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** So much of the answer is read; the rest is not. */
  readonly mostBytes?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** At most 64 KB where the request names no other limit. */
  readonly text: string;
  readonly retryAfterMs: number | null;
}

export interface Http {
  /** Never rejects: what kept an answer from coming is a delivery that says so. Redirects are not followed. */
  ask(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer | Delivery>;
  close(): Promise<void>;
}

const MOST_BYTES = 65_536;

/** How undici gets its connections: directly or through the proxy, and TLS always checked. */
export function connectorOf(route: Route, signal: AbortSignal): buildConnector.connector {
  return ({ hostname, port, protocol }, callback) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const at = Number(port || (protocol === 'https:' ? 443 : 80));
    void dial(host, at, route, signal)
      .then((socket) => (protocol === 'https:' ? secure(socket, host, route, signal) : socket))
      .then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
  };
}

/** HTTP over one route. A connection is used again: a service behind Tor takes seconds to connect to. */
export function createHttp(route: Route): Http {
  const closing = new AbortController();
  const agent = new Agent({
    connections: 2,
    keepAliveTimeout: 30_000,
    connect: connectorOf(route, closing.signal),
  });

  return {
    async ask({ method, url, headers = {}, body, mostBytes = MOST_BYTES }, signal) {
      try {
        const { origin, pathname, search } = new URL(url);
        const answer = await agent.request({
          ...{ origin, path: `${pathname}${search}`, method, signal },
          headers: { 'user-agent': 'keepwatch', ...headers },
          ...(body === undefined ? {} : { body }),
        });
        const { statusCode: status } = answer;
        return {
          status,
          text: await textOf(answer, mostBytes),
          retryAfterMs: retryAfterOf(answer.headers['retry-after']),
        };
      } catch (error) {
        return signal.aborted ? later('timeout', 'There was no answer within the time.') : troubleOf(error);
      }
    },
    async close() {
      closing.abort();
      await agent.destroy();
    },
  };
}

async function textOf({ body }: Dispatcher.ResponseData, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    if (length > most) break;
  }
  return Buffer.concat(chunks).subarray(0, most).toString('utf8');
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfterOf(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

export function isAnswer(result: HttpAnswer | Delivery): result is HttpAnswer {
  return 'status' in result;
}

/** What a status means where the service says nothing better. The words name the status and nothing of the answer. */
export function deliveryOf({ status, retryAfterMs }: HttpAnswer): Delivery {
  const words = `The service answered ${status}.`;
  if (status >= 200 && status < 300) return delivered();
  switch (status) {
    case 401:
    case 403:
      return broken('denied', `${words} It does not accept these credentials.`);
    case 404:
    case 410:
      return broken('not_there', `${words} There is nothing at this address.`);
    case 400:
    case 413:
    case 414:
    case 415:
    case 422:
      return notTaken('not_taken', `${words} It will not take this message.`);
    case 408:
    case 425:
    case 429:
      return later('busy', words, retryAfterMs);
    default:
      if (status >= 300 && status < 400) return broken('moved', `${words} It has moved; redirects are not followed.`);
      return later('service_error', words, retryAfterMs);
  }
}
