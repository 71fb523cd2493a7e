import type { Entropy } from '@keepwatch/base';
import { createScanner } from '@keepwatch/bitcoin';
import type { ScanEvent, ScanRequest } from '../source.ts';
import { createScanPace } from '../scan-pace.ts';
import { refOf, type NodeBlocks } from './blocks.ts';
import type { NodeRpc } from './rpc.ts';

export interface ScanDeps {
  readonly blocks: NodeBlocks;
  readonly rpc: NodeRpc;
  readonly entropy: Entropy;
  readonly nowMs: () => number;
}

/** Blocks that are fetched ahead, while one is looked at. */
const AHEAD = 8;

/** Past blocks from a node, in order, each whole. Throws `block_pruned` where the node no longer has one. */
export async function* scanNode(
  { blocks, entropy, nowMs }: ScanDeps,
  { scripts, outpoints = [], from, to }: ScanRequest,
  signal: AbortSignal,
): AsyncGenerator<ScanEvent> {
  const scanner = createScanner({ entropy });
  scanner.addScripts(scripts);
  scanner.addOutpoints(outpoints);
  const end = Math.min(to ?? Infinity, (await blocks.best()).height);
  const pace = createScanPace(from, end, nowMs);
  for (let height = from; height <= end && !signal.aborted; height += AHEAD) {
    const refs = (await blocks.headersFrom(height, Math.min(AHEAD, end - height + 1))).map(refOf);
    for (const [i, block] of (await Promise.all(refs.map((ref) => blocks.block(ref)))).entries()) {
      const matches = scanner.scanBlock(block.layout, block.txids);
      if (matches.length > 0) yield { kind: 'match', block: refs[i]!, matches };
    }
    const progress = pace(Math.min(height + AHEAD - 1, end));
    if (progress) yield progress;
  }
}
