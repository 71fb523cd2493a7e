import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TEST_CA, TEST_SERVER, UNTRUSTED_SERVER, type ChannelFault, type FaultyService } from '@keepwatch/devnet';
import { verifyEvent, type Event } from 'nostr-tools';
import { WebSocketServer, type WebSocket } from 'ws';

/**
 * A relay that speaks NIP-01 over TLS on loopback: it takes events that are signed, keeps them, and shows them to whoever
 * subscribes to their kind and receiver.
 */
export interface NostrRelay extends FaultyService {
  readonly url: string;
  readonly ca: string;
  /** Events that were taken, each once for each time that it came. */
  readonly events: readonly Event[];
  /** An event comes, as from another client; it is not looked at, as at a relay that lies. */
  put(event: Event): void;
}

interface Filter {
  readonly ids?: readonly string[];
  readonly kinds?: readonly number[];
  readonly '#p'?: readonly string[];
  readonly since?: number;
  readonly limit?: number;
}
interface Client {
  readonly socket: WebSocket;
  readonly challenge: string;
  readonly subscriptions: Map<string, Filter>;
  key: string | null;
}

const SLOW_MS = 300;

/** `asksWho`: private messages are shown to their readers alone, who prove by NIP-42 who they are. */
export async function startNostrRelay({ asksWho = false } = {}): Promise<NostrRelay> {
  const events: Event[] = [];
  const clients = new Set<Client>();
  const sockets = new Set<Socket>();
  let fault: ChannelFault | null = null;

  const answer = (client: WebSocket, say: readonly unknown[]) => client.send(JSON.stringify(say));
  const isShown = ({ key }: Client, filter: Filter, event: Event) =>
    (filter.ids?.includes(event.id) ?? true) &&
    (filter.kinds?.includes(event.kind) ?? true) &&
    (filter['#p'] === undefined ||
      event.tags.some(([name, value]) => name === 'p' && filter['#p']!.includes(value!))) &&
    event.created_at >= (filter.since ?? 0) &&
    (!asksWho || event.kind !== 1_059 || event.tags.some(([name, value]) => name === 'p' && value === key));
  const put = (event: Event) => {
    events.push(event);
    for (const client of clients) {
      for (const [id, filter] of client.subscriptions) {
        if (isShown(client, filter, event)) answer(client.socket, ['EVENT', id, event]);
      }
    }
  };

  const hear = (client: Client, [kind, given, filter]: readonly unknown[]) => {
    const { socket, subscriptions } = client;
    switch (kind) {
      case 'REQ': {
        if (asksWho && client.key === null) {
          return answer(socket, ['CLOSED', given, 'auth-required: private messages are shown to their readers']);
        }
        const asked = filter as Filter;
        const found = events.filter((event) => isShown(client, asked, event));
        for (const event of found.slice(-(asked.limit ?? 100))) answer(socket, ['EVENT', given, event]);
        subscriptions.set(String(given), asked);
        return answer(socket, ['EOSE', given]);
      }
      case 'AUTH': {
        const event = given as Event;
        const said = Object.fromEntries(event.tags) as Record<string, string>;
        const isGood = event.kind === 22_242 && verifyEvent(event) && said['challenge'] === client.challenge;
        if (isGood) client.key = event.pubkey;
        return answer(socket, ['OK', event.id, isGood, isGood ? '' : 'restricted: no proof']);
      }
      case 'EVENT': {
        const event = given as Event;
        if (!verifyEvent(event)) return answer(socket, ['OK', event.id, false, 'invalid: id or signature']);
        put(event);
        return answer(socket, ['OK', event.id, true, '']);
      }
      default:
        return answer(socket, ['NOTICE', 'unknown']);
    }
  };

  const server = createServer(TEST_SERVER);
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const relay = new WebSocketServer({ server });
  relay.on('error', () => undefined);
  relay.on('connection', (socket) => {
    const client: Client = { socket, challenge: randomUUID(), subscriptions: new Map(), key: null };
    clients.add(client);
    socket.on('close', () => clients.delete(client));
    socket.on('error', () => undefined);
    if (asksWho) answer(socket, ['AUTH', client.challenge]);
    const refuse = ([kind, given]: readonly unknown[], why: string) =>
      answer(socket, kind === 'REQ' ? ['CLOSED', given, why] : ['OK', (given as Event).id, false, why]);
    socket.on('message', (data: Buffer) => {
      const said = JSON.parse(data.toString()) as readonly unknown[];
      switch (fault) {
        case 'hung':
          return;
        case 'error':
          return refuse(said, 'error: the inside of the service');
        case 'busy':
          return refuse(said, 'rate-limited: slow down');
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
    ...{ url: `wss://127.0.0.1:${port}`, ca: TEST_CA, events, put },
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
