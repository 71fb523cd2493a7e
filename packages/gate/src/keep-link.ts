import type { Duplex } from 'node:stream';
import {
  createLinkDecoder,
  createLinkWriter,
  LINK_MAX_PAYLOAD,
  type LinkControl,
  type LinkFrame,
  type LinkFrameType,
} from '@keepwatch/protocol';

/** Gate's end of the connected socket to one keep process. A new keep means a new link. */
export interface KeepLink {
  send(type: LinkFrameType, connection: number, payload?: Uint8Array): void;
  control(message: LinkControl): void;
  /** Bytes that keep has not taken yet. */
  bufferedBytes(): number;
  close(): void;
}

export interface KeepLinkHandlers {
  frame(frame: LinkFrame): void;
  /** The frames of one read have all been handed out. */
  batchEnd(): void;
  /** One batch of frames went to the socket. */
  wrote(): void;
  /** Keep takes bytes again after `bufferedBytes` had grown. */
  drained(): void;
  /** The link is gone, once; `why` is for the log. */
  lost(why: string): void;
}

export function openKeepLink(socket: Duplex, handlers: KeepLinkHandlers): KeepLink {
  const decoder = createLinkDecoder({ maxPayload: LINK_MAX_PAYLOAD });
  let open = true;

  function end(why: string): void {
    if (!open) return;
    open = false;
    socket.destroy();
    handlers.lost(why);
  }

  // Frames of one turn of the event loop leave in one write: immediates run when the turn's input is through.
  const writer = createLinkWriter({
    write(bytes) {
      if (!open) return;
      socket.write(bytes);
      handlers.wrote();
    },
    schedule: (flush) => void setImmediate(flush),
  });

  socket.on('data', (chunk: Buffer) => {
    if (!open) return;
    const result = decoder.push(chunk, (frame) => {
      if (open) handlers.frame(frame);
    });
    handlers.batchEnd();
    if (!result.ok) end(result.error);
  });
  socket.on('drain', () => handlers.drained());
  socket.on('error', (error) => end(error.message));
  socket.on('end', () => end(decoder.midFrame() ? 'link ended within a frame' : 'link ended'));
  socket.on('close', () => end('link closed'));

  return {
    send: writer.send,
    control: writer.control,
    bufferedBytes: () => socket.writableLength,
    close: () => end('closed by gate'),
  };
}
