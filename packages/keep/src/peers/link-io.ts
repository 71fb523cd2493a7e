import { Socket } from 'node:net';
import { createLinkDecoder, createLinkWriter, type LinkFrame, type LinkWriter } from '@keepwatch/protocol';

export interface LinkIo {
  readonly writer: LinkWriter;
  /** Bytes that gate has not taken yet. */
  readonly backlog: () => number;
  end(): void;
}

/**
 * The one socket that keep has: inherited, connected, its other end in gate's hands. Whatever comes from it is foreign
 * until a session has opened it. A malformed stream ends the link: gate is broken or taken over, and is started anew.
 */
export function openLink(fd: number, on: { frame: (frame: LinkFrame) => void; closed: (why: string) => void }): LinkIo {
  const socket = new Socket({ fd, readable: true, writable: true });
  const decoder = createLinkDecoder();
  const writer = createLinkWriter({
    write: (bytes) => void socket.write(bytes),
    schedule: (flush) => void setImmediate(flush),
  });
  socket.on('data', (chunk: Uint8Array) => {
    const pushed = decoder.push(chunk, on.frame);
    if (pushed.ok) return;
    socket.destroy();
    on.closed(pushed.error);
  });
  socket.on('end', () => on.closed('gate closed the link'));
  socket.on('error', (error) => on.closed(error.message));
  return { writer, backlog: () => socket.writableLength, end: () => socket.end() };
}
