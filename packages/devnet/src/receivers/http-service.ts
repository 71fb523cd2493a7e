import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TEST_CA, TEST_SERVER, UNTRUSTED_SERVER } from './certificates.ts';
import type { ChannelFault, FaultyService } from './fault.ts';

export interface HttpCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers a call as the service would: status, and what its answer holds. */
type Answer = (call: HttpCall) => { readonly status: number; readonly body?: string };

/** A service over HTTPS on loopback that can be made to fail in all the ways of the contract. */
export interface HttpService extends FaultyService {
  readonly url: string;
  readonly ca: string;
  /** Calls that were answered as the service answers when it is well. */
  readonly calls: readonly HttpCall[];
}

const SLOW_MS = 300;

export async function startHttpService(answer: Answer): Promise<HttpService> {
  const calls: HttpCall[] = [];
  const sockets = new Set<Socket>();
  let fault: ChannelFault | null = null;

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    void bodyOf(request).then(
      (body) => {
        const call = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
        const well = () => {
          const { status, body: text = '{}' } = answer(call);
          calls.push(call);
          response.writeHead(status, { 'content-type': 'application/json' }).end(text);
        };
        switch (fault) {
          case 'hung':
            return;
          case 'error':
            return response.writeHead(500).end('the inside of the service');
          case 'busy':
            return response.writeHead(429, { 'retry-after': '1' }).end();
          case 'slow':
            return setTimeout(well, SLOW_MS);
          default:
            return well();
        }
      },
      () => response.destroy(),
    );
  };

  const secure = createSecure(TEST_SERVER, handle);
  secure.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  secure.on('tlsClientError', () => undefined);
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  const { port } = secure.address() as AddressInfo;

  return {
    ...{ url: `https://127.0.0.1:${port}`, ca: TEST_CA, calls },
    async fail(next) {
      if (fault === 'refused' && next !== 'refused') {
        secure.listen(port, '127.0.0.1');
        await once(secure, 'listening');
      }
      if (fault === 'tls' || next === 'tls') {
        secure.setSecureContext(next === 'tls' ? UNTRUSTED_SERVER : TEST_SERVER);
      }
      if (next === 'refused' && fault !== 'refused') secure.close();
      // Connections that are kept would not see the new fault.
      for (const socket of sockets) socket.destroy();
      fault = next;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      if (secure.listening) {
        secure.close();
        await once(secure, 'close');
      }
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
