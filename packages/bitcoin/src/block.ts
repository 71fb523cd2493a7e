import { concat, err, ok, type Result } from '@keepwatch/base';
import { compactSizeLength, readCompactSize } from './compact-size.ts';
import type { ConsensusParams } from './consensus.ts';
import type { InternalHash } from './hash.ts';
import { decodeHeader, headerHash } from './header.ts';
import { hasWitness, layoutBlock, scriptOf, type Layout, type LayoutErrorCode } from './layout.ts';
import { equalHash, merkleRoot, txids, wtxids } from './merkle.ts';
import { sha256d } from './sha256d.ts';
import { isSignedForSignet } from './signet.ts';

export type BlockErrorCode =
  | LayoutErrorCode
  /** Another block than the one that was asked for. */
  | 'block_hash'
  | 'merkle_root'
  /** CVE-2012-2459: the root is right, the list of transactions is not. */
  | 'merkle_mutated'
  /** BIP141. */
  | 'witness_commitment'
  | 'witness_unexpected'
  /** BIP325: nobody who may make blocks of this signet has signed it. */
  | 'signet_unsigned';

/** A block whose bytes belong to its header. */
export interface Block {
  readonly layout: Layout;
  readonly hash: InternalHash;
  /** Of all transactions, 32 bytes each, in block order. */
  readonly txids: Uint8Array;
}

/**
 * Reads a block and checks that each byte of it is what its header commits to: the transactions by the merkle root, the
 * witnesses by the commitment in the coinbase (BIP141). What a block of this hash says is then certain; that the hash has
 * its work and its place in the chain is what the header chain says. Scripts and amounts are not verified, but for the
 * signature of a block of signet (BIP325).
 *
 * `hash`: the block that was asked for. `height`: where it stands in the chain.
 */
export function readBlock(
  bytes: Uint8Array,
  expect: { readonly hash: InternalHash; readonly height: number; readonly params: ConsensusParams },
  reuse?: Layout,
): Result<Block, BlockErrorCode> {
  if (bytes.length >= 80 && !equalHash(expect.hash, headerHash(bytes))) return err('block_hash');
  const walked = layoutBlock(bytes, reuse);
  if (!walked.ok) return walked;
  const layout = walked.value;
  const ids = txids(layout);
  const { root, mutated } = merkleRoot(ids);
  if (!equalHash(root, decodeHeader(bytes)!.merkleRoot)) return err('merkle_root');
  if (mutated) return err('merkle_mutated');
  const fault = witnessFault(layout, expect.height >= expect.params.segwitHeight) ?? signetFault(layout, expect);
  return fault === undefined ? ok({ layout, hash: expect.hash, txids: ids }) : err(fault);
}

function signetFault(
  layout: Layout,
  { height, params }: { readonly height: number; readonly params: ConsensusParams },
): 'signet_unsigned' | undefined {
  // The first block is signed by nobody: it is known.
  if (params.signetChallenge === null || height === 0) return undefined;
  const output = commitmentOutput(layout);
  return output !== undefined && isSignedForSignet(layout, output, params.signetChallenge)
    ? undefined
    : 'signet_unsigned';
}

/** BIP141 "Commitment structure": in the last output of the coinbase that starts with these six bytes. */
const COMMITMENT_PREFIX = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);

/**
 * What is wrong with the witnesses of a block, if anything. Before the rule was in force (`segwitActive`), a block could
 * hold something that looks like a commitment; then only witnesses themselves are refused.
 */
export function witnessFault(
  layout: Layout,
  segwitActive: boolean,
): 'witness_commitment' | 'witness_unexpected' | undefined {
  const commitment = segwitActive ? witnessCommitment(layout) : undefined;
  if (commitment === undefined) {
    for (let tx = 0; tx < layout.txCount; tx++) if (hasWitness(layout, tx)) return 'witness_unexpected';
    return undefined;
  }
  const reserved = coinbaseReserved(layout);
  if (reserved === undefined) return 'witness_commitment';
  const { root } = merkleRoot(wtxids(layout));
  return equalHash(sha256d(concat(root, reserved)), commitment) ? undefined : 'witness_commitment';
}

function witnessCommitment(layout: Layout): Uint8Array | undefined {
  const output = commitmentOutput(layout);
  return output === undefined ? undefined : scriptOf(layout, output).subarray(6, 38);
}

function commitmentOutput(layout: Layout): number | undefined {
  for (let output = layout.txFirstOutput[1]! - 1; output >= 0; output--) {
    const script = scriptOf(layout, output);
    if (script.length >= 38 && COMMITMENT_PREFIX.every((byte, i) => script[i] === byte)) return output;
  }
  return undefined;
}

/** The coinbase's witness must be one item of 32 bytes. */
function coinbaseReserved(layout: Layout): Uint8Array | undefined {
  if (!hasWitness(layout, 0)) return undefined;
  const { bytes } = layout;
  const at = layout.txOutputsEnd[0]!;
  const count = readCompactSize(bytes, at);
  const length = count === 1 ? readCompactSize(bytes, at + 1) : -1;
  if (length !== 32) return undefined;
  const item = at + 1 + compactSizeLength(length);
  return bytes.subarray(item, item + 32);
}
