import type { Agent, MessageEvent, WebSocket } from 'undici';
import { createAgent } from '../agent.ts';
import type { EvmEndpoint } from '../rpc.ts';
import { pause } from '../upstream.ts';
import { object, quantity } from '../words.ts';

/** The transactions that reach the pool of one upstream, over a WebSocket. */
export interface PendingStream {
  isOpen(): boolean;
  run(signal: AbortSignal): Promise<void>;
}

export interface PendingStreamDeps {
  readonly endpoint: EvmEndpoint & { readonly websocket: string };
  readonly chainId: bigint;
  /** The longest rest after failures. */
  readonly restMs: number;
  /** Told each transaction as it was given. Whatever it throws is the upstream's fault. */
  readonly hear: (transaction: unknown) => void;
}

const CONNECT_MS = 20_000;
const FIRST_REST_MS = 1_000;
/** A chain without any transaction for so long is asked whether it is still there; and is left after as long again. */
const QUIET_MS = 30_000;
/** One that does not have such a stream is asked again after so long. */
const LACK_MS = 600_000;
/** More than any chain sends; what is beyond it costs us more than it is worth. */
const MAX_BYTES_A_SECOND = 16 * 1024 * 1024;

const CHAIN_ID = 1;
const SUBSCRIBE = 2;

export function createPendingStream({ endpoint, chainId, restMs, hear }: PendingStreamDeps): PendingStream {
  let open = false;

  /** Until the connection ends. Gives back whether it lacks what is asked for. */
  async function session(agent: Agent, signal: AbortSignal): Promise<boolean> {
    const undici = await import('undici');
    if (signal.aborted) return false;
    const socket: WebSocket = new undici.WebSocket(endpoint.websocket, { dispatcher: agent });
    const { promise: ended, resolve: end } = Promise.withResolvers<boolean>();
    let heardMs = performance.now();
    let bytes = 0;
    let since = heardMs;
    const ask = (id: number, method: string, params: readonly unknown[]) =>
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    const watchdog = setInterval(() => {
      const quietMs = performance.now() - heardMs;
      if (quietMs > 2 * QUIET_MS) end(false);
      else if (quietMs > QUIET_MS && open) ask(CHAIN_ID, 'eth_chainId', []);
    }, QUIET_MS / 3);
    const stopped = () => end(false);
    signal.addEventListener('abort', stopped, { once: true });
    socket.addEventListener('open', () => {
      ask(CHAIN_ID, 'eth_chainId', []);
      // The second parameter has geth, erigon, reth and others send whole transactions, and not their hashes alone.
      ask(SUBSCRIBE, 'eth_subscribe', ['newPendingTransactions', true]);
    });
    socket.addEventListener('error', () => end(false));
    socket.addEventListener('close', () => end(false));
    socket.addEventListener('message', ({ data }: MessageEvent) => {
      heardMs = performance.now();
      if (heardMs - since > 1_000) [since, bytes] = [heardMs, 0];
      bytes += typeof data === 'string' ? data.length : 0;
      if (typeof data !== 'string' || bytes > MAX_BYTES_A_SECOND) return end(false);
      try {
        const lacks = heard(object(JSON.parse(data)));
        if (lacks) end(true);
      } catch {
        end(false);
      }
    });
    try {
      return await ended;
    } finally {
      open = false;
      clearInterval(watchdog);
      signal.removeEventListener('abort', stopped);
      socket.close();
    }
  }

  /** Gives back whether it lacks what is asked for. */
  function heard(message: Readonly<Record<string, unknown>>): boolean {
    const { id, result, error, params } = message;
    if (id === CHAIN_ID) return quantity(result) !== chainId;
    if (id === SUBSCRIBE) {
      open = error === undefined;
      return !open;
    }
    if (params === undefined) return false;
    const { result: transaction } = object(params);
    // A hash alone: each of them would have to be asked for.
    if (typeof transaction === 'string') return true;
    hear(transaction);
    return false;
  }

  return {
    isOpen: () => open,
    async run(signal) {
      const agent = await createAgent(endpoint, CONNECT_MS);
      try {
        for (let rest = FIRST_REST_MS; !signal.aborted; rest = Math.min(restMs, rest * 2)) {
          const startMs = performance.now();
          const lacks = await session(agent, signal);
          if (performance.now() - startMs > restMs) rest = FIRST_REST_MS;
          await pause(lacks ? LACK_MS : rest, signal);
        }
      } finally {
        await agent.destroy();
      }
    },
  };
}
