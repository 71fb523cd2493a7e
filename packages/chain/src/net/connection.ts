import { createHash, timingSafeEqual } from 'node:crypto';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

export interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * A SOCKS5 proxy (RFC 1928) that also resolves the name. `isolation`: user name and password that Tor keeps circuits apart
 * by (tor-manual, IsolateSOCKSAuth); null: none.
 */
export interface Proxy extends Place {
  readonly isolation: string | null;
}

/**
 * Whose certificate counts. Servers that people run themselves mostly sign their own, so there is no authority to ask:
 *
 * - `pinned`: the SHA-256 of the certificate (DER, hex) is known beforehand
 * - `first-use`: the one that is seen first, and no other after it; `remember` is called with it, and the caller keeps it
 * - `authorities`: a certificate for this name that the machine's authorities vouch for
 */
export type CertificateTrust =
  | { readonly kind: 'pinned'; readonly sha256: string }
  | { readonly kind: 'first-use'; readonly known: string | null; readonly remember: (sha256: string) => void }
  | { readonly kind: 'authorities' };

export interface Way {
  readonly proxy?: Proxy | undefined;
  /** Null: no TLS. Whoever stands in between then reads and changes everything. */
  readonly tls: CertificateTrust | null;
  /** For each step: to the other end or the proxy, through the proxy, TLS. */
  readonly withinMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** `no-certificate`, `other-certificate` (than the known one) and `not-vouched` (by an authority): refused, nothing was sent. */
export type ConnectionFaultKind = 'unreachable' | 'no-certificate' | 'other-certificate' | 'not-vouched';

/** The message is a clause for people. The place is not in it: its name may be nobody's business. */
export class ConnectionFault extends Error {
  readonly kind: ConnectionFaultKind;

  constructor(kind: ConnectionFaultKind, why: string) {
    super(why);
    this.name = 'ConnectionFault';
    this.kind = kind;
  }
}

/**
 * A connection, through a proxy and by TLS where they are asked for. The certificate is judged before a byte is sent: what
 * is sent often holds a key. Throws `ConnectionFault`.
 */
export async function openConnection(to: Place, way: Way): Promise<Socket> {
  const { proxy, tls } = way;
  const plain = connect({ host: (proxy ?? to).host, port: (proxy ?? to).port, noDelay: true });
  await settled(plain, 'connect', way);
  if (proxy) await passProxy(plain, to, proxy, way);
  return tls ? secured(plain, to.host, tls, way) : plain;
}

async function passProxy(socket: Socket, destination: Place, proxy: Proxy, { withinMs, signal }: Way): Promise<void> {
  const abort = () => socket.destroy();
  signal?.addEventListener('abort', abort);
  try {
    // Some 4 MB of memory, for those who have a proxy.
    const { SocksClient } = await import('socks');
    const { host, port, isolation } = proxy;
    await SocksClient.createConnection({
      ...{ command: 'connect', destination: { host: destination.host, port: destination.port } },
      proxy: { host, port, type: 5, ...(isolation === null ? {} : { userId: isolation, password: isolation }) },
      ...{ existing_socket: socket, timeout: withinMs },
    });
    if (socket.destroyed) throw new Error('Socket closed');
  } catch (error) {
    socket.destroy();
    if (signal?.aborted) throw new ConnectionFault('unreachable', 'given up');
    throw new ConnectionFault('unreachable', `the proxy has no way there (${(error as Error).message})`);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

async function secured(plain: Socket, host: string, trust: CertificateTrust, way: Way): Promise<TLSSocket> {
  const socket = connectTls({
    ...{ socket: plain, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] },
    // Judged below, so that it can be said which one was seen.
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : { host }),
  });
  await settled(socket, 'secureConnect', way);
  const refused = judge(socket, trust);
  if (!refused) return socket;
  socket.destroy();
  throw refused;
}

function judge(socket: TLSSocket, trust: CertificateTrust): ConnectionFault | undefined {
  const raw = socket.getPeerCertificate().raw as Buffer | undefined;
  if (!raw) return new ConnectionFault('no-certificate', 'it showed none');
  const seen = createHash('sha256').update(raw).digest();
  const shown = `its SHA-256 is ${seen.toString('hex')}`;
  if (trust.kind === 'authorities') {
    // Node gives its code here, such as DEPTH_ZERO_SELF_SIGNED_CERT, whatever its type says.
    const why = `${String(socket.authorizationError)}; ${shown}`;
    return socket.authorized ? undefined : new ConnectionFault('not-vouched', why);
  }
  if (trust.kind === 'first-use' && trust.known === null) {
    trust.remember(seen.toString('hex'));
    return undefined;
  }
  const known = trust.kind === 'pinned' ? trust.sha256 : trust.known!;
  const expected = Buffer.from(known.replaceAll(':', ''), 'hex');
  if (expected.length === seen.length && timingSafeEqual(expected, seen)) return undefined;
  const what = trust.kind === 'pinned' ? 'the one that is pinned' : 'the one that it showed at first';
  return new ConnectionFault('other-certificate', `it is not ${what}; ${shown}`);
}

/** Waits for the event; destroys the socket where it fails, takes too long or is given up. */
function settled(socket: Socket, event: 'connect' | 'secureConnect', { withinMs, signal }: Way): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      socket.off('error', failed).off('close', closed).off(event, done);
    };
    const fail = (why: string) => {
      leave();
      // What it says from now on is nobody's concern; unheard, it would end the process.
      socket.on('error', () => undefined).destroy();
      reject(new ConnectionFault('unreachable', why));
    };
    const timer = setTimeout(() => fail('ETIMEDOUT'), withinMs);
    const failed = (error: NodeJS.ErrnoException) => fail(error.code ?? 'no connection');
    const closed = () => fail('ECONNRESET');
    const aborted = () => fail('given up');
    const done = () => {
      leave();
      resolve();
    };
    socket.once('error', failed).once('close', closed).once(event, done);
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted);
  });
}
