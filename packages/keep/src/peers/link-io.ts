import { Socket } from 'node:net';
import { createLinkDecoder, createLinkWriter, type LinkFrame, type LinkWriter } from '@keepwatch/protocol';

export interface LinkIo {
  readonly writer: LinkWriter;
  end(): void;
}

/** Answers that gate has not taken yet, in bytes. Beyond, the keep hears no further requests until it has. */
const BACKLOG = 16 * 1024 * 1024;

/**
 * The one socket that keep has: inherited, connected, its other end in gate's hands. Whatever comes from it is foreign
 * until a session has opened it. A malformed stream ends the link: gate is broken or taken over, and is started anew.
 */
export function openLink(fd: number, on: { frame: (frame: LinkFrame) => void; closed: (why: string) => void }): LinkIo {
  const socket = new Socket({ fd, readable: true, writable: true });
  const decoder = createLinkDecoder();
  const writer = createLinkWriter({
    write(bytes) {
      // A gate that asks and does not read must not fill the keep's memory.
      if (!socket.write(bytes) && socket.writableLength > BACKLOG) socket.pause();
    },
    // Behind the frames that sessions seal at the end of this turn, and before anything else is read.
    schedule: (flush) => process.nextTick(flush),
  });
  socket.on('data', (chunk: Uint8Array) => {
    const pushed = decoder.push(chunk, on.frame);
    if (pushed.ok) return;
    socket.destroy();
    on.closed(pushed.error);
  });
  socket.on('drain', () => socket.resume());
  socket.on('end', () => on.closed('gate closed the link'));
  socket.on('error', (error) => on.closed(error.message));
  return { writer, end: () => socket.end() };
}
