import { createHash, timingSafeEqual } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { EvmFault } from './fault.ts';

export interface EvmConnection {
  /** A SOCKS5 proxy that also resolves the name; `isolation` keeps circuits apart (Tor). */
  readonly proxy?: { readonly host: string; readonly port: number; readonly isolation: string };
  /** SHA-256 of the certificate, 64 hex digits, that alone is taken. Left out: what an authority of the system vouches for. */
  readonly certificate?: string;
}

interface Destination {
  readonly hostname: string;
  readonly port: string;
  readonly protocol: string;
}

/**
 * A connection to an upstream, over the proxy and by TLS where they are asked for. Its certificate is looked at before a
 * byte of a question is sent: the path of the address often is a key. Throws `EvmFault`.
 */
export async function connectUpstream(
  { hostname, port, protocol }: Destination,
  { proxy, certificate }: EvmConnection,
  withinMs: number,
): Promise<Socket> {
  const isTls = protocol === 'https:';
  // As it stands in a URL, an IPv6 address is in brackets.
  const host = hostname.replace(/^\[|\]$/g, '');
  const number = Number(port) || (isTls ? 443 : 80);
  const plain = proxy ? await throughProxy(host, number, proxy, withinMs) : await direct(host, number, withinMs);
  plain.setNoDelay(true);
  return isTls ? secured(plain, host, certificate, withinMs) : plain;
}

function direct(host: string, port: number, withinMs: number): Promise<Socket> {
  return settled(connectTcp({ host, port }), 'connect', withinMs);
}

async function throughProxy(
  host: string,
  port: number,
  proxy: NonNullable<EvmConnection['proxy']>,
  withinMs: number,
): Promise<Socket> {
  const { SocksClient } = await import('socks');
  const { isolation, ...at } = proxy;
  try {
    const { socket } = await SocksClient.createConnection({
      command: 'connect',
      destination: { host, port },
      proxy: { ...at, type: 5, userId: isolation, password: isolation },
      timeout: withinMs,
    });
    return socket;
  } catch {
    // What went wrong is said in many words, and the name that was asked for may be among them.
    throw new EvmFault('upstream_unreachable', 'The upstream cannot be reached through the proxy.');
  }
}

async function secured(plain: Socket, host: string, pinned: string | undefined, withinMs: number): Promise<TLSSocket> {
  const isAddress = /^[0-9.]+$|:/.test(host);
  const socket = connectTls({
    ...{ socket: plain, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] },
    // Judged below, so that it can be said which one was seen.
    rejectUnauthorized: false,
    ...(isAddress ? { host } : { servername: host }),
  });
  await settled(socket, 'secureConnect', withinMs);
  const refused = judge(socket, pinned);
  if (!refused) return socket;
  socket.destroy();
  throw refused;
}

function judge(socket: TLSSocket, pinned: string | undefined): EvmFault | undefined {
  const raw = socket.getPeerCertificate().raw as Buffer | undefined;
  if (!raw) return refusal('it showed none');
  const seen = createHash('sha256').update(raw).digest();
  const shown = `its SHA-256 is ${seen.toString('hex')}`;
  if (pinned === undefined) {
    if (socket.authorized) return undefined;
    // Node gives its code here, such as DEPTH_ZERO_SELF_SIGNED_CERT, whatever its type says.
    return refusal(`${String(socket.authorizationError)}; ${shown}`);
  }
  const expected = Buffer.from(pinned, 'hex');
  if (expected.length === seen.length && timingSafeEqual(expected, seen)) return undefined;
  return refusal(`it is not the one that is pinned; ${shown}`);
}

function refusal(why: string): EvmFault {
  return new EvmFault('upstream_certificate_refused', `The upstream's certificate is refused: ${why}.`);
}

/** The socket once it is connected; destroyed where it fails or takes too long. */
function settled<S extends Socket>(socket: S, event: string, withinMs: number): Promise<S> {
  return new Promise((resolve, reject) => {
    const fail = (code: string) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new EvmFault('upstream_unreachable', `The upstream cannot be reached: ${code}.`));
    };
    const timer = setTimeout(() => fail('ETIMEDOUT'), withinMs);
    const failed = (error: NodeJS.ErrnoException) => fail(error.code ?? 'no connection');
    const closed = () => fail('ECONNRESET');
    socket.once('error', failed);
    socket.once('close', closed);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off('close', closed);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}
