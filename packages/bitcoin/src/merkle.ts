import { concat } from '@keepwatch/base';
import type { InternalHash } from './hash.ts';
import { inputsStart, strippedSize, type Layout } from './layout.ts';
import { sha256d } from './sha256d.ts';
import { txidAt } from './transaction.ts';
import { rootOfRow, sha256dEach, sha256dMany } from './wasm/hashing.ts';

/** The merkle tree of a block: an odd row repeats its last node. */

export interface MerkleRoot {
  readonly root: InternalHash;
  /**
   * Two equal nodes stand side by side where no odd row explains it: the same root can be had from a shorter list
   * (CVE-2012-2459), so these transactions are not the block's although the root is right.
   */
  readonly mutated: boolean;
}

/** `hashes`: 32 bytes each, in block order; at least one. */
export function merkleRoot(hashes: Uint8Array): MerkleRoot {
  if (hashes.length === 0 || hashes.length % 32 !== 0) throw new RangeError('a merkle tree has one hash or more');
  return rootOfRow(hashes);
}

/** The nodes that lead from the leaf to the root, lowest first: what Electrum and Esplora call a merkle proof. */
export function merkleBranch(hashes: Uint8Array, index: number): InternalHash[] {
  const branch: InternalHash[] = [];
  let row = hashes;
  for (let at = index; row.length > 32; at >>= 1, row = nextRow(row)) {
    const sibling = Math.min(at ^ 1, row.length / 32 - 1);
    branch.push(row.slice(sibling * 32, sibling * 32 + 32) as InternalHash);
  }
  return branch;
}

/** The root that a leaf and its branch lead to; `undefined` where the position has no place in a tree of that depth. */
export function rootOfBranch(
  leaf: InternalHash,
  branch: readonly InternalHash[],
  position: number,
): InternalHash | undefined {
  if (!Number.isInteger(position) || position < 0 || branch.length > 24 || position >= 2 ** branch.length) {
    return undefined;
  }
  let node = leaf;
  for (const [level, sibling] of branch.entries()) {
    node = sha256d(((position >> level) & 1) === 1 ? concat(sibling, node) : concat(node, sibling));
  }
  return node;
}

export interface InclusionProof {
  /** The transaction, as a layout of its own. */
  readonly transaction: Layout;
  readonly branch: readonly InternalHash[];
  readonly position: number;
  /** The block's coinbase with its branch: it shows how deep the tree is. */
  readonly coinbase: { readonly transaction: Layout; readonly branch: readonly InternalHash[] };
}

/**
 * Whether the transaction is in the block with this merkle root. A leaf and an inner node look alike, and a transaction of
 * 64 bytes can be both (CVE-2017-12842): somebody who got one into a block could prove another transaction "below" it.
 * So no transaction of 64 bytes counts, and the tree must be as deep here as it is at the coinbase. The coinbase cannot be
 * forged as a leaf that is an inner node: too many bits of it are fixed.
 */
export function provesInclusion(proof: InclusionProof, root: InternalHash): boolean {
  const { transaction, branch, position, coinbase } = proof;
  if (strippedSize(transaction, 0) === 64 || strippedSize(coinbase.transaction, 0) === 64) return false;
  if (branch.length !== coinbase.branch.length) return false;
  const led = rootOfBranch(txidAt(transaction, 0), branch, position);
  const coinbaseLed = rootOfBranch(txidAt(coinbase.transaction, 0), coinbase.branch, 0);
  return led !== undefined && coinbaseLed !== undefined && equalHash(led, root) && equalHash(coinbaseLed, root);
}

/** Ids of all transactions of a layout, 32 bytes each. */
export function txids(layout: Layout): Uint8Array {
  const { txCount, txStart, txOutputsEnd } = layout;
  const table = new Uint32Array(txCount * 4);
  for (let tx = 0, at = 0; tx < txCount; tx++) {
    table[at++] = txStart[tx]!;
    table[at++] = inputsStart(layout, tx);
    table[at++] = txOutputsEnd[tx]!;
    table[at++] = txStart[tx + 1]!;
  }
  return sha256dMany(layout.bytes, table, txCount);
}

/** BIP141: as the ids, but over the witnesses too, and 0 for the coinbase. */
export function wtxids(layout: Layout): Uint8Array {
  const { txCount, txStart } = layout;
  const table = new Uint32Array(txCount * 4);
  for (let tx = 0, at = 0; tx < txCount; tx++) {
    table[at++] = txStart[tx]!;
    table[at++] = txStart[tx]! + 4;
    table[at++] = txStart[tx + 1]! - 4;
    table[at++] = txStart[tx + 1]!;
  }
  return sha256dMany(layout.bytes, table, txCount).fill(0, 0, 32);
}

function nextRow(row: Uint8Array): Uint8Array {
  return sha256dEach(row.length % 64 === 0 ? row : concat(row, row.subarray(row.length - 32)), 64);
}

export function equalHash(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (a[i] !== b[i]) return false;
  return true;
}
