import type { Agent } from 'undici';
import { connectUpstream, type EvmConnection } from './connect.ts';

/** No message of a WebSocket is larger: a transaction has 128 KB at most where nodes pass it on. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Connections to one upstream, over its proxy and by its certificate. `withinMs`: to connect, and to answer. */
export async function createAgent(endpoint: EvmConnection, withinMs: number): Promise<Agent> {
  const undici = await import('undici');
  return new undici.Agent({
    ...{ connections: 8, headersTimeout: withinMs, bodyTimeout: withinMs },
    webSocket: { maxPayloadSize: MAX_MESSAGE_BYTES },
    connect: (to, done) => {
      connectUpstream(to, endpoint, withinMs).then(
        (socket) => done(null, socket),
        (error: unknown) => done(error as Error, null),
      );
    },
  });
}
