import type { TLSSocket } from 'node:tls';
import type { CodedError } from '@keepwatch/base';
import { CLOSE_CODES, LINK_MAX_PAYLOAD } from '@keepwatch/protocol';
import { WebSocket } from 'ws';
import { closeError, connectionError } from './connection-errors.ts';

/** Messages over one WebSocket, each a byte string. What they mean is not known here. */
export interface Channel {
  /** Sends a message, in a write of its own. */
  send(message: Uint8Array): void;
  /** The next message, while nobody listens. Rejects with the error that ended the channel. */
  next(): Promise<Uint8Array>;
  /** From now on every message goes to `onMessage`, beginning with those that wait. */
  listen(onMessage: (message: Uint8Array) => void): void;
  /** Fulfilled with what ended it. */
  readonly ended: Promise<CodedError>;
  /** Ends it in good order. */
  close(): void;
  /** Ends it at once, without a word. */
  cut(): void;
}

interface Waiter {
  resolve(message: Uint8Array): void;
  reject(error: CodedError): void;
}

/** How long the other end may take to answer a close before the socket is cut, in ms. */
const CLOSE_MS = 2_000;

/**
 * A mask of zeros changes nothing, and neither end goes over the bytes for it. Masks are to keep scripts in browsers from
 * writing what some box on the way takes for HTTP (RFC 6455 §10.3). Here nobody on the way reads anything: within TLS to
 * a pinned key there are sealed frames.
 */
function noMask(mask: Buffer): void {
  mask.fill(0);
}

/** Speaks WebSocket over a socket that is connected and trusted. Throws a CodedError: `connection_failed`, … */
export async function openChannel(socket: TLSSocket, host: string, signal: AbortSignal): Promise<Channel> {
  const name = host.includes(':') ? `[${host}]` : host;
  const webSocket = new WebSocket(`wss://${name}/`, {
    createConnection: (() => socket) as never,
    perMessageDeflate: false,
    maxPayload: LINK_MAX_PAYLOAD,
    followRedirects: false,
    generateMask: noMask,
  });
  const abort = () => webSocket.terminate();
  signal.addEventListener('abort', abort, { once: true });

  const waiting: Uint8Array[] = [];
  let waiter: Waiter | undefined;
  let listener: ((message: Uint8Array) => void) | undefined;
  let over: CodedError | undefined;
  let fault: unknown;

  const ended = new Promise<CodedError>((resolve) => {
    webSocket.on('error', (error) => (fault = error));
    webSocket.on('close', (code, reason) => {
      const named = closeError({ code, reason: reason.toString() });
      over = fault === undefined ? named : connectionError('connection_lost', { cause: fault });
      waiter?.reject(over);
      resolve(over);
    });
  });
  webSocket.on('message', (data, isBinary) => {
    // Frames are binary, and ws gives each as one Buffer unless told otherwise.
    if (!isBinary) return webSocket.close(CLOSE_CODES.refused, 'handshake_malformed');
    const message = data as Buffer;
    if (listener) return listener(message);
    if (!waiter) return void waiting.push(message);
    waiter.resolve(message);
    waiter = undefined;
  });

  try {
    await new Promise<void>((resolve, reject) => {
      webSocket.once('open', resolve);
      void ended.then(reject);
    });
  } catch {
    throw signal.aborted
      ? connectionError('connection_timeout')
      : connectionError('connection_failed', { cause: fault });
  } finally {
    signal.removeEventListener('abort', abort);
  }

  return {
    ended,
    send(message) {
      if (over) throw over;
      webSocket.send(message, { binary: true });
    },
    next() {
      const message = waiting.shift();
      if (message) return Promise.resolve(message);
      if (over) return Promise.reject(over);
      return new Promise((resolve, reject) => (waiter = { resolve, reject }));
    },
    listen(onMessage) {
      listener = onMessage;
      for (const message of waiting.splice(0)) onMessage(message);
    },
    close() {
      webSocket.close(CLOSE_CODES.normal);
      setTimeout(() => webSocket.terminate(), CLOSE_MS).unref();
    },
    cut: () => webSocket.terminate(),
  };
}
