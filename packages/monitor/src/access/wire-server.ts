import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { duplexPair, type Duplex } from 'node:stream';
import { CodedError, fromBase64url, utf8 } from '@keepwatch/base';
import { createGate, type GateLimits, type GateLog } from '@keepwatch/gate';
import {
  CLOSE_CODES,
  createLinkDecoder,
  createLinkWriter,
  decodeLinkOpen,
  encodeLinkClose,
  formatConnectionString,
  type LinkFrame,
} from '@keepwatch/protocol';
import { wireCrypto } from '@keepwatch/sdk';
import { createKeepHandshake, type KeepHandshake, type Session } from '@keepwatch/wire';
import type { z } from 'zod';
import { converse, type Method, type Methods } from '../api/conversation.ts';
import { toLine, type Reply } from '../api/messages.ts';
import { commandSigned, peerSelf } from '../api/shapes.ts';
import type { Orders } from '../orders/order-desk.ts';
import type { MonitorStore } from '../store/store.ts';
import { createAssembler, framesOf, MAX_MESSAGE_BYTES } from './frames.ts';
import type { Peers } from './peers.ts';
import { methodsFor, type Right } from './rights.ts';
import { createTextQueue, type TextQueue } from './text-queue.ts';
import { showToken } from './token-file.ts';

/** The monitor's door to a network: the vault's edge and handshake, and within a session the methods of the socket. */
export interface WireServer {
  /** Where it is reached, and how it is known again. */
  address(): string;
  /** With the one-time token as long as there is no operator. */
  connection(): string;
  /** Live sessions. */
  sessions(): number;
  close(): Promise<void>;
}

export interface WireServerDeps {
  readonly store: MonitorStore;
  readonly peers: Peers;
  readonly orders: Orders;
  readonly methods: () => Methods;
  readonly log: (level: 'info' | 'warn' | 'error', words: string, details?: object) => void;
}

export interface WireServerOptions {
  readonly dataDir: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly limits?: Partial<GateLimits>;
}

interface Live {
  readonly peer: string;
  readonly session: Session;
  readonly queue: TextQueue;
  readonly assemble: ReturnType<typeof createAssembler>;
}
type Connection =
  | { readonly phase: 'hello' | 'proof'; readonly handshake: KeepHandshake; readonly crowd: string }
  | { readonly phase: 'joining' }
  | ({ readonly phase: 'live' } & Live);

/** Why somebody is sent away who did nothing wrong. */
const EXPECTED: ReadonlySet<string> = new Set(['peer_unknown', 'proposals_full']);
/** How long a challenge may be answered. */
const LIFETIME_MS = 30_000;
/** Sessions of one peer; the oldest makes room for the newest. */
const MAX_SESSIONS_OF_PEER = 16;
/** Requests of one session that are read and not yet looked at, in bytes. */
const MAX_QUEUED_BYTES = 4 << 20;

