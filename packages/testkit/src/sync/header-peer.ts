import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { consensusOf, filterHash, filterHeadersFrom, type InternalHash } from '@keepwatch/bitcoin';
import {
  CFCHECKPT_INTERVAL,
  decodeMessage,
  encodePayload,
  encodeV1Frame,
  networkMagic,
  PROTOCOL_VERSION,
  readV1Head,
  SERVICES,
  V1_HEAD_BYTES,
  type NetAddress,
  type PeerMessage,
} from '@keepwatch/bitcoin/p2p';
import { doubleHash, generatedBlock, HEADER_BYTES } from './generated-chain.ts';

const AT_ONCE = 2_000;

export interface HeaderPeer {
  readonly port: number;
  /** Connections that it had so far. */
  connections(): number;
  stop(): Promise<void>;
}

export interface HeaderPeerOptions {
  /** It serves filters too, the same one for each block: what matches depends on the block nevertheless, its key. */
  readonly filter?: Uint8Array;
  /** What it answers who asks for addresses. */
  readonly addresses?: readonly NetAddress[];
}

/** A node that has the generated chain of these headers. */
export async function startHeaderPeer(headers: Uint8Array, options: HeaderPeerOptions = {}): Promise<HeaderPeer> {
  const { filter, addresses = [] } = options;
  let connections = 0;
  const magic = networkMagic('regtest');
  const hashes: InternalHash[] = [doubleHash(consensusOf('regtest').genesis) as unknown as InternalHash];
  const count = headers.length / HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    hashes.push(doubleHash(headers.subarray(i * HEADER_BYTES, (i + 1) * HEADER_BYTES)) as unknown as InternalHash);
  }
  const heights = new Map(hashes.map((each, height) => [hex(each), height]));
  const oneHash = filter && filterHash(filter);
  const before = new Uint8Array(32) as InternalHash;
  const filterHeaders = oneHash ? filterHeadersFrom(before, new Array<InternalHash>(count + 1).fill(oneHash)) : [];
  const sockets = new Set<Socket>();

  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    const send = (message: PeerMessage) => socket.write(encodeV1Frame(magic, message.kind, encodePayload(message)));
    let held = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      while (held.length >= V1_HEAD_BYTES) {
        const head = readV1Head(held, magic);
        if (!head.ok) return void socket.destroy();
        const end = V1_HEAD_BYTES + head.value.length;
        if (held.length < end) return;
        const read = decodeMessage(head.value.command, new Uint8Array(held.subarray(V1_HEAD_BYTES, end)));
        held = held.subarray(end);
        if (read.ok) answer(read.value, send);
      }
    });
  });

  function answer(message: PeerMessage, send: (message: PeerMessage) => void): void {
    switch (message.kind) {
      case 'version': {
        const services = SERVICES.network | SERVICES.witness | (filter ? SERVICES.compactFilters : 0n);
        send({ ...message, protocol: PROTOCOL_VERSION, services, nonce: 1n, userAgent: '/headers/', height: count });
        return send({ kind: 'verack' });
      }
      case 'getheaders': {
        const known = message.locator.map((each) => heights.get(hex(each))).find((height) => height !== undefined) ?? 0;
        const from = known * HEADER_BYTES;
        return send({ kind: 'headers', headers: headers.subarray(from, from + AT_ONCE * HEADER_BYTES) });
      }
      case 'getdata':
        for (const { hash } of message.items) {
          const height = heights.get(hex(hash));
          if (height) send({ kind: 'block', raw: generatedBlock(headers, height) });
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
        if (stop !== undefined && filter && oneHash) answerFilters(message, stop, filter, oneHash, send);
        return;
      }
      default:
        return;
    }
  }

  function answerFilters(
    message: Extract<PeerMessage, { kind: 'getcfheaders' | 'getcfcheckpt' | 'getcfilters' }>,
    top: number,
    bytes: Uint8Array,
    hash: InternalHash,
    send: (message: PeerMessage) => void,
  ): void {
    const { stop } = message;
    if (message.kind === 'getcfcheckpt') {
      const each = Array.from({ length: Math.floor(top / CFCHECKPT_INTERVAL) }, (_, i) => (i + 1) * CFCHECKPT_INTERVAL);
      return send({ kind: 'cfcheckpt', stop, headers: each.map((height) => filterHeaders[height]!) });
    }
    const start = message.startHeight;
    if (message.kind === 'getcfilters') {
      for (let height = start; height <= top; height++)
        send({ kind: 'cfilter', block: hashes[height]!, filter: bytes });
      return;
    }
    const previous = filterHeaders[start - 1] ?? before;
    send({ kind: 'cfheaders', stop, previous, filterHashes: new Array<InternalHash>(top - start + 1).fill(hash) });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
