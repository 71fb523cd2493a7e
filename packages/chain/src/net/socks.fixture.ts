import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** As much of SOCKS5 (RFC 1928, RFC 1929) as one connection takes; every name leads to loopback. */
export interface TestProxy {
  readonly port: number;
  /** What was asked for: user, name and port. */
  readonly asked: readonly { readonly user: string; readonly host: string; readonly port: number }[];
  stop(): Promise<void>;
}

export async function startTestProxy(): Promise<TestProxy> {
  const asked: { user: string; host: string; port: number }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    void (async () => {
      await next(socket);
      socket.write(Uint8Array.of(5, 2));
      const login = await next(socket);
      const user = login.subarray(2, 2 + login[1]!).toString();
      socket.write(Uint8Array.of(1, 0));
      const request = await next(socket);
      const byName = request[3] === 3;
      const length = byName ? request[4]! : 4;
      const start = byName ? 5 : 4;
      const name = request.subarray(start, start + length);
      const host = byName ? name.toString() : name.join('.');
      const port = request.readUInt16BE(start + length);
      asked.push({ user, host, port });
      const onward = connect({ host: '127.0.0.1', port });
      sockets.add(onward);
      onward.on('error', () => socket.destroy());
      await once(onward, 'connect');
      socket.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
      socket.pipe(onward).pipe(socket);
    })().catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** What is sent next; each of the three messages comes in one piece on loopback. */
async function next(socket: Socket): Promise<Buffer> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk;
}
