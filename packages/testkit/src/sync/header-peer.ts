import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { consensusOf, filterHash, filterHeadersFrom, type InternalHash, type Network } from '@keepwatch/bitcoin';
import {
  CFCHECKPT_INTERVAL,
  decodeMessage,
  encodePayload,
  encodeV1Frame,
  networkMagic,
  PROTOCOL_VERSION,
  SERVICES,
  type NetAddress,
  type PeerMessage,
} from '@keepwatch/bitcoin/p2p';
import { readV1Frames } from '../v1-frames.ts';
import { doubleHash, generatedBlock, HEADER_BYTES, type GeneratedBlocks } from './generated-chain.ts';

const AT_ONCE = 2_000;

export interface HeaderPeer {
  readonly port: number;
  /** Connections that it had so far. */
  connections(): number;
  /** From now on it shows all headers to who asks, and tells nobody. */
  showAll(): void;
  stop(): Promise<void>;
}

export interface HeaderPeerOptions {
  /**
   * It serves filters too: the same one for each block (what matches depends on the block nevertheless, its key), or one
   * by height.
   */
  readonly filter?: Uint8Array | ((height: number) => Uint8Array);
  /** What its blocks hold, as the headers were generated. */
  readonly blocks?: GeneratedBlocks;
  /** Default: regtest. */
  readonly network?: Network;
  /** How many headers it shows at first. Default: all. */
  readonly shown?: number;
  /** What it answers who asks for addresses. */
  readonly addresses?: readonly NetAddress[];
}

/** A node that has the chain of these headers. */
export async function startHeaderPeer(headers: Uint8Array, options: HeaderPeerOptions = {}): Promise<HeaderPeer> {
  const { filter, addresses = [], network = 'regtest' } = options;
  let connections = 0;
  const magic = networkMagic(network);
  const hashes: InternalHash[] = [doubleHash(consensusOf(network).genesis) as unknown as InternalHash];
  const count = headers.length / HEADER_BYTES;
  let shown = options.shown ?? count;
  for (let i = 0; i < count; i++) {
    hashes.push(doubleHash(headers.subarray(i * HEADER_BYTES, (i + 1) * HEADER_BYTES)) as unknown as InternalHash);
  }
  const heights = new Map(hashes.map((each, height) => [hex(each), height]));
  const before = new Uint8Array(32) as InternalHash;
  const filterHashes =
    typeof filter === 'function'
      ? hashes.map((_, height) => filterHash(filter(height)))
      : filter
        ? new Array<InternalHash>(count + 1).fill(filterHash(filter))
        : [];
  const filterHeaders = filterHeadersFrom(before, filterHashes);
  const sockets = new Set<Socket>();

  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    const send = (message: PeerMessage) => socket.write(encodeV1Frame(magic, message.kind, encodePayload(message)));
    readV1Frames(socket, magic, (command, payload) => {
      const read = decodeMessage(command, payload);
      if (read.ok) answer(read.value, send);
    });
  });

  function answer(message: PeerMessage, send: (message: PeerMessage) => void): void {
    switch (message.kind) {
      case 'version': {
        const services = SERVICES.network | SERVICES.witness | (filter ? SERVICES.compactFilters : 0n);
        send({ ...message, protocol: PROTOCOL_VERSION, services, nonce: 1n, userAgent: '/headers/', height: shown });
        return send({ kind: 'verack' });
      }
      case 'getheaders': {
        const known = message.locator.map((each) => heights.get(hex(each))).find((height) => height !== undefined) ?? 0;
        const from = known * HEADER_BYTES;
        const to = Math.max(from, Math.min(from + AT_ONCE * HEADER_BYTES, shown * HEADER_BYTES));
        return send({ kind: 'headers', headers: headers.subarray(from, to) });
      }
      case 'getdata':
        for (const { hash } of message.items) {
          const height = heights.get(hex(hash));
          if (height) send({ kind: 'block', raw: generatedBlock(headers, height, options.blocks) });
        }
        return;
      case 'getaddr':
        return addresses.length > 0 ? send({ kind: 'addrv2', addresses }) : undefined;
      case 'ping':
        return send({ kind: 'pong', nonce: message.nonce });
      case 'getcfheaders':
      case 'getcfcheckpt':
      case 'getcfilters': {
        const stop = heights.get(hex(message.stop));
        if (stop !== undefined && filter) answerFilters(message, stop, filter, send);
        return;
      }
      default:
        return;
    }
  }

  function answerFilters(
    message: Extract<PeerMessage, { kind: 'getcfheaders' | 'getcfcheckpt' | 'getcfilters' }>,
    top: number,
    filter: NonNullable<HeaderPeerOptions['filter']>,
    send: (message: PeerMessage) => void,
  ): void {
    const { stop } = message;
    if (message.kind === 'getcfcheckpt') {
      const each = Array.from({ length: Math.floor(top / CFCHECKPT_INTERVAL) }, (_, i) => (i + 1) * CFCHECKPT_INTERVAL);
      return send({ kind: 'cfcheckpt', stop, headers: each.map((height) => filterHeaders[height]!) });
    }
    const start = message.startHeight;
    if (message.kind === 'getcfilters') {
      for (let height = start; height <= top; height++) {
        const bytes = typeof filter === 'function' ? filter(height) : filter;
        send({ kind: 'cfilter', block: hashes[height]!, filter: bytes });
      }
      return;
    }
    const previous = filterHeaders[start - 1] ?? before;
    send({ kind: 'cfheaders', stop, previous, filterHashes: filterHashes.slice(start, top + 1) });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    showAll: () => void (shown = count),
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
