import { connect, type Socket } from 'node:net';
import { CodedError } from '@keepwatch/base';
import { linesOf } from './lines.ts';
import { replySchema, toLine } from './messages.ts';

/** The other end of the monitor's socket. What the monitor refuses is thrown as it threw it. */
export interface ApiClient {
  call(method: string, params?: object): Promise<unknown>;
  /** Ends when the signal aborts; throws `monitor_gone` where the monitor ends first. */
  subscribe(method: string, params: object, signal: AbortSignal): AsyncGenerator<unknown, void, undefined>;
  close(): void;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly item?: (item: unknown) => void;
}

/** `undefined`: no monitor runs there. */
export async function connectApi(path: string): Promise<ApiClient | undefined> {
  const socket = await new Promise<Socket | undefined>((resolve, reject) => {
    const opened = connect(path);
    opened.once('connect', () => resolve(opened));
    opened.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else
        reject(
          new CodedError('monitor_unreachable', `The monitor cannot be reached (${error.code}).`, { cause: error }),
        );
    });
  });
  return socket && speak(socket);
}

function speak(socket: Socket): ApiClient {
  const pending = new Map<number, Pending>();
  let nextId = 1;
  const gone = () =>
    new CodedError('monitor_gone', 'The monitor ended while it was asked.', {
      remedy: 'Look at its log, and ask again.',
    });
  socket.on('error', () => undefined);
  const reading = (async () => {
    for await (const line of linesOf(socket)) hear(JSON.parse(line));
  })().catch(() => socket.destroy());
  void reading.finally(() => {
    for (const { reject } of pending.values()) reject(gone());
    pending.clear();
  });

  function hear(value: unknown): void {
    const reply = replySchema.parse(value);
    if ('method' in reply) {
      pending.get(Number(reply.params.subscription))?.item?.(reply.params.item);
      return;
    }
    const waiting = pending.get(Number(reply.id));
    pending.delete(Number(reply.id));
    if (!('error' in reply)) return waiting?.resolve(reply.result);
    const { message, data } = reply.error;
    const code = data?.code ?? 'monitor_refused';
    const remedy = data?.remedy ?? 'The command and the monitor may be of different versions: start the monitor anew.';
    const details = data?.details as Record<string, unknown> | undefined;
    waiting?.reject(new CodedError(code, message, { remedy, ...(details === undefined ? {} : { details }) }));
  }

  function request(method: string, params: object, item?: (item: unknown) => void): Promise<unknown> {
    const id = nextId++;
    return new Promise((resolve, reject) => {
      if (socket.destroyed) return reject(gone());
      pending.set(id, { resolve, reject, ...(item ? { item } : {}) });
      socket.write(toLine({ jsonrpc: '2.0', id, method, params }));
    });
  }

  return {
    call: (method, params = {}) => request(method, params),
    async *subscribe(method, params, signal) {
      const queue: unknown[] = [];
      let wake = () => {};
      let end: { error?: unknown } | undefined;
      const finish = (how: { error?: unknown }) => {
        end ??= how;
        wake();
      };
      signal.addEventListener('abort', () => finish({}), { once: true });
      const heard = (item: unknown) => {
        queue.push(item);
        wake();
      };
      request(method, params, heard).then(
        () => finish({}),
        (error: unknown) => finish({ error }),
      );
      for (;;) {
        if (queue.length > 0) yield queue.shift();
        else if (end) break;
        else await new Promise<void>((resolve) => (wake = resolve));
        if (signal.aborted) return;
      }
      if (end.error !== undefined) throw end.error;
    },
    close: () => void socket.destroy(),
  };
}
