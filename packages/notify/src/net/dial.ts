import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SocksClient } from 'socks';

/** How a channel reaches its service: directly or through a proxy, and whom it trusts there. */
export interface Route {
  /** A SOCKS5 proxy that also resolves the name; `isolation` keeps circuits apart (tor-manual, IsolateSOCKSAuth). */
  readonly proxy: { readonly host: string; readonly port: number; readonly isolation: string } | null;
  /** Certificate in PEM to trust instead of those that come with Node: for a server of one's own. */
  readonly ca: string | null;
}

export const DIRECT: Route = { proxy: null, ca: null };

/** Opens a TCP connection. Rejects where there is none, or when the signal aborts. */
export async function dial(host: string, port: number, { proxy }: Route, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = proxy ? await dialProxy(host, port, proxy, signal) : await dialDirectly(host, port, signal);
  socket.setNoDelay(true);
  return socket;
}

const PROXY_MS = 60_000;

async function dialProxy(
  host: string,
  port: number,
  proxy: NonNullable<Route['proxy']>,
  signal: AbortSignal,
): Promise<Socket> {
  const login = { userId: proxy.isolation, password: proxy.isolation };
  const { socket } = await SocksClient.createConnection({
    proxy: { host: proxy.host, port: proxy.port, type: 5, ...login },
    command: 'connect',
    destination: { host, port },
    timeout: PROXY_MS,
  });
  if (signal.aborted) {
    socket.destroy();
    signal.throwIfAborted();
  }
  return socket;
}

function dialDirectly(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port });
    const end = (error: Error) => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      reject(error);
    };
    const abort = () => end(new Error('aborted'));
    signal.addEventListener('abort', abort);
    socket.once('error', end);
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort);
      socket.off('error', end);
      resolve(socket);
    });
  });
}

/** TLS over a connection. The certificate must be valid for the name: there is no way to switch that off. */
export function secure(socket: Socket, host: string, { ca }: Route, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const name = isIP(host) ? {} : { servername: host };
    const secured = connectTls({ socket, host, ...name, ...(ca === null ? {} : { ca }), ALPNProtocols: ['http/1.1'] });
    const end = (error: Error) => {
      signal.removeEventListener('abort', abort);
      secured.destroy();
      socket.destroy();
      reject(error);
    };
    const abort = () => end(new Error('aborted'));
    signal.addEventListener('abort', abort);
    secured.once('error', end);
    secured.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      secured.off('error', end);
      resolve(secured);
    });
  });
}
