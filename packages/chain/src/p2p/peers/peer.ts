import type { Socket } from 'node:net';
import { CodedError } from '@keepwatch/base';
import type { Network } from '@keepwatch/bitcoin';
import {
  decodeMessage,
  encodePayload,
  networkMagic,
  PROTOCOL_VERSION,
  type PeerMessage,
  type VersionMessage,
} from '@keepwatch/bitcoin/p2p';
import type { Transport } from '../transport/transport.ts';
import { createV1Transport } from '../transport/v1.ts';
import { createV2Transport } from '../transport/v2.ts';
import { dial, type DialOptions } from './dial.ts';
import { keyOf, type PeerAddress } from './peer-address.ts';

/** One connection to a node, from the handshake on. */
export interface Peer {
  readonly id: number;
  readonly address: PeerAddress;
  readonly transport: 'v1' | 'v2';
  readonly version: VersionMessage;
  /** BIP339: it announces and asks for transactions by wtxid. */
  readonly wtxidRelay: boolean;
  readonly connectedMs: number;
  /** The highest block of the best chain that it has shown to have; −1: none yet. What it claims is in `version`. */
  height: number;
  /** How long the last ping took, ms; null before the first one came back. */
  readonly latencyMs: number | null;
  /** Bytes received and sent. */
  readonly traffic: { received: number; sent: number };
  send(message: PeerMessage): void;
  /**
   * Sends a question and waits for what answers it. `take` looks at each message that comes: `undefined`, it is none of
   * the answer; `'more'`, it was a part; else the answer. Rejects with `peer_stalled` where nothing of it comes for
   * `timeoutMs`, and with `peer_gone` where the connection ends.
   */
  ask<T extends object>(
    question: PeerMessage,
    take: (message: PeerMessage) => T | 'more' | undefined,
    timeoutMs?: number,
  ): Promise<T>;
  /** Hears every message after the handshake. Gives the way to stop. */
  listen(listener: (message: PeerMessage) => void): () => void;
  /** Resolves with the reason when the connection has ended. */
  readonly gone: Promise<string>;
  leave(reason: string): void;
}

export interface PeerOptions extends DialOptions {
  readonly network: Network;
  readonly userAgent: string;
  readonly nowMs: () => number;
  readonly height: () => number;
  /** How long a question may go without any part of an answer, ms. */
  readonly answerMs: number;
  /** Between two pings, and how long a pong may take, ms. */
  readonly pingMs: number;
  /** Our own nonces: a node that shows one of them is we ourselves. */
  readonly nonces: Set<bigint>;
}

let ids = 0;

