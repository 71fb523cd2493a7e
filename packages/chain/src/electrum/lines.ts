import { createHash, timingSafeEqual } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { ServerFault } from '../server/backend.ts';

/**
 * Whose certificate counts. Electrum servers mostly sign their own, so there is no authority to ask:
 *
 * - `pinned`: the SHA-256 of the certificate (DER), known beforehand
 * - `first-use`: the one that is seen first, and no other after it; `remember` is called with it, and the caller keeps it
 * - `authorities`: a certificate for this name that the machine's authorities vouch for
 */
export type CertificateTrust =
  | { readonly kind: 'pinned'; readonly sha256: string }
  | { readonly kind: 'first-use'; readonly known: string | null; readonly remember: (sha256: string) => void }
  | { readonly kind: 'authorities' };

export interface LineEndpoint {
  readonly host: string;
  readonly port: number;
  /** Null: no TLS. Whoever stands in between then reads and changes everything. */
  readonly tls: CertificateTrust | null;
  /**
   * A SOCKS5 proxy (RFC 1928) that also resolves the name. `isolation`: user name and password that Tor keeps circuits
   * apart by; one for each server.
   */
  readonly proxy?: { readonly host: string; readonly port: number; readonly isolation: string };
}

/** Lines of text, both ways. */
export interface LineConnection {
  send(line: string): void;
  close(): void;
}

export interface LineListener {
  line(text: string): void;
  /** Once, at the end, whatever the reason. */
  closed(why: string): void;
}

const CONNECT_MS = 30_000;
/** The longest line: a transaction as large as a block, in hex, and some words around it. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

export async function openLines(
  endpoint: LineEndpoint,
  listener: LineListener,
  signal: AbortSignal,
): Promise<LineConnection> {
  const plain = await withinTime(endpoint.proxy ? throughProxy(endpoint) : direct(endpoint), signal);
  const socket = endpoint.tls ? await withinTime(secured(plain, endpoint, endpoint.tls), signal, plain) : plain;
  let held: Buffer[] = [];
  let heldBytes = 0;
  let over = false;
  const end = (why: string) => {
    if (over) return;
    over = true;
    signal.removeEventListener('abort', aborted);
    socket.destroy();
    listener.closed(why);
  };
  const aborted = () => end('given up');
  signal.addEventListener('abort', aborted);
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk;
    for (let at = rest.indexOf(10); at >= 0 && !over; at = rest.indexOf(10)) {
      const text = Buffer.concat([...held, rest.subarray(0, at)]).toString('utf8');
      held = [];
      heldBytes = 0;
      rest = rest.subarray(at + 1);
      listener.line(text);
    }
    if (rest.length > 0) held.push(rest);
    heldBytes += rest.length;
    if (heldBytes > MAX_LINE_BYTES) end('the server sent a line without end');
  });
  socket.on('error', (error) => end(error.message));
  socket.on('close', () => end('the server closed the connection'));
  if (socket.destroyed) end('the server closed the connection');
  return { send: (line) => void (over || socket.write(`${line}\n`)), close: () => end('closed') };
}

function direct({ host, port }: LineEndpoint): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port });
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => reject(unreachable(error)));
  });
}

async function throughProxy({ host, port, proxy }: LineEndpoint): Promise<Socket> {
  // Some 4 MB of memory, for those who have a proxy.
  const { SocksClient } = await import('socks');
  try {
    const { socket } = await SocksClient.createConnection({
      command: 'connect',
      destination: { host, port },
      proxy: { host: proxy!.host, port: proxy!.port, type: 5, userId: proxy!.isolation, password: proxy!.isolation },
      timeout: CONNECT_MS,
    });
    return socket;
  } catch (error) {
    throw unreachable(error as Error);
  }
}

function secured(plain: Socket, { host }: LineEndpoint, trust: CertificateTrust): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const isAddress = /^[0-9.]+$|:/.test(host);
    const socket = connectTls({
      socket: plain,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: trust.kind === 'authorities',
      ...(isAddress ? {} : { servername: host }),
      ...(trust.kind === 'authorities' ? {} : { checkServerIdentity: () => undefined }),
    });
    socket.once('error', (error) => reject(unreachable(error)));
    socket.once('secureConnect', () => {
      const refused = judge(socket, trust);
      if (!refused) return resolve(socket);
      socket.destroy();
      reject(refused);
    });
  });
}

/** Before a single byte is sent. */
function judge(socket: TLSSocket, trust: CertificateTrust): ServerFault | undefined {
  if (trust.kind === 'authorities') return undefined;
  const certificate = socket.getPeerCertificate().raw as Buffer | undefined;
  if (!certificate) return new ServerFault('lied', 'server_certificate_missing', 'The server showed no certificate.');
  const seen = createHash('sha256').update(certificate).digest();
  const wanted = trust.kind === 'pinned' ? trust.sha256 : trust.known;
  if (wanted === null) {
    (trust as { remember(sha256: string): void }).remember(seen.toString('hex'));
    return undefined;
  }
  const expected = Buffer.from(wanted.replaceAll(':', ''), 'hex');
  if (expected.length === seen.length && timingSafeEqual(expected, seen)) return undefined;
  return new ServerFault(
    'lied',
    'server_certificate_changed',
    `The server's certificate is not the one that is expected (seen: ${seen.toString('hex')}).`,
  );
}

async function withinTime<T extends Socket>(opening: Promise<T>, signal: AbortSignal, also?: Socket): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const give = (why: string) => reject(new ServerFault('transient', 'server_unreachable', why));
    timer = setTimeout(() => give('The server did not answer in time.'), CONNECT_MS);
    if (signal.aborted) give('Given up.');
    signal.addEventListener('abort', () => give('Given up.'), { once: true });
  });
  try {
    return await Promise.race([opening, limit]);
  } catch (error) {
    also?.destroy();
    opening.then((socket) => socket.destroy()).catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(error: Error): ServerFault {
  return new ServerFault('transient', 'server_unreachable', `The server cannot be reached: ${error.message}`, error);
}
