import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { constants, createHmac, randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { CodedError } from '@keepwatch/base';
import { CLOSE_CODES } from '@keepwatch/protocol';
import { WebSocketServer } from 'ws';
import { createAdmission, isLoopback, networkOf } from './admission.ts';
import { openKeepLink, type KeepLink } from './keep-link.ts';
import type { GateLog } from './log.ts';
import { DEFAULT_LIMITS, type GateLimits } from './limits.ts';
import { createCounters, renderMetrics } from './metrics.ts';
import { destroyPeer, type Peer } from './peer.ts';
import { createPeers } from './peers.ts';
import { answerControl } from './tls-rotation.ts';
import { openTlsStore } from './tls-store.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface GateOptions {
  /** Gate's own directory; it holds the TLS key. */
  readonly dataDir: string;
  readonly listen: ListenAddress;
  /** A second, plain listener for metrics alone. Loopback only. */
  readonly metrics?: ListenAddress;
  readonly limits?: Partial<GateLimits>;
  /** What its log calls the other end of the link. */
  readonly core?: string;
}

export interface Gate {
  readonly address: ListenAddress;
  readonly metricsAddress: ListenAddress | undefined;
  /** SPKI SHA-256 of the key that new connections see, base64url. */
  tlsFingerprint(): string;
  /** Takes the connected socket to a keep, or to what stands in its place within the same process. A link that is still there is dropped: the newer keep is the one. */
  attachKeep(socket: Duplex): void;
  keepAvailable(): boolean;
  /** Closes the listeners, tells the peers and resolves when the last socket is gone. */
  close(): Promise<void>;
}

export interface GateDeps {
  readonly log: GateLog;
  /** The link to the keep ended. */
  readonly onKeepLost?: () => void;
}

const STATEMENTS_PATH = '/.well-known/keepwatch/tls';
const HOUSEKEEPING_MS = 250;
/** The kernel's own queue of connections that are not accepted yet; a flood must not fill it between two turns. */
const BACKLOG = 4096;

/**
 * The edge: TLS 1.3, WebSocket, limits, health and metrics. Every message goes to the keep and back as it is.
 * Throws `gate_tls_unreadable`, `gate_listen_failed`, `gate_metrics_not_loopback`.
 */
