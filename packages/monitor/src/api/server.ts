import { chmodSync, existsSync, lstatSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { CodedError } from '@keepwatch/base';
import { unusable } from '../store/unusable.ts';
import { connectApi } from './client.ts';
import { converse, type Methods } from './conversation.ts';
import { linesOf } from './lines.ts';
import { toLine } from './messages.ts';

export type { Methods } from './conversation.ts';

export interface ApiServer {
  close(): Promise<void>;
}

/** Many more than people have terminals; a loop that opens connections gets no further. */
const MAX_CONNECTIONS = 64;

/**
 * Listens on the socket at `path`, for the user of this process alone. One that a killed monitor left behind is removed.
 * `methods` may change with the monitor's phase. Throws `monitor_running`, `monitor_socket_taken` and
 * `monitor_directory_unusable`.
 */
export async function serveApi(
  path: string,
  methods: () => Methods,
  onTrouble: (error: unknown) => void,
): Promise<ApiServer> {
  if (existsSync(path)) {
    if (!lstatSync(path).isSocket()) {
      throw new CodedError('monitor_socket_taken', `${path} is there, and is no socket.`, {
        remedy: 'Look at what it is, and move it away.',
      });
    }
    const other = await connectApi(path);
    other?.close();
    if (other) {
      throw new CodedError('monitor_running', 'A monitor runs in this directory already.', {
        remedy: 'Use it, or stop it first.',
      });
    }
    rmSync(path);
  }
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    if (open.size > MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    void serve(socket, methods, onTrouble).catch(onTrouble);
  });
  const umask = process.umask(0o177);
  try {
    server.listen(path);
    await once(server, 'listening');
  } catch (error) {
    // `sun_path` (unix(7)): 108 bytes with the one that ends it.
    if (Buffer.byteLength(path) < 108) throw unusable(dirname(path), error);
    throw new CodedError('monitor_directory_unusable', `The path of the socket ${path} is longer than 107 bytes.`, {
      remedy: 'Name a directory with a shorter path with --data.',
    });
  } finally {
    process.umask(umask);
  }
  chmodSync(path, 0o600);
  return {
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(socket: Socket, methods: () => Methods, onTrouble: (error: unknown) => void): Promise<void> {
  const stop = new AbortController();
  socket.on('close', () => stop.abort());
  await converse({
    ...{ texts: linesOf(socket), methods, onTrouble, signal: stop.signal },
    async send(reply) {
      if (stop.signal.aborted || socket.write(toLine(reply))) return;
      await once(socket, 'drain', { signal: stop.signal }).catch(() => undefined);
    },
  });
  stop.abort();
}
