import { chmodSync, existsSync, lstatSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { CodedError } from '@keepwatch/base';
import type { z } from 'zod';
import { connectApi } from './client.ts';
import { linesOf } from './lines.ts';
import { requestSchema, RPC, toLine, type Reply, type Request } from './messages.ts';

/**
 * Answers one method: once, or with a sequence that goes on until the caller leaves. What it throws as a `CodedError` is
 * told to the caller.
 */
export interface Method {
  readonly params: z.ZodType;
  call(params: never, signal: AbortSignal): Promise<unknown>;
  /** In place of `call` for a subscription. */
  stream?(params: never, signal: AbortSignal): AsyncIterable<unknown>;
}
export type Methods = Readonly<Record<string, Method>>;

export interface ApiServer {
  close(): Promise<void>;
}

/** Many more than people have terminals; a loop that opens connections gets no further. */
const MAX_CONNECTIONS = 64;
/** Requests of one connection that are under way at once. */
const MAX_UNDER_WAY = 16;

/**
 * Listens on the socket at `path`, for the user of this process alone. One that a killed monitor left behind is removed.
 * `methods` may change with the monitor's phase. Throws `monitor_running` and `monitor_socket_taken`.
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
  const underWay = new Set<Promise<void>>();
  const send = async (reply: Reply) => {
    if (stop.signal.aborted) return;
    if (!socket.write(toLine(reply))) {
      await once(socket, 'drain', { signal: stop.signal }).catch(() => undefined);
    }
  };
  for await (const line of linesOf(socket)) {
    const request = readRequest(line);
    if ('error' in request) {
      await send({ jsonrpc: '2.0', id: null, error: request.error });
      continue;
    }
    while (underWay.size >= MAX_UNDER_WAY) await Promise.race(underWay);
    const work = answer(request, methods(), send, stop.signal, onTrouble).finally(() => underWay.delete(work));
    underWay.add(work);
  }
  stop.abort();
}

function readRequest(line: string): Request | { readonly error: { code: number; message: string } } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { error: { code: RPC.parse, message: 'This is no JSON.' } };
  }
  const read = requestSchema.safeParse(value);
  return read.success ? read.data : { error: { code: RPC.invalid, message: 'This is no request.' } };
}

async function answer(
  { id, method: name, params }: Request,
  methods: Methods,
  send: (reply: Reply) => Promise<void>,
  signal: AbortSignal,
  onTrouble: (error: unknown) => void,
): Promise<void> {
  const method = Object.hasOwn(methods, name) ? methods[name]! : undefined;
  if (!method)
    return send({ jsonrpc: '2.0', id, error: { code: RPC.unknown, message: `There is no method ${name}.` } });
  const read = method.params.safeParse(params ?? {});
  if (!read.success) {
    const { path, message } = read.error.issues[0]!;
    return send({
      jsonrpc: '2.0',
      id,
      error: { code: RPC.params, message: `${path.join('.') || 'params'}: ${message}` },
    });
  }
  try {
    if (method.stream) {
      for await (const item of method.stream(read.data as never, signal)) {
        await send({ jsonrpc: '2.0', method: 'item', params: { subscription: id, item } });
        if (signal.aborted) return;
      }
      return await send({ jsonrpc: '2.0', id, result: null });
    }
    await send({ jsonrpc: '2.0', id, result: (await method.call(read.data as never, signal)) ?? null });
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof CodedError) {
      const { code, remedy, details } = error;
      const data = { code, ...(remedy === undefined ? {} : { remedy }), ...(details === undefined ? {} : { details }) };
      return send({ jsonrpc: '2.0', id, error: { code: RPC.refused, message: error.message, data } });
    }
    onTrouble(error);
    await send({ jsonrpc: '2.0', id, error: { code: RPC.internal, message: 'Something unforeseen failed.' } });
  }
}
