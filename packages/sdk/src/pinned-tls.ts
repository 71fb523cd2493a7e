import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { equalBytes, toBase64url } from '@keepwatch/base';
import { isObject, openTlsStatement, parseStrictJson, TLS_STATEMENT_PATH, type TlsStatement } from '@keepwatch/wire';
import { connectionError } from './connection-errors.ts';
import { sha256, wireCrypto } from './crypto-node.ts';

/**
 * TLS 1.3 to a server that is known by its key and nothing else. Names, dates and issuers in the certificate are not
 * looked at: the certificate is the server's own. Nothing is sent over the connection before the key was compared.
 */

export interface TlsTarget {
  readonly host: string;
  readonly port: number;
  /** SPKI SHA-256 of the keys that are trusted, 32 bytes each. */
  readonly pins: readonly Uint8Array[];
  /** Identity of the vault, 32 bytes: who may vouch for another key. */
  readonly vault: Uint8Array;
  /** Counter of the last statement that was taken over, 0 for none. */
  readonly statementCounter: number;
}

export interface PinnedTls {
  readonly socket: TLSSocket;
  /** The key that it ends at. */
  readonly pin: Uint8Array;
  /** The statement by which that key was taken over just now. */
  readonly statement: TlsStatement | undefined;
}

/** Sixty statements and a little air. */
const MAX_STATEMENTS_BYTES = 128 * 1024;

/**
 * Connects. Where the key is another one, the statements that the edge serves are fetched over that connection, which
 * is then thrown away; one of them must be signed under the vault's identity, name exactly this key and be newer than
 * what was taken over before. Throws a CodedError: `connection_failed`, `tls_pin_mismatch`.
 */
export async function openPinnedTls(target: TlsTarget, signal: AbortSignal): Promise<PinnedTls> {
  const first = await openTls(target, signal);
  if (target.pins.some((pin) => equalBytes(pin, first.pin))) return { ...first, statement: undefined };

  const statement = await statementFor(target, first, signal).finally(() => first.socket.destroy());
  if (!statement) {
    const details = { seen: toBase64url(first.pin), expected: target.pins.map(toBase64url) };
    throw connectionError('tls_pin_mismatch', { details });
  }
  const second = await openTls(target, signal);
  if (equalBytes(second.pin, first.pin)) return { ...second, statement };
  second.socket.destroy();
  throw connectionError('tls_pin_mismatch', { details: { seen: toBase64url(second.pin) } });
}

/** A connection over which nothing was sent yet, and the key at its other end. */
async function openTls(target: TlsTarget, signal: AbortSignal): Promise<{ socket: TLSSocket; pin: Uint8Array }> {
  const { host, port } = target;
  const socket = connectTls({
    host,
    port,
    minVersion: 'TLSv1.3',
    // The key is compared below, before the first byte: no authority could say more than the pin.
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  socket.setNoDelay(true);
  const abort = () => socket.destroy(connectionError('connection_timeout'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed during the TLS handshake')));
    });
  } catch (cause) {
    socket.destroy();
    throw signal.aborted ? connectionError('connection_timeout') : connectionError('connection_failed', { cause });
  } finally {
    signal.removeEventListener('abort', abort);
  }
  // Errors from here on show as the socket's close.
  socket.on('error', () => {});
  const { raw } = socket.getPeerCertificate();
  const spki = new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' });
  return { socket, pin: sha256(spki) };
}

async function statementFor(
  target: TlsTarget,
  end: { socket: TLSSocket; pin: Uint8Array },
  signal: AbortSignal,
): Promise<TlsStatement | undefined> {
  const body = parseStrictJson(await fetchStatements(target, end.socket, signal));
  const statements = isObject(body) ? body['statements'] : undefined;
  if (!Array.isArray(statements)) return undefined;
  const expected = { vault: target.vault, after: target.statementCounter, seen: end.pin };
  // The newest stands last, and is the one for the key that is served.
  for (const jws of (statements as readonly unknown[]).toReversed()) {
    const opened = typeof jws === 'string' ? openTlsStatement(wireCrypto, jws, expected) : undefined;
    if (opened?.ok) return opened.value;
  }
  return undefined;
}

/** What the edge serves as statements; empty where it serves none. */
function fetchStatements(target: TlsTarget, socket: TLSSocket, signal: AbortSignal): Promise<Uint8Array> {
  const empty = new Uint8Array(0);
  return new Promise((resolve) => {
    const call = request(
      { host: target.host, port: target.port, path: TLS_STATEMENT_PATH, createConnection: () => socket, signal },
      (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > MAX_STATEMENTS_BYTES) call.destroy(new Error('too many statements'));
          else chunks.push(chunk);
        });
        response.on('end', () => resolve(response.statusCode === 200 ? Buffer.concat(chunks) : empty));
        response.on('error', () => resolve(empty));
      },
    );
    call.on('error', () => resolve(empty));
    call.end();
  });
}
