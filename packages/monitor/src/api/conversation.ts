import { CodedError } from '@keepwatch/base';
import type { z } from 'zod';
import { requestSchema, RPC, takenSchema, toLine, type Reply, type Request } from './messages.ts';
import { refusalOf } from './refusal.ts';

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

/** One caller: by the socket of this machine, or by a session over a network. */
export interface Caller {
  readonly texts: AsyncIterable<string>;
  /** Resolves when there is room for more. */
  readonly send: (reply: Reply) => Promise<void>;
  readonly methods: () => Methods;
  readonly onTrouble: (error: unknown) => void;
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal;
}

/** Requests of one caller that are answered at once, and that wait behind them. */
const MAX_UNDER_WAY = 16;
const MAX_WAITING = 256;
/** What a subscription may have sent that the caller has not taken, in characters of JSON. */
const WINDOW_CHARS = 1 << 20;

/** Hears and answers one caller until it leaves. */
export async function converse({ texts, send, methods, onTrouble, signal }: Caller): Promise<void> {
  const stop = new AbortController();
  const gone = AbortSignal.any([signal, stop.signal]);
  const window = createWindow();
  const waiting: Request[] = [];
  let underWay = 0;

  function begin(request: Request): void {
    underWay++;
    void answer(request, methods(), send, gone, onTrouble, window)
      .catch(onTrouble)
      .finally(() => {
        window.forget(request.id);
        underWay--;
        const next = waiting.shift();
        if (next && !gone.aborted) begin(next);
      });
  }

  try {
    for await (const text of texts) {
      const request = readRequest(text);
      if ('error' in request) await send({ jsonrpc: '2.0', id: null, error: request.error });
      else if ('taken' in request) window.taken(request.taken.subscription, request.taken.count);
      else if (underWay < MAX_UNDER_WAY) begin(request);
      else if (waiting.length < MAX_WAITING) waiting.push(request);
      else await send({ jsonrpc: '2.0', id: request.id, error: { code: RPC.invalid, message: 'Too many at once.' } });
    }
  } finally {
    stop.abort();
  }
}

/** What each subscription has sent that is not taken yet. Who does not take holds up nobody else, and fills no memory. */
interface Window {
  room(id: Request['id'], signal: AbortSignal): Promise<void>;
  sent(id: Request['id'], chars: number): void;
  taken(id: Request['id'], count: number): void;
  forget(id: Request['id']): void;
}

function createWindow(): Window {
  const open = new Map<Request['id'], { readonly sizes: number[]; chars: number; wake: () => void }>();
  const of = (id: Request['id']) => {
    const known = open.get(id) ?? { sizes: [], chars: 0, wake: () => undefined };
    open.set(id, known);
    return known;
  };
  return {
    async room(id, signal) {
      const each = of(id);
      while (each.chars >= WINDOW_CHARS && !signal.aborted) {
        await new Promise<void>((resolve) => {
          each.wake = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    },
    sent(id, chars) {
      const each = of(id);
      each.sizes.push(chars);
      each.chars += chars;
    },
    taken(id, count) {
      const each = open.get(id);
      if (!each) return;
      for (const chars of each.sizes.splice(0, count)) each.chars -= chars;
      each.wake();
    },
    forget: (id) => void open.delete(id),
  };
}

function readRequest(
  line: string,
):
  | Request
  | { readonly taken: z.infer<typeof takenSchema>['params'] }
  | { readonly error: { code: number; message: string } } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { error: { code: RPC.parse, message: 'This is no JSON.' } };
  }
  const taken = takenSchema.safeParse(value);
  if (taken.success) return { taken: taken.data.params };
  const read = requestSchema.safeParse(value);
  return read.success ? read.data : { error: { code: RPC.invalid, message: 'This is no request.' } };
}

async function answer(
  { id, method: name, params }: Request,
  methods: Methods,
  send: (reply: Reply) => Promise<void>,
  signal: AbortSignal,
  onTrouble: (error: unknown) => void,
  window: Window,
): Promise<void> {
  const method = Object.hasOwn(methods, name) ? methods[name]! : undefined;
  if (!method)
    return send({ jsonrpc: '2.0', id, error: { code: RPC.unknown, message: `There is no method ${name}.` } });
  try {
    // Within the try: what is nested beyond all measure ends here too, and is answered.
    const read = method.params.safeParse(params ?? {});
    if (!read.success) {
      const { code, message, remedy = '' } = refusalOf(read.error);
      return await send({ jsonrpc: '2.0', id, error: { code: RPC.params, message, data: { code, remedy } } });
    }
    if (method.stream) {
      for await (const item of method.stream(read.data as never, signal)) {
        await window.room(id, signal);
        if (signal.aborted) return;
        const reply = { jsonrpc: '2.0', method: 'item', params: { subscription: id, item } } as const;
        window.sent(id, toLine(reply).length);
        await send(reply);
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
