import type { Socket } from 'node:net';
import { ConnectionFault, openConnection, type CertificateTrust, type Proxy } from '../net/connection.ts';
import { EvmFault } from './fault.ts';

export interface EvmConnection {
  readonly proxy?: Proxy;
  /** SHA-256 of the certificate, 64 hex digits, that alone is taken. Left out: what an authority of the system vouches for. */
  readonly certificate?: string;
}

interface Destination {
  readonly hostname: string;
  readonly port: string;
  readonly protocol: string;
}

/** A connection to an upstream; nothing is sent before its certificate was looked at. Throws `EvmFault`. */
export async function connectUpstream(
  { hostname, port, protocol }: Destination,
  { proxy, certificate }: EvmConnection,
  withinMs: number,
): Promise<Socket> {
  const isTls = protocol === 'https:';
  // As it stands in a URL, an IPv6 address is in brackets.
  const host = hostname.replace(/^\[|\]$/g, '');
  const trust: CertificateTrust =
    certificate === undefined ? { kind: 'authorities' } : { kind: 'pinned', sha256: certificate };
  try {
    const place = { host, port: Number(port) || (isTls ? 443 : 80) };
    return await openConnection(place, { proxy, tls: isTls ? trust : null, withinMs });
  } catch (error) {
    if (!(error instanceof ConnectionFault)) throw error;
    if (error.kind !== 'unreachable')
      throw new EvmFault('upstream_certificate_refused', `The upstream's certificate is refused: ${error.message}.`);
    throw new EvmFault('upstream_unreachable', `The upstream cannot be reached: ${error.message}.`);
  }
}
