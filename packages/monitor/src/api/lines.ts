import type { Socket } from 'node:net';

/** The longest line: an import of labels has some megabytes. */
export const MAX_LINE_CHARS = 32 << 20;

/**
 * The lines that a socket brings. A line that is too long ends the connection: nobody who keeps to the protocol sends one.
 * A consumer who is slow makes the sender wait.
 */
export async function* linesOf(socket: Socket): AsyncGenerator<string, void, undefined> {
  socket.setEncoding('utf8');
  let held = '';
  for await (const chunk of socket as AsyncIterable<string>) {
    held += chunk;
    let start = 0;
    for (let end = held.indexOf('\n', start); end >= 0; end = held.indexOf('\n', start)) {
      const line = held.slice(start, end);
      start = end + 1;
      if (line !== '') yield line;
    }
    held = held.slice(start);
    if (held.length > MAX_LINE_CHARS) {
      socket.destroy();
      return;
    }
  }
}
