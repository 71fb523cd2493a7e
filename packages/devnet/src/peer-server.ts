import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { InternalHash, Network } from '@keepwatch/bitcoin';
import {
  CFCHECKPT_INTERVAL,
  decodeMessage,
  encodePayload,
  encodeV1Frame,
  MAX_CFHEADERS,
  MAX_CFILTERS,
  MAX_HEADERS,
  networkMagic,
  PROTOCOL_VERSION,
  SERVICES,
  type InvItem,
  type NetAddress,
  type PeerMessage,
} from '@keepwatch/bitcoin/p2p';
import { readV1Frames } from './v1-frames.ts';

/** What a node serves of its chain. Heights count from genesis; hashes are in internal order. */
export interface ServedChain {
  /** The highest that it shows. */
  height(): number;
  /** In its best chain, as far as it is shown or hidden; `undefined`: not there. */
  heightOf(hash: InternalHash): number | undefined;
  hashAt(height: number): InternalHash;
  /** The headers of `from` up to and with `to`, 80 bytes each. */
  headers(from: number, to: number): Uint8Array;
  block(hash: InternalHash): Uint8Array | undefined;
  /** What waits for a block, by its id or its witness id. */
  transaction(hash: InternalHash): Uint8Array | undefined;
  /** BIP158; `undefined`: it serves none. */
  readonly filters?: {
    at(height: number): Uint8Array;
    hashAt(height: number): InternalHash;
    /** Of −1: 32 zeros (BIP157). */
    headerAt(height: number): InternalHash;
  };
  /** Peers that it knows. */
  readonly addresses?: readonly NetAddress[];
  /** A peer brought a transaction. */
  offered?(raw: Uint8Array): void;
}

/** A node that others connect to: the first transport, on loopback, as many connections as come. */
export interface PeerServer {
  readonly port: number;
  /** Connections that it had so far. */
  connections(): number;
  /** The chain has these blocks now, the oldest first: by headers to who asked for that (BIP130), else by the last hash. */
  announceBlocks(hashes: readonly InternalHash[]): void;
  announceTransaction(ids: { readonly txid: InternalHash; readonly wtxid: InternalHash }): void;
  stop(): Promise<void>;
}

interface Connection {
  readonly send: (message: PeerMessage) => void;
  /** BIP130, BIP339. */
  sendHeaders: boolean;
  wtxidRelay: boolean;
  ready: boolean;
}

