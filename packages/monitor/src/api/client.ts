import { connect, type Socket } from 'node:net';
import { CodedError } from '@keepwatch/base';
import { ERRORS, isErrorCode } from '@keepwatch/protocol';
import { linesOf } from './lines.ts';
import { replySchema, toLine } from './messages.ts';

/** The other end of the monitor's socket. What the monitor refuses is thrown as it threw it. */
export interface ApiClient {
  call(method: string, params?: object): Promise<unknown>;
  /** Ends when the signal aborts; throws `monitor_gone` where the monitor ends first. */
  subscribe(method: string, params: object, signal: AbortSignal): AsyncGenerator<unknown, void, undefined>;
  close(): void;
}

const TAKEN_AT_ONCE = 32;

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
  if (!socket) return undefined;
  socket.on('error', () => undefined);
  return speak({
    texts: linesOf(socket),
    write: (message) => void socket.write(toLine(message)),
    isOpen: () => !socket.destroyed,
    close: () => void socket.destroy(),
    gone: () =>
      new CodedError('monitor_gone', 'The monitor ended while it was asked.', {
        remedy: 'Look at its log, and ask again.',
      }),
  });
}

/** How messages go to a monitor and come back. */
export interface Transport {
  readonly texts: AsyncIterable<string>;
  write(message: object): void;
  isOpen(): boolean;
  close(): void;
  /** Why it ended. */
  gone(): CodedError;
}

export function speak({ texts, write, isOpen, close, gone }: Transport): ApiClient {
  const pending = new Map<number, Pending>();
  let nextId = 1;
  const reading = (async () => {
    for await (const text of texts) hear(JSON.parse(text));
  })().catch(close);
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
    const remedy = data?.remedy ?? ERRORS[isErrorCode(code) ? code : 'monitor_refused'].remedy;
    const details = data?.details as Record<string, unknown> | undefined;
    waiting?.reject(new CodedError(code, message, { remedy, ...(details === undefined ? {} : { details }) }));
  }

  function request(id: number, method: string, params: object, item?: (item: unknown) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!isOpen()) return reject(gone());
      pending.set(id, { resolve, reject, ...(item ? { item } : {}) });
      try {
        write({ jsonrpc: '2.0', id, method, params });
      } catch (error) {
        pending.delete(id);
        reject(error as Error);
      }
    });
  }

  return {
    call: (method, params = {}) => request(nextId++, method, params),
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
      const id = nextId++;
      let taken = 0;
      request(id, method, params, heard).then(
        () => finish({}),
        (error: unknown) => finish({ error }),
      );
      for (;;) {
        if (queue.length > 0) {
          yield queue.shift();
          // What was taken makes room for more: in steps, and before nothing is left to take.
          if (++taken < TAKEN_AT_ONCE && queue.length > 0) continue;
          if (isOpen() && !end) write({ jsonrpc: '2.0', method: 'taken', params: { subscription: id, count: taken } });
          taken = 0;
        } else if (end) break;
        else await new Promise<void>((resolve) => (wake = resolve));
        if (signal.aborted) return;
      }
      if (end.error !== undefined) throw end.error;
    },
    close,
  };
}
