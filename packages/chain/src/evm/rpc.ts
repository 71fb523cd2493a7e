import type { Dispatcher } from 'undici';
import { createAgent } from './agent.ts';
import type { EvmConnection } from './connect.ts';
import { EvmFault } from './fault.ts';

export interface EvmEndpoint extends EvmConnection {
  /** `https://…`, or `http://` of a node of one's own. Often it holds a key: it is never shown. */
  readonly url: string;
  /** Questions in one request, at most: providers have limits of their own (default 50). */
  readonly batch?: number;
  /** `wss://…` or `ws://…` of the same upstream, with the same certificate: pending transactions are heard over it. */
  readonly websocket?: string;
}

export type RpcCall = readonly [method: string, params: readonly unknown[]];

/** `error`: what the upstream said in place of a result. */
export type RpcAnswer =
  { readonly result: unknown } | { readonly error: { readonly code: number; readonly words: string } };

/** JSON-RPC 2.0 over HTTP. Throws `EvmFault` where a request as a whole failed. */
export interface EvmRpc {
  /** Answers in the order of the calls. */
  ask(calls: readonly RpcCall[], signal?: AbortSignal): Promise<readonly RpcAnswer[]>;
  close(): void;
}

const ANSWER_MS = 20_000;
/** A full block of a busy chain takes some megabytes. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_RETRY_MS = 600_000;
/** "limit exceeded" (EIP-1474). */
const LIMIT_EXCEEDED = -32_005;

export function createEvmRpc(endpoint: EvmEndpoint): EvmRpc {
  const { url } = endpoint;
  const { origin, pathname, search, username, password } = new URL(url);
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const headers = {
    'content-type': 'application/json',
    ...(username === '' ? {} : { authorization: `Basic ${login}` }),
  };
  let dispatcher: Promise<Dispatcher> | undefined;
  let most = endpoint.batch ?? 50;
  let nextId = 1;

  async function post(body: string, outer: AbortSignal | undefined): Promise<unknown> {
    // A peer that trickles bytes is within every time-out but this one.
    const limit = AbortSignal.timeout(2 * ANSWER_MS);
    const signal = outer ? AbortSignal.any([outer, limit]) : limit;
    const request = { method: 'POST', path: `${pathname}${search}`, origin, headers, body, signal } as const;
    let answer: Dispatcher.ResponseData;
    let text: string;
    try {
      answer = await (await (dispatcher ??= createAgent(endpoint, ANSWER_MS))).request(request);
      text = await textOf(answer);
    } catch (error) {
      if (error instanceof EvmFault) throw error;
      if (limit.aborted) throw new EvmFault('upstream_silent', 'The upstream takes too long.');
      const { code } = error as { readonly code?: unknown };
      const why = typeof code === 'string' ? code : 'no connection';
      throw new EvmFault('upstream_unreachable', `The upstream cannot be reached: ${why}.`);
    }
    const { statusCode, headers: answered } = answer;
    if (statusCode === 429 || statusCode === 503) {
      const words = `The upstream answered ${statusCode}.`;
      throw new EvmFault('upstream_busy', words, retryAfterOf(answered['retry-after']));
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      const code = statusCode < 400 ? 'upstream_malformed' : statusCode >= 500 ? 'upstream_busy' : 'upstream_refused';
      throw new EvmFault(code, `The upstream answered ${statusCode} and no JSON.`);
    }
    if (statusCode === 401 || statusCode === 403) {
      throw new EvmFault('upstream_refused', `The upstream answered ${statusCode}: is its key right?`);
    }
    return value;
  }

  /** Null: it takes no batches, or none so large. */
  async function askSome(calls: readonly RpcCall[], signal?: AbortSignal): Promise<readonly RpcAnswer[] | null> {
    const first = nextId;
    nextId += calls.length;
    const body = calls.map(([method, params], i) => ({ jsonrpc: '2.0', id: first + i, method, params }));
    const value = await post(JSON.stringify(calls.length === 1 ? body[0] : body), signal);
    if (calls.length === 1) return [answerOf(value, first)];
    if (!Array.isArray(value)) {
      // One error for all. Whether it is of another kind is said by the last question, which goes alone.
      answerOf(value, undefined);
      return null;
    }
    const byId = new Map(value.map((each) => [(each as { readonly id?: unknown } | null)?.id, each as unknown]));
    return body.map(({ id }) => answerOf(byId.get(id), id));
  }

  return {
    async ask(calls, signal) {
      const answers: RpcAnswer[] = [];
      while (answers.length < calls.length) {
        const some = calls.slice(answers.length, answers.length + most);
        const got = await askSome(some, signal);
        if (got) answers.push(...got);
        else most = Math.max(1, Math.floor(some.length / 2));
      }
      return answers;
    },
    close: () => void dispatcher?.then((each) => each.destroy()).catch(() => undefined),
  };
}

async function textOf({ body }: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BYTES) {
      body.destroy();
      throw new EvmFault('upstream_answer_too_large', `The upstream's answer has more than ${MAX_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Seconds, or a date (RFC 9110 §10.2.3). A date is not worth a clock here: a minute. */
function retryAfterOf(value: string | string[] | undefined): number | null {
  if (typeof value !== 'string') return null;
  return /^[0-9]{1,9}$/.test(value) ? Math.min(Number(value) * 1_000, MAX_RETRY_MS) : 60_000;
}

function answerOf(value: unknown, id: number | undefined): RpcAnswer {
  if (typeof value !== 'object' || value === null) {
    throw new EvmFault('upstream_malformed', 'The upstream left a question unanswered.');
  }
  const { error, result, id: answered } = value as Readonly<Record<string, unknown>>;
  if (typeof error === 'object' && error !== null) {
    const { code, message } = error as Readonly<Record<string, unknown>>;
    const number = typeof code === 'number' ? code : 0;
    const words = typeof message === 'string' ? message.slice(0, 200) : 'no reason';
    if (number === LIMIT_EXCEEDED || number === 429)
      throw new EvmFault('upstream_busy', `The upstream says: ${words}.`);
    return { error: { code: number, words } };
  }
  if (id !== undefined && answered !== id)
    throw new EvmFault('upstream_malformed', 'The upstream answered another question.');
  if (result === undefined) throw new EvmFault('upstream_malformed', 'The upstream answered without a result.');
  return { result };
}
