import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { consensusOf } from '@keepwatch/bitcoin';
import {
  decodeMessage,
  encodePayload,
  encodeV1Frame,
  networkMagic,
  PROTOCOL_VERSION,
  readV1Head,
  SERVICES,
  V1_HEAD_BYTES,
  type PeerMessage,
} from '@keepwatch/bitcoin/p2p';

const HEADER_BYTES = 80;
const AT_ONCE = 2_000;

/** A chain of `count` regtest headers on top of genesis, each with its work: 80 bytes each, ten minutes apart. */
export function generateHeaders(count: number): Uint8Array {
  const params = consensusOf('regtest');
  const headers = Buffer.alloc(count * HEADER_BYTES);
  const header = Buffer.alloc(HEADER_BYTES);
  let previous = hashOf(params.genesis);
  const start = Buffer.from(params.genesis).readUInt32LE(68);
  for (let i = 0; i < count; i++) {
    header.writeInt32LE(4, 0);
    header.set(previous, 4);
    header.writeUInt32LE(i, 36);
    header.writeUInt32LE(start + (i + 1) * 500, 68);
    header.writeUInt32LE(params.powLimitBits, 72);
    for (let nonce = 0; ; nonce++) {
      header.writeUInt32LE(nonce, 76);
      previous = hashOf(header);
      // regtest's target: the highest bit is not set.
      if (previous[31]! < 0x7f) break;
    }
    headers.set(header, i * HEADER_BYTES);
  }
  return headers;
}

/** A node that has headers and nothing else. */
export async function startHeaderPeer(headers: Uint8Array): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const magic = networkMagic('regtest');
  const heights = new Map<string, number>([[hex(hashOf(consensusOf('regtest').genesis)), 0]]);
  const count = headers.length / HEADER_BYTES;
  for (let i = 0; i < count; i++)
    heights.set(hex(hashOf(headers.subarray(i * HEADER_BYTES, (i + 1) * HEADER_BYTES))), i + 1);
  const sockets = new Set<Socket>();

  const server = createServer((socket) => {
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
    if (message.kind === 'version') {
      const services = SERVICES.network | SERVICES.witness;
      send({ ...message, protocol: PROTOCOL_VERSION, services, nonce: 1n, userAgent: '/headers/', height: count });
      send({ kind: 'verack' });
    } else if (message.kind === 'getheaders') {
      const known = message.locator.map((hash) => heights.get(hex(hash))).find((height) => height !== undefined) ?? 0;
      send({ kind: 'headers', headers: headers.subarray(known * HEADER_BYTES, (known + AT_ONCE) * HEADER_BYTES) });
    } else if (message.kind === 'ping') send({ kind: 'pong', nonce: message.nonce });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(createHash('sha256').update(bytes).digest()).digest();
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
