import type { CodedError } from '@keepwatch/base';
import { connectionError, openSession, type SessionOptions } from '@keepwatch/sdk';

import { z } from 'zod';
import { speak, type ApiClient } from '../api/client.ts';
import { toLine } from '../api/messages.ts';
import { createAssembler, framesOf } from './frames.ts';
import type { Right } from './rights.ts';
import { createTextQueue } from './text-queue.ts';

/** A monitor over a network: the same questions as by its socket. */
export interface RemoteMonitor extends ApiClient {
  readonly peer: string;
  readonly right: Right;
  readonly monitor: string;
}

const readySchema = z.object({
  method: z.literal('ready'),
  params: z.object({ peer: z.string(), right: z.enum(['operator', 'reader', 'candidate']), monitor: z.string() }),
});
/** More than a monitor sends before it waits for what was taken. */
const MAX_HELD_BYTES = 64 << 20;

/** Throws what opening a session throws: `peer_unknown`, `tls_pin_mismatch`, `connection_failed` and others. */
export async function connectMonitor(options: SessionOptions): Promise<RemoteMonitor> {
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
    ...ready.data.params,
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
