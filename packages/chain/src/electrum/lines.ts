import type { Socket } from 'node:net';
import { assertNever } from '@keepwatch/base';
import { ConnectionFault, openConnection, type CertificateTrust, type Place, type Proxy } from '../net/connection.ts';
import { ServerFault } from '../server/backend.ts';

export interface LineEndpoint extends Place {
  /** Null: no TLS. Whoever stands in between then reads and changes everything. */
  readonly tls: CertificateTrust | null;
  readonly proxy?: Proxy;
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
  const socket = await reach(endpoint, signal);
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

async function reach(endpoint: LineEndpoint, signal: AbortSignal): Promise<Socket> {
  try {
    return await openConnection(endpoint, { ...endpoint, withinMs: CONNECT_MS, signal });
  } catch (error) {
    if (!(error instanceof ConnectionFault)) throw error;
    const { kind, message } = error;
    switch (kind) {
      case 'no-certificate':
        throw new ServerFault('lied', 'server_certificate_missing', 'The server showed no certificate.');
      case 'other-certificate':
        throw new ServerFault('lied', 'server_certificate_changed', `The server's certificate is refused: ${message}.`);
      case 'not-vouched':
      case 'unreachable':
        throw new ServerFault('transient', 'server_unreachable', `The server cannot be reached: ${message}.`, error);
      default:
        return assertNever(kind);
    }
  }
}