export async function createGate(deps: GateDeps, options: GateOptions): Promise<Gate> {
  const { log } = deps;
  const { core = 'keep' } = options;
  const limits: GateLimits = { ...DEFAULT_LIMITS, ...options.limits };
  if (options.metrics && !isLoopback(options.metrics.host)) {
    throw new CodedError('gate_metrics_not_loopback', 'The metrics listener is for this machine alone.', {
      remedy: 'Name 127.0.0.1 or ::1, and let a collector on this machine pass the metrics on.',
    });
  }
  const now = () => performance.now();
  const store = openTlsStore(options.dataDir);
  const counters = createCounters();
  const admission = createAdmission<Peer>(limits);
  const byRemote = new Map<string, Peer>();
  const byTls = new WeakMap<Duplex, Peer>();
  let link: KeepLink | undefined;
  let closing = false;
  const crowdKey = randomBytes(32);

  const peers = createPeers(
    {
      admission,
      counters,
      now,
      crowdOf: (address) => createHmac('sha256', crowdKey).update(networkOf(address)).digest('base64url').slice(0, 22),
      control(message) {
        const answer = answerControl(store, message, () => {
          https.setSecureContext(secureContext());
          log.info({ tls: store.current().fingerprint }, 'TLS key rotated');
        });
        if (answer) link?.control(answer);
        else violation('a control message that only gate sends');
      },
      violation,
    },
    limits,
  );

  function violation(what: string): void {
    log.error({ what }, `${core} broke the link protocol; dropping the link`);
    link?.close();
  }

  // A plain TCP listener is the front door, so that a connection is counted, and another one evicted for it, before the
  // first byte of TLS costs anything.
  const front = createTcpServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (raw) => {
    const address = raw.remoteAddress;
    if (address === undefined) return void raw.destroy();
    const peer: Peer = {
      raw,
      address,
      stage: 'tcp',
      deadline: now() + limits.handshakeMs,
      authenticateBy: Infinity,
      connection: 0,
      corked: false,
    };
    const { admitted, evicted } = admission.admit(peer, address);
    for (const other of evicted) {
      counters.ended.evicted++;
      peers.gone(other);
    }
    if (!admitted) {
      counters.ended.table_full++;
      return void raw.destroy();
    }
    const key = remoteKey(raw);
    byRemote.set(key, peer);
    raw.on('error', () => undefined);
    raw.on('close', () => {
      if (byRemote.get(key) === peer) byRemote.delete(key);
      peers.gone(peer);
    });
    https.emit('connection', raw);
  });

  const https: HttpsServer = createHttpsServer({
    ...secureContext(),
    ALPNProtocols: ['http/1.1'],
    maxHeaderSize: 8 * 1024,
    // Gate's own deadlines cover every stage; Node's would only blur the reasons.
    handshakeTimeout: limits.handshakeMs * 2,
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 1,
  });

  function secureContext() {
    const { privateKey, certificate } = store.current();
    return {
      key: privateKey,
      cert: certificate,
      minVersion: 'TLSv1.3' as const,
      maxVersion: 'TLSv1.3' as const,
      // Without tickets every connection shows the key that is pinned, and there is no ticket key to guard.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
  }

  https.on('secureConnection', (tls: TLSSocket) => {
    const peer = byRemote.get(remoteKey(tls));
    if (!peer || peer.stage !== 'tcp') return void tls.destroy();
    counters.handshakes++;
    peer.tls = tls;
    peer.stage = 'http';
    peer.deadline = now() + limits.requestMs;
    byTls.set(tls, peer);
    admission.shookHands(peer);
    tls.on('close', () => peers.gone(peer));
  });
  https.on('tlsClientError', (_error, tls) => {
    counters.handshakesFailed++;
    tls.destroy();
  });
  https.on('clientError', (_error, socket) => socket.destroy());
  https.on('request', answerRequest);

  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.messageBytes,
    maxFragments: 64,
    maxBufferedChunks: 4096,
  });
  https.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const peer = byTls.get(socket);
    if (!peer || peer.stage !== 'http') return void socket.destroy();
    if (pathOf(request) !== '/') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (ws) => peers.upgraded(peer, ws));
  });

  function answerRequest(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Connection', 'close');
    if (request.method !== 'GET') return answerJson(response, 405, { error: 'method_not_allowed' });
    switch (pathOf(request)) {
      case '/health':
        return answerJson(response, 200, { keep: link ? 'available' : 'unavailable' });
      case STATEMENTS_PATH:
        return answerJson(response, 200, { tls: store.current().fingerprint, statements: store.statements() });
      case '/':
        response.setHeader('Upgrade', 'websocket');
        return answerJson(response, 426, { error: 'websocket_only' });
      default:
        return answerJson(response, 404, { error: 'not_found' });
    }
  }

  function attachKeep(socket: Duplex): void {
    link?.close();
    const opened = openKeepLink(socket, {
      frame(frame) {
        peers.frame(frame);
      },
      batchEnd() {
        counters.linkReads++;
        peers.batchEnd();
      },
      wrote: () => void counters.linkWrites++,
      drained: () => peers.linkDrained(),
      lost(why) {
        // Each link ends once, and `attachKeep` ends the old one before it opens the next.
        link = undefined;
        counters.keepLosses++;
        if (!closing) log.warn({ why }, `${core} unavailable`);
        peers.linkChanged(undefined);
        deps.onKeepLost?.();
      },
    });
    link = opened;
    counters.keepConnects++;
    const next = store.next()?.fingerprint;
    const ready = { type: 'gate_ready', tls: store.current().fingerprint } as const;
    opened.control(next === undefined ? ready : { ...ready, next });
    peers.linkChanged(opened);
    log.info({}, `${core} connected`);
  }

  const housekeeping = setInterval(() => peers.expire(now()), HOUSEKEEPING_MS);
  const metrics = options.metrics && createHttpServer(answerMetrics);

  function answerMetrics(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET' || pathOf(request) !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    const gauges = {
      ...peers.gauges(),
      connections: admission.size(),
      keepAvailable: link !== undefined,
      bufferedToKeep: link?.bufferedBytes() ?? 0,
    };
    response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(renderMetrics(counters, gauges));
  }

  async function close(): Promise<void> {
    closing = true;
    clearInterval(housekeeping);
    const closed = [front, metrics].flatMap((server) =>
      server?.listening ? [new Promise<void>((resolve) => server.close(() => resolve()))] : [],
    );
    metrics?.closeAllConnections();
    for (const peer of byRemote.values()) if (!peer.ws) destroyPeer(peer);
    peers.endAll(CLOSE_CODES.goingAway, 'shutting down', 'shutdown');
    link?.close();
    const impatient = setTimeout(() => {
      for (const peer of byRemote.values()) destroyPeer(peer);
    }, limits.closeMs);
    await Promise.all(closed);
    clearTimeout(impatient);
  }

  try {
    await listen(front, options.listen);
    if (metrics && options.metrics) await listen(metrics, options.metrics);
  } catch (error) {
    await close();
    throw error;
  }
  front.on('error', (error) => log.error({ error: error.message }, 'accepting connections failed'));

  return {
    address: addressOf(front),
    metricsAddress: metrics && addressOf(metrics),
    tlsFingerprint: () => store.current().fingerprint,
    attachKeep,
    keepAvailable: () => link !== undefined,
    close,
  };
}

function remoteKey(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0]!;
}

function answerJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}

function addressOf(server: Server): ListenAddress {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}

async function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error) =>
      reject(
        new CodedError('gate_listen_failed', `Cannot listen on ${host} port ${port}: ${cause.message}`, {
          cause,
          remedy: 'Choose another address or port, or stop what uses it.',
        }),
      );
    server.once('error', failed);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