export async function serveWire(deps: WireServerDeps, options: WireServerOptions): Promise<WireServer> {
  const { store, peers, log } = deps;
  const dataDir = join(options.dataDir, 'wire');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const gate = await createGate(
    { log: logOfGate(log) },
    {
      dataDir,
      listen: options.listen,
      core: 'edge to the monitor',
      ...(options.limits ? { limits: options.limits } : {}),
    },
  );
  const [edge, ours] = duplexPair();
  const connections = new Map<number, Connection>();
  // Rises with each handshake; over a restart too, for a clock that goes forward. What makes a replay void are the fresh
  // keys of both ends: this only numbers challenges.
  let nonce = Date.now();

  const writer = createLinkWriter({
    write: (bytes) => void ours.write(bytes),
    schedule: (flush) => process.nextTick(flush),
  });
  const decoder = createLinkDecoder();
  ours.on('data', (chunk: Uint8Array) => {
    if (!decoder.push(chunk, hear).ok) log('error', 'the edge broke the protocol of its link');
  });

  function end(id: number, code: number, reason: string): void {
    if (!connections.has(id)) return;
    forget(id);
    writer.send('close', id, encodeLinkClose({ code, reason }));
  }

  function forget(id: number): void {
    const connection = connections.get(id);
    connections.delete(id);
    if (connection?.phase !== 'live') return;
    connection.session.close();
    connection.queue.close();
  }

  function hear({ type, connection: id, payload }: LinkFrame): void {
    switch (type) {
      case 'open':
        connections.set(id, { phase: 'hello', handshake: handshake(), crowd: decodeLinkOpen(payload)?.crowd ?? '' });
        return;
      case 'close':
        return forget(id);
      case 'data':
        return data(id, payload);
      default:
        return;
    }
  }

  const handshake = () =>
    createKeepHandshake(
      {
        crypto: wireCrypto,
        boot: store.boot,
        receiptPublicKey: store.receiptPublicKey,
        admit: peers.admit,
        advanceNonce: () => ++nonce,
      },
      { tlsPins: [fromBase64url(gate.tlsFingerprint())!], lifetimeMs: LIFETIME_MS },
    );

  function data(id: number, payload: Uint8Array): void {
    const connection = connections.get(id);
    if (!connection) return;
    switch (connection.phase) {
      case 'hello': {
        const challenge = connection.handshake.receiveHello(payload, Date.now());
        if (!challenge.ok) return end(id, CLOSE_CODES.refused, challenge.error.tell);
        connections.set(id, { ...connection, phase: 'proof' });
        return void writer.send('data', id, challenge.value);
      }
      case 'proof': {
        const accepted = connection.handshake.receiveProof(payload, Date.now());
        if (!accepted.ok) return end(id, CLOSE_CODES.refused, accepted.error.tell);
        connections.set(id, { phase: 'joining' });
        const { session } = accepted.value;
        peers.accept(accepted.value, connection.crowd).then(
          ({ peer, right }) => {
            leaveToken();
            if (connections.has(id)) begin(id, peer, right, session);
            else session.close();
          },
          (error: unknown) => {
            session.close();
            const code = error instanceof CodedError && EXPECTED.has(error.code) ? error.code : undefined;
            if (code === undefined) log('warn', 'a peer could not join', { error: String(error) });
            end(id, CLOSE_CODES.refused, code ?? 'internal_error');
          },
        );
        return;
      }
      case 'joining':
        // Nobody speaks before `ready`.
        return end(id, CLOSE_CODES.refused, 'handshake_malformed');
      case 'live': {
        const opened = connection.session.open(payload);
        if (!opened.ok) return end(id, CLOSE_CODES.refused, opened.error);
        const text = connection.assemble(opened.value);
        if (text === null) return end(id, CLOSE_CODES.refused, 'message_malformed');
        if (text !== undefined && !connection.queue.push(text)) end(id, CLOSE_CODES.rateLimited, 'rate_limited');
      }
    }
  }

  function begin(id: number, peer: string, right: Right, session: Session): void {
    const own = [...connections].filter(([, each]) => each.phase === 'live' && each.peer === peer);
    if (own.length >= MAX_SESSIONS_OF_PEER) end(own[0]![0], CLOSE_CODES.rateLimited, 'rate_limited');
    const queue = createTextQueue(MAX_QUEUED_BYTES);
    connections.set(id, { phase: 'live', peer, session, queue, assemble: createAssembler() });
    if (right !== 'candidate') writer.send('authenticated', id);
    const say = (message: object) => {
      for (const frame of framesOf(session, toLine(message).trimEnd())) writer.send('data', id, frame);
    };
    say({ jsonrpc: '2.0', method: 'ready', params: { peer, right, monitor: store.id } });
    void converse({
      texts: queue.texts,
      signal: queue.signal,
      methods: () => rightsOf(peer),
      onTrouble: (error) => log('error', 'a request failed', { error: String(error) }),
      async send(reply) {
        if (queue.signal.aborted) return;
        say(fitting(reply));
        // What the edge has not taken yet is held here and no further.
        if (ours.writableNeedDrain) await drained(ours, queue.signal);
      },
    }).catch((error: unknown) => {
      if (!queue.signal.aborted) log('warn', 'a session ended', { error: String(error) });
      end(id, CLOSE_CODES.refused, 'session_closed');
    });
  }

  /** By what holds now, and not by what held when the session began. */
  function rightsOf(peer: string): Methods {
    const right = peers.rightOf(peer);
    if (!right) return {};
    return methodsFor(right, { ...deps.methods(), 'peer.self': selfOf(peer), command: commandOf(peer) });
  }

  function selfOf(peer: string): Method {
    return {
      params: peerSelf,
      call({ name }: { readonly name?: string }) {
        if (name !== undefined) peers.call(peer, name);
        return Promise.resolve({ peer, right: peers.rightOf(peer) ?? null });
      },
    };
  }

  const commandOf = (peer: string): Method => ({
    params: commandSigned,
    call: ({ jws }: z.infer<typeof commandSigned>, signal) => deps.orders.byPeer(peer, jws, signal),
  });

  peers.onChange((peer) => {
    leaveToken();
    for (const [id, each] of [...connections]) {
      if (each.phase === 'live' && each.peer === peer) end(id, CLOSE_CODES.refused, 'peer_changed');
    }
  });
  gate.attachKeep(edge);

  let closed = false;
  const about = () => ({ ...gate.address, tls: gate.tlsFingerprint(), id: store.identity });
  const address = () => formatConnectionString(about());
  function connection(): string {
    const token = peers.token();
    return token === null ? address() : formatConnectionString({ ...about(), token });
  }

  /** The monitor watches on where it cannot write: its own user has the socket. */
  function leaveToken(): void {
    try {
      showToken(options.dataDir, closed || peers.token() === null ? null : connection());
    } catch (error) {
      log('warn', 'the file with the one-time token could not be written; `keepwatch monitor status` shows it', {
        error: String(error),
      });
    }
  }
  leaveToken();

  return {
    address,
    connection,
    sessions: () => [...connections.values()].filter(({ phase }) => phase === 'live').length,
    async close() {
      for (const id of [...connections.keys()]) end(id, CLOSE_CODES.goingAway, 'shutting down');
      await gate.close();
      ours.destroy();
      closed = true;
      leaveToken();
    },
  };
}

/** What is larger than a message may be is not sent: its caller is told so, and may ask for less. */
function fitting(reply: Reply): Reply {
  if (!('id' in reply) || utf8(toLine(reply)).length <= MAX_MESSAGE_BYTES) return reply;
  const data = { code: 'frame_too_large', remedy: 'Ask for less at once, or follow by a cursor.' };
  return { jsonrpc: '2.0', id: reply.id, error: { code: 1, message: 'The answer is too large.', data } };
}

function drained(stream: Duplex, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    stream.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function logOfGate(log: WireServerDeps['log']): GateLog {
  const at = (level: 'info' | 'warn' | 'error') => (details: object, words: string) => log(level, words, details);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