export async function startPeerServer(network: Network, chain: ServedChain, userAgent: string): Promise<PeerServer> {
  const magic = networkMagic(network);
  const sockets = new Map<Socket, Connection>();
  let connections = 0;

  const server = createServer((socket) => {
    connections++;
    const send = (message: PeerMessage) =>
      void socket.write(encodeV1Frame(magic, message.kind, encodePayload(message)));
    const connection = { send, sendHeaders: false, wtxidRelay: false, ready: false };
    sockets.set(socket, connection);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    readV1Frames(socket, magic, (command, payload) => {
      const read = decodeMessage(command, payload);
      if (read.ok) hear(connection, read.value);
      else if (read.error === 'message_malformed') socket.destroy();
    });
  });

  function hear(connection: Connection, message: PeerMessage): void {
    const { send } = connection;
    switch (message.kind) {
      case 'version': {
        const services = SERVICES.network | SERVICES.witness | (chain.filters ? SERVICES.compactFilters : 0n);
        const { timeSeconds } = message;
        send({
          ...{ kind: 'version', protocol: PROTOCOL_VERSION, services, timeSeconds, nonce: 1n, userAgent },
          ...{ height: chain.height(), relay: true },
        });
        if (message.protocol >= PROTOCOL_VERSION) send({ kind: 'wtxidrelay' });
        return send({ kind: 'verack' });
      }
      case 'verack':
        connection.ready = true;
        return;
      case 'wtxidrelay':
        connection.wtxidRelay = true;
        return;
      case 'sendheaders':
        connection.sendHeaders = true;
        return;
      case 'ping':
        return send({ kind: 'pong', nonce: message.nonce });
      case 'getaddr':
        return chain.addresses?.length ? send({ kind: 'addrv2', addresses: chain.addresses }) : undefined;
      case 'getheaders': {
        const known = message.locator.map((each) => chain.heightOf(each)).find((each) => each !== undefined) ?? 0;
        const to = Math.min(known + MAX_HEADERS, chain.height());
        return send({ kind: 'headers', headers: to > known ? chain.headers(known + 1, to) : new Uint8Array() });
      }
      case 'getdata':
        return give(message.items, send);
      case 'inv': {
        const items = message.items.filter(({ type, hash }) => type.endsWith('tx') && !chain.transaction(hash));
        const wanted = items.map(({ type, hash }): InvItem => ({ type: type === 'tx' ? 'witness-tx' : type, hash }));
        return chain.offered && wanted.length > 0 ? send({ kind: 'getdata', items: wanted }) : undefined;
      }
      case 'tx':
        return chain.offered?.(message.raw);
      case 'getcfheaders':
      case 'getcfcheckpt':
      case 'getcfilters':
        return chain.filters && giveFilters(message, chain.filters, send);
      default:
        return;
    }
  }

  function give(items: readonly InvItem[], send: Connection['send']): void {
    const missing: InvItem[] = [];
    for (const item of items) {
      const isBlock = item.type.endsWith('block');
      const raw = isBlock ? chain.block(item.hash) : chain.transaction(item.hash);
      if (raw) send({ kind: isBlock ? 'block' : 'tx', raw });
      // Of a block that it lacks, a node says nothing.
      else if (!isBlock) missing.push(item);
    }
    if (missing.length > 0) send({ kind: 'notfound', items: missing });
  }

  function giveFilters(
    message: Extract<PeerMessage, { kind: 'getcfheaders' | 'getcfcheckpt' | 'getcfilters' }>,
    filters: NonNullable<ServedChain['filters']>,
    send: Connection['send'],
  ): void {
    const { stop } = message;
    const top = chain.heightOf(stop);
    if (top === undefined) return;
    if (message.kind === 'getcfcheckpt') {
      const count = Math.floor(top / CFCHECKPT_INTERVAL);
      const heights = Array.from({ length: count }, (_, i) => (i + 1) * CFCHECKPT_INTERVAL);
      return send({ kind: 'cfcheckpt', stop, headers: heights.map(filters.headerAt) });
    }
    const { startHeight: start } = message;
    const most = message.kind === 'getcfilters' ? MAX_CFILTERS : MAX_CFHEADERS;
    // BIP157: such a question is none.
    if (start > top || top - start >= most) return;
    const heights = Array.from({ length: top - start + 1 }, (_, i) => start + i);
    if (message.kind === 'getcfilters') {
      for (const height of heights) {
        send({ kind: 'cfilter', block: chain.hashAt(height), filter: filters.at(height) });
      }
      return;
    }
    const filterHashes = heights.map(filters.hashAt);
    send({ kind: 'cfheaders', stop, previous: filters.headerAt(start - 1), filterHashes });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ready = () => [...sockets.values()].filter((each) => each.ready);
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    announceBlocks(hashes) {
      const last = hashes.at(-1);
      if (!last) return;
      const to = chain.heightOf(last)!;
      const headers = chain.headers(to - hashes.length + 1, to);
      for (const { send, sendHeaders } of ready()) {
        send(sendHeaders ? { kind: 'headers', headers } : { kind: 'inv', items: [{ type: 'block', hash: last }] });
      }
    },
    announceTransaction({ txid, wtxid }) {
      for (const { send, wtxidRelay } of ready()) {
        send({ kind: 'inv', items: [wtxidRelay ? { type: 'wtx', hash: wtxid } : { type: 'tx', hash: txid }] });
      }
    },
    async stop() {
      for (const socket of sockets.keys()) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
