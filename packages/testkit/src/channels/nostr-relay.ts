import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TEST_CA, TEST_SERVER, UNTRUSTED_SERVER, type ChannelFault, type FaultyService } from '@keepwatch/devnet';
import { verifyEvent, type Event } from 'nostr-tools';
import { WebSocketServer, type WebSocket } from 'ws';

/** A relay that speaks NIP-01 over TLS on loopback: it takes events that are signed, and answers requests with its end. */
export interface NostrRelay extends FaultyService {
  readonly url: string;
  readonly ca: string;
  /** Events that were taken, each once for each time that it came. */
  readonly events: readonly Event[];
}

const SLOW_MS = 300;

export async function startNostrRelay(): Promise<NostrRelay> {
  const events: Event[] = [];
  const sockets = new Set<Socket>();
  let fault: ChannelFault | null = null;

  const answer = (client: WebSocket, say: readonly unknown[]) => client.send(JSON.stringify(say));
  const hear = (client: WebSocket, [kind, given]: readonly unknown[]) => {
    if (kind === 'REQ') return answer(client, ['EOSE', given]);
    if (kind !== 'EVENT') return answer(client, ['NOTICE', 'unknown']);
    const event = given as Event;
    if (!verifyEvent(event)) return answer(client, ['OK', event.id, false, 'invalid: id or signature']);
    events.push(event);
    return answer(client, ['OK', event.id, true, '']);
  };

  const server = createServer(TEST_SERVER);
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const relay = new WebSocketServer({ server });
  relay.on('error', () => undefined);
  relay.on('connection', (client) => {
    client.on('error', () => undefined);
    client.on('message', (data: Buffer) => {
      const said = JSON.parse(data.toString()) as readonly [string, { readonly id: string }];
      switch (fault) {
        case 'hung':
          return;
        case 'error':
          return answer(client, ['OK', said[1].id, false, 'error: the inside of the service']);
        case 'busy':
          return answer(client, ['OK', said[1].id, false, 'rate-limited: slow down']);
        case 'slow':
          return setTimeout(() => hear(client, said), SLOW_MS);
        default:
          return hear(client, said);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    ...{ url: `wss://127.0.0.1:${port}`, ca: TEST_CA, events },
    async fail(next) {
      if (fault === 'refused' && next !== 'refused') {
        server.listen(port, '127.0.0.1');
        await once(server, 'listening');
      }
      if (fault === 'tls' || next === 'tls') server.setSecureContext(next === 'tls' ? UNTRUSTED_SERVER : TEST_SERVER);
      if (next === 'refused' && fault !== 'refused') server.close();
      for (const socket of sockets) socket.destroy();
      fault = next;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      relay.close();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
