import type { Dispatcher } from 'undici';
import type { Proxy } from '../net/connection.ts';
import { malformed, ServerFault } from '../server/backend.ts';

export interface EsploraEndpoint {
  /** Such as `https://host/api`; paths are put behind it. */
  readonly url: string;
  readonly proxy?: Proxy;
}

export interface EsploraHttp {
  get(path: string, maxBytes: number): Promise<Answer>;
  post(path: string, body: string, type: string): Promise<Answer>;
  close(): void;
}

export interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

const ANSWER_MS = 60_000;

export function createEsploraHttp(endpoint: EsploraEndpoint): EsploraHttp {
  const { proxy } = endpoint;
  const base = endpoint.url.replace(/\/+$/, '');
  const { origin, pathname } = new URL(base);
  const prefix = pathname === '/' ? '' : pathname;
  const limits = { headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS };
  let dispatcher: Promise<Dispatcher> | undefined;

  /** Loaded with the first question: it takes 20 MB of memory, which a light client has no use for. */
  async function connect(): Promise<Dispatcher> {
    const { Agent, Socks5ProxyAgent } = await import('undici');
    if (!proxy) return new Agent({ connections: 8, ...limits });
    const login = proxy.isolation === null ? {} : { username: proxy.isolation, password: proxy.isolation };
    return new Socks5ProxyAgent(`socks5://${proxy.host}:${proxy.port}`, {
      ...{ ...login, ...limits },
      // A circuit of Tor may take longer than the five seconds that are the default.
      connectTimeout: ANSWER_MS,
    });
  }

  async function ask(options: Omit<Dispatcher.RequestOptions, 'origin'>, maxBytes: number): Promise<Answer> {
    try {
      const { statusCode, body } = await (await (dispatcher ??= connect())).request({ ...options, origin });
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of body) {
        chunks.push(chunk as Uint8Array);
        length += (chunk as Uint8Array).length;
        if (length > maxBytes) {
          body.destroy();
          throw new ServerFault(
            'lied',
            'server_answer_too_large',
            `The server's answer has more than ${maxBytes} bytes.`,
          );
        }
      }
      if (statusCode === 429 || statusCode >= 500) {
        throw new ServerFault('transient', 'server_busy', `The server answered ${statusCode}.`);
      }
      return { status: statusCode, bytes: new Uint8Array(Buffer.concat(chunks)) };
    } catch (error) {
      if (error instanceof ServerFault) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new ServerFault('transient', 'server_unreachable', `The server cannot be reached: ${why}`, error);
    }
  }

  return {
    get: (path, maxBytes) => ask({ method: 'GET', path: `${prefix}${path}` }, maxBytes),
    post: (path, body, type) =>
      ask({ method: 'POST', path: `${prefix}${path}`, body, headers: { 'content-type': type } }, 1 << 20),
    close: () => void dispatcher?.then((each) => each.destroy()).catch(() => undefined),
  };
}

export function textOf({ bytes }: Answer): string {
  return new TextDecoder().decode(bytes);
}

export function jsonOf(answer: Answer): unknown {
  try {
    return JSON.parse(textOf(answer)) as unknown;
  } catch {
    return malformed('JSON');
  }
}