/** Connects, by BIP324 first where `transport` is `v2`; where that fails before it began, `peer_not_v2` is thrown. */
export async function connectPeer(address: PeerAddress, transport: 'v1' | 'v2', options: PeerOptions): Promise<Peer> {
  const socket = await dial(address, options);
  try {
    return await greet(socket, address, transport, options);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function greet(socket: Socket, address: PeerAddress, kind: 'v1' | 'v2', options: PeerOptions): Promise<Peer> {
  const magic = networkMagic(options.network);
  const { entropy } = options;
  const transport: Transport =
    kind === 'v1' ? createV1Transport(magic) : createV2Transport({ magic, initiating: true, entropy });
  const listeners = new Set<(message: PeerMessage) => void>();
  /** What open questions do when the connection ends. (On a promise they and their answers would stay till then.) */
  const endings = new Set<(code: string) => void>();
  const traffic = { received: 0, sent: 0 };
  const nonce = new DataView(Uint8Array.from(entropy(8)).buffer).getBigUint64(0);
  options.nonces.add(nonce);
  let version: VersionMessage | undefined;
  let wtxidRelay = false;
  let peer: Peer | undefined;
  let reason: string | undefined;
  let latencyMs: number | null = null;
  let pinged: { readonly nonce: bigint; readonly atMs: number } | undefined;

  return new Promise<Peer>((resolve, reject) => {
    const { promise: gone, resolve: tellGone } = Promise.withResolvers<string>();
    const greeting = setTimeout(() => leave('peer_stalled'), options.timeoutMs);
    const pinging = setInterval(ping, options.pingMs).unref();

    function leave(why: string): void {
      if (reason !== undefined) return;
      reason = why;
      clearTimeout(greeting);
      clearInterval(pinging);
      options.nonces.delete(nonce);
      socket.destroy();
      listeners.clear();
      for (const end of [...endings]) end('peer_gone');
      tellGone(why);
      if (peer === undefined) reject(new CodedError(why, `No connection to ${keyOf(address)}.`));
    }

    function write(bytes: Uint8Array): void {
      if (reason !== undefined || bytes.length === 0) return;
      traffic.sent += bytes.length;
      socket.write(bytes);
    }
    const send = (message: PeerMessage) => {
      if (reason === undefined) write(transport.encode(message.kind, encodePayload(message)));
    };

    function ping(): void {
      if (pinged !== undefined && options.nowMs() - pinged.atMs > 2 * options.pingMs) return leave('peer_stalled');
      if (peer === undefined || pinged !== undefined) return;
      pinged = { nonce: new DataView(Uint8Array.from(entropy(8)).buffer).getBigUint64(0), atMs: options.nowMs() };
      send({ kind: 'ping', nonce: pinged.nonce });
    }

    function hello(): void {
      const timeSeconds = BigInt(Math.floor(options.nowMs() / 1_000));
      const { userAgent } = options;
      // No services: nobody should ask us for blocks. `relay`: we want to hear of transactions.
      send({
        kind: 'version',
        protocol: PROTOCOL_VERSION,
        services: 0n,
        timeSeconds,
        nonce,
        userAgent,
        height: options.height(),
        relay: true,
      });
    }

    function hear(command: string, payload: Uint8Array): void {
      if (reason !== undefined) return;
      const read = decodeMessage(command, payload);
      if (!read.ok) {
        if (read.error === 'message_malformed') leave('peer_message_malformed');
        return;
      }
      const message = read.value;
      if (peer !== undefined) return converse(message);
      switch (message.kind) {
        case 'version':
          if (version !== undefined) return leave('peer_out_of_order');
          if (options.nonces.has(message.nonce)) return leave('peer_is_self');
          // BIP37's relay and BIP130's sendheaders are older than this; BIP157 and what we need is not.
          if (message.protocol < 70_013) return leave('peer_too_old');
          version = message;
          // BIP155 and BIP339: between version and verack.
          if (message.protocol >= 70_016) send({ kind: 'wtxidrelay' });
          send({ kind: 'sendaddrv2' });
          return send({ kind: 'verack' });
        case 'wtxidrelay':
          wtxidRelay = true;
          return;
        case 'verack':
          if (version === undefined) return leave('peer_out_of_order');
          return welcome(version);
        default:
          // Others may come early; they mean nothing before the handshake.
          return;
      }
    }

    function welcome(theirs: VersionMessage): void {
      clearTimeout(greeting);
      peer = {
        id: ++ids,
        address,
        transport: transport.kind,
        version: theirs,
        wtxidRelay,
        connectedMs: options.nowMs(),
        height: -1,
        get latencyMs() {
          return latencyMs;
        },
        traffic,
        send,
        gone,
        leave,
        listen(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        ask(question, take, timeoutMs = options.answerMs) {
          if (reason !== undefined) return Promise.reject(new CodedError('peer_gone', `${keyOf(address)} is gone.`));
          return ask(peer!, endings, question, take, timeoutMs);
        },
      };
      ping();
      resolve(peer);
    }

    function converse(message: PeerMessage): void {
      if (message.kind === 'ping') return send({ kind: 'pong', nonce: message.nonce });
      if (message.kind === 'pong') {
        if (message.nonce !== pinged?.nonce) return;
        latencyMs = options.nowMs() - pinged.atMs;
        pinged = undefined;
        return;
      }
      if (message.kind === 'version' || message.kind === 'verack') return leave('peer_out_of_order');
      for (const listener of [...listeners]) listener(message);
    }

    let greeted = false;
    socket.on('data', (chunk: Buffer) => {
      traffic.received += chunk.length;
      const fault = transport.receive(chunk, { message: hear, send: write });
      if (fault !== undefined) return leave(fault === 'v2_is_v1' ? 'peer_not_v2' : fault);
      if (!greeted && kind === 'v2' && transport.ready()) {
        greeted = true;
        hello();
      }
    });
    // A node of the first transport closes on what it takes for nonsense: BIP324 asks to try again with that.
    const lost = () => leave(kind === 'v2' && !transport.ready() ? 'peer_not_v2' : 'peer_gone');
    socket.on('error', lost);
    socket.on('close', lost);
    write(transport.opening);
    if (kind === 'v1') hello();
  });
}

function ask<T extends object>(
  peer: Peer,
  endings: Set<(code: string) => void>,
  question: PeerMessage,
  take: (message: PeerMessage) => T | 'more' | undefined,
  timeoutMs: number,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const fail = (code: string) => {
      settle();
      reject(new CodedError(code, `${keyOf(peer.address)} did not answer ${question.kind}.`));
    };
    let timer = setTimeout(fail, timeoutMs, 'peer_stalled');
    const stop = peer.listen((message) => {
      const taken = take(message);
      if (taken === undefined) return;
      if (taken === 'more') {
        clearTimeout(timer);
        timer = setTimeout(fail, timeoutMs, 'peer_stalled');
        return;
      }
      settle();
      resolve(taken);
    });
    endings.add(fail);
    function settle(): void {
      endings.delete(fail);
      clearTimeout(timer);
      stop();
    }
    peer.send(question);
  });
}
