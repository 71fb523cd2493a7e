import { consensusOf, filterHash, filterHeadersFrom, type InternalHash, type Network } from '@keepwatch/bitcoin';
import type { NetAddress } from '@keepwatch/bitcoin/p2p';
import { startPeerServer } from '@keepwatch/devnet';
import { doubleHash, generatedBlock, HEADER_BYTES, type GeneratedBlocks } from './generated-chain.ts';

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
  const hashes: InternalHash[] = [doubleHash(consensusOf(network).genesis) as unknown as InternalHash];
  const count = headers.length / HEADER_BYTES;
  let shown = options.shown ?? count;
  for (let i = 0; i < count; i++) {
    hashes.push(doubleHash(headers.subarray(i * HEADER_BYTES, (i + 1) * HEADER_BYTES)) as unknown as InternalHash);
  }
  const heights = new Map(hashes.map((each, height) => [hex(each), height]));
  const before = new Uint8Array(32) as InternalHash;
  const filterAt = (height: number) => (typeof filter === 'function' ? filter(height) : filter!);
  const filterHashes =
    typeof filter === 'function'
      ? hashes.map((_, height) => filterHash(filter(height)))
      : filter
        ? new Array<InternalHash>(count + 1).fill(filterHash(filter))
        : [];
  const filterHeaders = filterHeadersFrom(before, filterHashes);

  const server = await startPeerServer(
    network,
    {
      addresses,
      height: () => shown,
      heightOf: (hash) => heights.get(hex(hash)),
      hashAt: (height) => hashes[height]!,
      headers: (from, to) => headers.subarray((from - 1) * HEADER_BYTES, to * HEADER_BYTES),
      block(hash) {
        const height = heights.get(hex(hash));
        return height ? generatedBlock(headers, height, options.blocks) : undefined;
      },
      transaction: () => undefined,
      ...(filter
        ? {
            filters: {
              at: filterAt,
              hashAt: (height: number) => filterHashes[height]!,
              headerAt: (height: number) => filterHeaders[height] ?? before,
            },
          }
        : {}),
    },
    '/headers/',
  );
  return {
    port: server.port,
    connections: server.connections,
    showAll: () => void (shown = count),
    stop: server.stop,
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
