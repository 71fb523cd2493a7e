import { setTimeout } from 'node:timers/promises';
import { CodedError } from '@keepwatch/base';
import { atVersion, connectionError, openSession, signedCommand, type SessionOptions } from '@keepwatch/sdk';
import type { JsonObject } from '@keepwatch/wire';
import { z } from 'zod';
import { speak, type ApiClient } from '../api/client.ts';
import { isOrder, specOf } from '../api/contract.ts';
import { toLine } from '../api/messages.ts';
import type { Carried } from '../orders/order-desk.ts';
import { createAssembler, framesOf } from './frames.ts';
import type { Right } from './rights.ts';
import { createTextQueue } from './text-queue.ts';

/** A monitor over a network: the same questions as by its socket, and orders that it signs. */
export interface RemoteMonitor extends ApiClient {
  readonly peer: string;
  readonly right: Right;
  readonly monitor: string;
  /** By which this end knows it: it stands in the connection string, and was proved. */
  readonly identity: string;
  /**
   * Signs an order and has it carried out, once, whatever becomes of the connection: where that breaks before the answer, the
   * very same order is sent by another one, and answered as it was the first time. Throws `order_unanswered` where that
   * cannot be had. `call` of something that changes the monitor is this.
   */
  order(method: string, params: object, options?: OrderOptions): Promise<Carried>;
}

export interface OrderOptions {
  /** The version that the operator saw. Left out: the one of this moment, looked at again after a conflict. */
  readonly expects?: number | undefined;
}

export interface MonitorSessionOptions extends SessionOptions, OrderOptions {
  /** For how long an order whose answer got lost is sent again, ms. */
  readonly persistMs?: number;
}

const readySchema = z.object({
  method: z.literal('ready'),
  params: z.object({ peer: z.string(), right: z.enum(['operator', 'reader', 'candidate']), monitor: z.string() }),
});
const carriedSchema = z.object({ entry: z.int(), version: z.int(), value: z.unknown() });
const versionSchema = z.object({ version: z.int() });
/** How often an order is signed anew where somebody else was faster, and no version was named. */
const CONFLICTS = 5;
/** More than a monitor sends before it waits for what was taken. */
const MAX_HELD_BYTES = 64 << 20;

const PERSIST_MS = 30_000;
const PAUSE_MS = 300;
/** A connection that broke, or that cannot be had at the moment. */
const BROKEN: ReadonlySet<string> = new Set([
  ...['connection_failed', 'connection_timeout', 'connection_closed', 'connection_lost', 'connection_too_slow'],
  'keep_unavailable',
]);
const isBroken = (error: unknown) => error instanceof CodedError && BROKEN.has(error.code);

/** Throws what opening a session throws: `peer_unknown`, `tls_pin_mismatch`, `connection_failed` and others. */
export async function connectMonitor(options: MonitorSessionOptions): Promise<RemoteMonitor> {
  const { identity, persistMs = PERSIST_MS } = options;
  let live = await openLive(options);
  // What the operator saw is of the moment before the first order; the next one builds on that.
  let { expects } = options;

  async function send(jws: string): Promise<Carried> {
    const sent = performance.now();
    for (;;) {
      try {
        return carriedSchema.parse(await live.call('command', { jws }));
      } catch (error) {
        if (!isBroken(error)) throw error;
        await again(sent, error as CodedError);
      }
    }
  }

  /** Another session, as soon as there is one to be had. */
  async function again(sinceMs: number, why: CodedError): Promise<void> {
    for (;;) {
      if (performance.now() - sinceMs > persistMs) throw unanswered(why);
      await setTimeout(PAUSE_MS);
      try {
        const { connectionString, ...rest } = options;
        live = await openLive({ ...rest, connectionString: withoutToken(connectionString), wish: 'session' });
        return;
      } catch (error) {
        if (!isBroken(error)) throw error;
      }
    }
  }

  const version = async () => versionSchema.parse(await live.call('settings')).version;

  const order: RemoteMonitor['order'] = async (method, params, how = {}) => {
    const { id: vault } = live.about;
    // Only a change is compared: all else goes without looking first.
    const present = specOf(method)?.effect === 'changes' ? version : () => Promise.resolve(0);
    const carried = await atVersion(
      { retries: CONFLICTS, ...(how.expects === undefined ? {} : { expects: how.expects }) },
      present,
      async (expects) => send(await signedCommand(identity, { vault, method, params: plain(params), expects })),
    );
    if (expects !== undefined) expects = carried.version;
    return carried;
  };

  return {
    ...{ peer: live.about.peer, right: live.about.right, monitor: live.about.monitor },
    identity: live.about.id,
    order,
    async call(method, params = {}) {
      if (!isOrder(method)) return live.call(method, params);
      return (await order(method, params, { expects })).value;
    },
    subscribe: (method, params, signal) => live.subscribe(method, params, signal),
    close: () => live.close(),
  };
}

const withoutToken = (connectionString: string) => connectionString.replace(/&token=[^&]*/, '');
/** As it is read at the other end: without members that are undefined. */
const plain = (params: object) => JSON.parse(JSON.stringify(params)) as JsonObject;

const unanswered = (cause: CodedError) =>
  new CodedError('order_unanswered', 'The connection broke, and whether the order was carried out is not known.', {
    cause,
    remedy: 'Look with `keepwatch monitor journal` before you repeat it.',
    details: { why: cause.code },
  });

interface Live extends ApiClient {
  readonly about: { readonly id: string; readonly peer: string; readonly right: Right; readonly monitor: string };
}

async function openLive(options: SessionOptions): Promise<Live> {
  const opened = await openSession(options);
  const { channel, keep } = opened;
  const { session } = keep;
  const assemble = createAssembler();
  const queue = createTextQueue(MAX_HELD_BYTES);
  let why: CodedError | undefined;

  function take(frame: Uint8Array): void {
    const payload = session.open(frame);
    const text = payload.ok ? assemble(payload.value) : null;
    if (text === null || (text !== undefined && !queue.push(text))) end(connectionError('connection_lost'));
  }
  function end(error: CodedError): void {
    why ??= error;
    session.close();
    queue.close();
    channel.close();
  }
  void channel.ended.then((error) => end(error));

  const first = session.open(opened.first);
  const text = first.ok ? assemble(first.value) : null;
  const ready = typeof text === 'string' ? readySchema.safeParse(JSON.parse(text)) : undefined;
  if (!ready?.success) {
    channel.close();
    throw connectionError('handshake_unconfirmed');
  }
  await opened.confirm();
  channel.listen(take);
  return {
    about: { ...ready.data.params, id: opened.vault },
    ...speak({
      texts: queue.texts,
      write: (message) => {
        for (const frame of framesOf(session, toLine(message).trimEnd())) channel.send(frame);
      },
      isOpen: () => why === undefined,
      close: () => end(connectionError('connection_closed')),
      gone: () => why ?? connectionError('connection_lost'),
    }),
  };
}
