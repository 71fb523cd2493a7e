import { connect, type Socket } from 'node:net';
import { randomName, type PeerAddress } from './peer-address.ts';

export interface ProxyOptions {
  readonly host: string;
  readonly port: number;
  /**
   * Each connection gets credentials of its own, so that Tor gives each a circuit of its own (tor-manual,
   * IsolateSOCKSAuth). Names are resolved at the far end and never here.
   */
  readonly isolate: boolean;
}

export interface DialOptions {
  readonly proxy: ProxyOptions | null;
  readonly timeoutMs: number;
  readonly entropy: (length: number) => Uint8Array;
}

/** Opens a connection. Rejects where there is none within the time. */
export async function dial(address: PeerAddress, options: DialOptions): Promise<Socket> {
  const { proxy, timeoutMs } = options;
  if (proxy === null) return dialDirectly(address, timeoutMs);
  const login = proxy.isolate ? { userId: randomName(options.entropy), password: randomName(options.entropy) } : {};
  // Some 4 MB of memory, for those who have a proxy.
  const { SocksClient } = await import('socks');
  const { socket } = await SocksClient.createConnection({
    proxy: { host: proxy.host, port: proxy.port, type: 5, ...login },
    command: 'connect',
    destination: { host: address.host, port: address.port },
    timeout: timeoutMs,
  });
  socket.setNoDelay(true);
  return socket;
}

function dialDirectly({ host, port }: PeerAddress, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const timer = setTimeout(() => socket.destroy(new Error('no connection within the time')), timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    });
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', fail);
  });
}
