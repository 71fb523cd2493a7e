import { ServerFault } from '../server/backend.ts';
import { openLines, type LineConnection, type LineEndpoint } from './lines.ts';

/** JSON-RPC 2.0, one message a line, as Electrum servers speak it. */
export interface ElectrumClient {
  /** Throws `ServerFault`; what the server refuses is an `ElectrumRefusal`. */
  call(method: string, params: readonly unknown[]): Promise<unknown>;
  close(): void;
}

/** An error that the server answered with. */
export class ElectrumRefusal extends Error {
  readonly code: number | null;

  constructor(code: number | null, message: string) {
    super(message);
    this.name = 'ElectrumRefusal';
    this.code = code;
  }
}

const ANSWER_MS = 60_000;
const PING_MS = 60_000;

export async function openElectrum(
  endpoint: LineEndpoint,
  notified: (method: string, params: readonly unknown[]) => void,
  closed: () => void,
  signal: AbortSignal,
): Promise<ElectrumClient> {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let nextId = 0;
  let gone: ServerFault | null = null;

  const end = (why: string) => {
    gone ??= new ServerFault('transient', 'server_connection_lost', `The connection ended: ${why}.`);
    clearInterval(ping);
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
    closed();
  };
  const read = (text: string) => {
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(text) as Record<string, unknown>;
    } catch {
      connection.close();
      return;
    }
    if (typeof message !== 'object' || message === null) return;
    if (typeof message['method'] === 'string') {
      if (Array.isArray(message['params'])) notified(message['method'], message['params']);
      return;
    }
    const asked = waiting.get(message['id'] as number);
    if (!asked) return;
    waiting.delete(message['id'] as number);
    const refusal = message['error'];
    if (refusal === undefined || refusal === null) return asked.resolve(message['result']);
    const { code, message: words } = (typeof refusal === 'object' ? refusal : { message: refusal }) as Record<
      string,
      unknown
    >;
    asked.reject(new ElectrumRefusal(typeof code === 'number' ? code : null, String(words).slice(0, 1_000)));
  };
  const connection: LineConnection = await openLines(endpoint, { line: read, closed: end }, signal);

  const call = (method: string, params: readonly unknown[]): Promise<unknown> => {
    if (gone) return Promise.reject(gone);
    const id = nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new ServerFault('transient', 'server_silent', `The server did not answer ${method} in time.`));
        connection.close();
      }, ANSWER_MS);
      const settle = <T>(use: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer);
          use(value);
        };
      };
      waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      connection.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  };
  // Servers close what is silent; and only an answer shows that the connection still stands.
  const ping = setInterval(() => void call('server.ping', []).catch(() => undefined), PING_MS);
  return { call, close: () => connection.close() };
}
