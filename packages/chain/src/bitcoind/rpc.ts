import { readFile } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { CodedError } from '@keepwatch/base';

/** How to reach a node of one's own. `cookieFile` is read anew for each connection: the node writes it at its start. */
export interface RpcAccess {
  /** `http://127.0.0.1:8332`. Plain HTTP: bitcoind speaks no TLS, so a node elsewhere needs a tunnel. */
  readonly url: string;
  readonly auth:
    | { readonly cookieFile: string }
    | { readonly user: string; readonly password: string }
    | { readonly user: string; readonly passwordFile: string };
}

/** JSON-RPC and REST of one bitcoind. */
export interface NodeRpc {
  /**
   * Throws `node_unreachable` (nothing is known of what happened), `node_refused` (with bitcoind's `code` in the details,
   * doc/developer-notes and src/rpc/protocol.h) or `node_auth_refused`.
   */
  call<T = unknown>(method: string, params?: readonly unknown[]): Promise<T>;
  /** Several calls in one HTTP request, answers in their order. One that failed throws for all. */
  batch<T = unknown>(calls: readonly (readonly [method: string, params: readonly unknown[]])[]): Promise<readonly T[]>;
  /**
   * A binary REST resource such as `/rest/block/HASH.bin`; `undefined` where the node does not have REST or it. `allocate`
   * says where it is read to: shared memory, where other threads look at it.
   */
  rest(path: string, allocate?: (byteLength: number) => ArrayBufferLike): Promise<Uint8Array | undefined>;
  close(): void;
}

const TIMEOUT_MS = 60_000;
/** A block as hex in JSON takes 8 MB; a mempool's ids some 20. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

interface RpcAnswer {
  readonly id: number;
  readonly result: unknown;
  readonly error: { readonly code: number; readonly message: string } | null;
}

export function createNodeRpc(access: RpcAccess): NodeRpc {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const base = new URL(access.url);
  let nextId = 1;
  /** As they were read last: each start of a node writes another cookie. */
  let known: string | undefined;

  async function ask(body: string): Promise<{ status: number; bytes: Uint8Array }> {
    const secret = (known ??= await credentials(access));
    const headers = { authorization: `Basic ${secret}`, 'content-type': 'application/json' };
    return exchange(agent, new URL('/', base), 'POST', headers, body);
  }

  async function post(body: unknown): Promise<unknown> {
    const text = JSON.stringify(body);
    const wasKnown = known !== undefined;
    let answer = await ask(text);
    if (isRefused(answer.status)) {
      known = undefined;
      if (wasKnown) answer = await ask(text);
    }
    const { status, bytes } = answer;
    if (isRefused(status)) {
      known = undefined;
      throw new CodedError('node_auth_refused', `The node at ${base.host} refused the user name or password.`, {
        remedy: 'Check the cookie file, or user name and password.',
      });
    }
    // A busy node answers 503 in plain text; an error of one call comes with status 500 and JSON.
    try {
      return JSON.parse(Buffer.from(bytes).toString()) as unknown;
    } catch {
      throw unreachable(base, `answered with status ${status} and no JSON`);
    }
  }

  return {
    async call<T>(method: string, params: readonly unknown[] = []): Promise<T> {
      const answer = (await post({ jsonrpc: '1.0', id: nextId++, method, params })) as RpcAnswer;
      return resultOf(method, answer) as T;
    },
    async batch<T>(calls: readonly (readonly [string, readonly unknown[]])[]): Promise<readonly T[]> {
      if (calls.length === 0) return [];
      const first = nextId;
      nextId += calls.length;
      const body = calls.map(([method, params], i) => ({ jsonrpc: '1.0', id: first + i, method, params }));
      const answers = await post(body);
      if (!Array.isArray(answers)) throw unreachable(base, 'answered a batch with something else');
      const byId = new Map((answers as RpcAnswer[]).map((answer) => [answer.id, answer]));
      return calls.map(([method], i) => {
        const answer = byId.get(first + i);
        if (!answer) throw unreachable(base, `left ${method} unanswered`);
        return resultOf(method, answer) as T;
      });
    },
    async rest(path, allocate) {
      const { status, bytes } = await exchange(agent, new URL(path, base), 'GET', {}, undefined, allocate);
      return status === 200 ? bytes : undefined;
    },
    close: () => agent.destroy(),
  };
}

const isRefused = (status: number) => status === 401 || status === 403;

/** The number that bitcoind gave the error, where the node answered with one. */
export function rpcErrorCode(error: unknown): number | undefined {
  if (!(error instanceof CodedError) || error.code !== 'node_refused') return undefined;
  const code = error.details?.['code'];
  return typeof code === 'number' ? code : undefined;
}

function resultOf(method: string, answer: RpcAnswer | undefined): unknown {
  if (!answer?.error) return answer?.result;
  const { code, message } = answer.error;
  throw new CodedError('node_refused', `The node refused ${method}: ${message}.`, {
    details: { method, code, message },
  });
}

async function credentials({ auth }: RpcAccess): Promise<string> {
  if ('password' in auth) return base64(`${auth.user}:${auth.password}`);
  const file = 'cookieFile' in auth ? auth.cookieFile : auth.passwordFile;
  try {
    const secret = (await readFile(file, 'utf8')).trim();
    return base64('cookieFile' in auth ? secret : `${auth.user}:${secret}`);
  } catch (cause) {
    throw new CodedError('node_unreachable', `The file ${file} cannot be read, which opens the node.`, {
      cause,
      remedy: 'Start the node, which writes its cookie file then, and let this user read the file.',
    });
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

function unreachable(base: URL, what: string, cause?: unknown): CodedError {
  return new CodedError('node_unreachable', `The node at ${base.host} ${what}.`, cause === undefined ? {} : { cause });
}

function exchange(
  agent: Agent,
  url: URL,
  method: 'GET' | 'POST',
  headers: Record<string, string>,
  body: string | undefined,
  allocate: (byteLength: number) => ArrayBufferLike = (byteLength) => new ArrayBuffer(byteLength),
): Promise<{ status: number; bytes: Uint8Array }> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) => reject(unreachable(url, 'does not answer', cause));
    const sent = request(url, { agent, method, headers, timeout: TIMEOUT_MS }, (response) => {
      collect(response, allocate).then((bytes) => resolve({ status: response.statusCode ?? 0, bytes }), failed);
    });
    sent.on('timeout', () => sent.destroy(new Error('timeout')));
    sent.on('error', failed);
    sent.end(body);
  });
}

async function collect(
  response: IncomingMessage,
  allocate: (byteLength: number) => ArrayBufferLike,
): Promise<Uint8Array> {
  const chunks = response as AsyncIterable<Buffer>;
  const told = Number(response.headers['content-length'] ?? NaN);
  if (told > MAX_ANSWER_BYTES) throw new Error('the answer is too large');
  if (!Number.isNaN(told)) {
    // Not more than was told comes: Node's parser of HTTP sees to it, and that less is an error.
    return fill(new Uint8Array(allocate(told)), chunks);
  }
  const held: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error('the answer is too large');
    held.push(chunk);
  }
  return fill(new Uint8Array(allocate(length)), held);
}

/** A plain array: methods of a Buffer share memory where those of an array copy it. */
async function fill(whole: Uint8Array, chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Uint8Array> {
  let at = 0;
  for await (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
