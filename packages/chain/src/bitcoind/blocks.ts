import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError, fromHex } from '@keepwatch/base';
import { consensusOf, readBlock, toInternal, type Block, type BlockHash, type Network } from '@keepwatch/bitcoin';
import type { BlockRef } from '../source.ts';
import { rpcErrorCode, type NodeRpc } from './rpc.ts';

/** A header as `getblockheader` tells it. `confirmations` is −1 for a block that is not in the active chain. */
export interface NodeHeader {
  readonly hash: BlockHash;
  readonly height: number;
  readonly time: number;
  readonly mediantime: number;
  readonly confirmations: number;
  readonly previousblockhash?: BlockHash;
}

/** bitcoind's RPC_INVALID_ADDRESS_OR_KEY: it knows no such block. RPC_INVALID_PARAMETER: no such height. */
const NOT_FOUND = -5;
const NO_SUCH_HEIGHT = -8;
/** RPC_MISC_ERROR: among others a block that was pruned. */
const MISC = -1;

export interface NodeBlocks {
  best(): Promise<NodeHeader>;
  bestHash(): Promise<BlockHash>;
  /** `undefined` where the node has never heard of it. */
  header(hash: BlockHash): Promise<NodeHeader | undefined>;
  headersFrom(height: number, count: number): Promise<readonly NodeHeader[]>;
  /** Below this height a pruned node has no blocks any more; 0 for one that keeps all. */
  lowestKept(): Promise<number>;
  /**
   * The bytes as the node gives them, unchecked; over what `allocate` gave where they come by REST. Throws `block_pruned`
   * where the node no longer has them.
   */
  raw(hash: BlockHash, allocate?: (byteLength: number) => ArrayBufferLike): Promise<Uint8Array>;
  /**
   * Checked against its header; a pruned node is told to fetch it anew from a peer of its own. Throws `block_pruned` where
   * that brings nothing, `block_differs` where it is another one.
   */
  block(ref: BlockRef): Promise<Block>;
}

/** How long a pruned node may take to fetch one block from one of its peers, ms, and between two looks whether it has. */
const REFETCH_MS = 30_000;
const LOOK_MS = 250;
/** NODE_NETWORK: the peer says that it keeps all blocks. */
const KEEPS_ALL = 'NETWORK';

export function createNodeBlocks(rpc: NodeRpc, network: Network): NodeBlocks {
  const params = consensusOf(network);
  const header = (hash: string) => rpc.call<NodeHeader>('getblockheader', [hash]);

  async function raw(hash: BlockHash, allocate?: (byteLength: number) => ArrayBufferLike): Promise<Uint8Array> {
    const bytes = await rpc.rest(`/rest/block/${hash}.bin`, allocate);
    if (bytes) return bytes;
    try {
      return fromHex(await rpc.call<string>('getblock', [hash, 0])) ?? new Uint8Array(0);
    } catch (error) {
      if (rpcErrorCode(error) !== MISC) throw error;
      throw new CodedError('block_pruned', `The node no longer has block ${hash}.`, {
        cause: error,
        remedy: 'Scan with a node that keeps all blocks, or with the light client.',
      });
    }
  }

  /** `getblockfrompeer` (Bitcoin Core 23 and later) says at once whether it asked, and nothing of the answer. */
  async function refetch(hash: BlockHash, gone: unknown): Promise<Uint8Array> {
    const peers = await rpc.call<readonly { id: number; servicesnames?: readonly string[] }[]>('getpeerinfo');
    for (const { id } of peers.filter(({ servicesnames }) => servicesnames?.includes(KEEPS_ALL))) {
      try {
        await rpc.call('getblockfrompeer', [hash, id]);
      } catch (error) {
        if (rpcErrorCode(error) === undefined) throw error;
        continue;
      }
      for (let waited = 0; waited < REFETCH_MS; waited += LOOK_MS) {
        await sleep(LOOK_MS);
        const bytes = await raw(hash).catch(onlyPruned);
        if (bytes) return bytes;
      }
    }
    throw gone;
  }

  const bestHash = () => rpc.call<BlockHash>('getbestblockhash');

  return {
    raw,
    bestHash,
    best: async () => header(await bestHash()),
    async header(hash) {
      try {
        return await header(hash);
      } catch (error) {
        if (rpcErrorCode(error) === NOT_FOUND) return undefined;
        throw error;
      }
    },
    async headersFrom(height, count) {
      const heights = Array.from({ length: count }, (_, i) => height + i);
      try {
        const hashes = await rpc.batch<string>(heights.map((each) => ['getblockhash', [each]]));
        return await rpc.batch<NodeHeader>(hashes.map((hash) => ['getblockheader', [hash]]));
      } catch (error) {
        // The chain became shorter between two questions.
        if (rpcErrorCode(error) === NO_SUCH_HEIGHT) return [];
        throw error;
      }
    },
    async lowestKept() {
      const { pruned, pruneheight } = await rpc.call<{ pruned: boolean; pruneheight?: number }>('getblockchaininfo');
      return pruned ? (pruneheight ?? 0) : 0;
    },
    async block({ hash, height }) {
      const bytes = await raw(hash).catch((error: unknown) => {
        onlyPruned(error);
        return refetch(hash, error);
      });
      const read = readBlock(bytes, { hash: toInternal(hash)!, height, params });
      if (read.ok) return read.value;
      throw differs(hash, read.error);
    },
  };
}

