import type { Socket } from 'node:net';
import { openConnection } from '../../net/connection.ts';
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

/** Opens a connection. Throws `ConnectionFault` where there is none within the time. */
export async function dial(address: PeerAddress, options: DialOptions): Promise<Socket> {
  const { proxy, timeoutMs, entropy } = options;
  return openConnection(address, {
    ...(proxy ? { proxy: { ...proxy, isolation: proxy.isolate ? randomName(entropy) : null } } : {}),
    ...{ tls: null, withinMs: timeoutMs },
  });
}