function onlyPruned(error: unknown): undefined {
  if (!(error instanceof CodedError) || error.code !== 'block_pruned') throw error;
  return undefined;
}

export function differs(hash: BlockHash, reason: string): CodedError {
  return new CodedError('block_differs', `The node's block ${hash} is not what its header commits to.`, {
    details: { reason },
  });
}

export const refOf = ({ hash, height, time }: NodeHeader): BlockRef => ({ hash, height, timeSeconds: time });

/** What has to be taken back and then added to get from one's own chain to the node's. Oldest first. */
export interface Path {
  readonly back: readonly BlockRef[];
  readonly fork: BlockRef;
  /** The next blocks behind the fork; at most `limit`, so there may be more. */
  readonly forth: readonly BlockRef[];
}

/**
 * The way from `own` (oldest first, never empty) to the node's best chain. Where nothing of it is in the node's chain,
 * the way back leads on over what the node knows of abandoned branches. Throws `cursor_unknown` where it knows nothing.
 */
export async function pathToBest(blocks: NodeBlocks, own: readonly BlockRef[], limit: number): Promise<Path> {
  const back: BlockRef[] = [];
  let at = own.length - 1;
  let header = await blocks.header(own[at]!.hash);
  while (header === undefined || header.confirmations < 0) {
    const gone: BlockRef | undefined = own[at] ?? (header && refOf(header));
    if (!gone || (at < 0 && header?.previousblockhash === undefined)) {
      throw new CodedError('cursor_unknown', 'The node knows none of the blocks that were seen last.', {
        remedy: 'Check that the node is on the right network and in sync, or begin anew at a height.',
      });
    }
    back.unshift(gone);
    at--;
    const before = at >= 0 ? own[at]!.hash : header?.previousblockhash;
    header = before === undefined ? undefined : await blocks.header(before);
  }
  const fork = refOf(header);
  const forth = await blocks.headersFrom(fork.height + 1, Math.min(limit, (await blocks.best()).height - fork.height));
  return { back, fork, forth: linked(fork, forth).map(refOf) };
}

/** The headers up to the first that does not follow: the node switched branches while it was asked. */
function linked(fork: BlockRef, headers: readonly NodeHeader[]): readonly NodeHeader[] {
  let before = fork.hash;
  const end = headers.findIndex((header) => {
    const follows = header.previousblockhash === before;
    before = header.hash;
    return !follows;
  });
  return end < 0 ? headers : headers.slice(0, end);
}
