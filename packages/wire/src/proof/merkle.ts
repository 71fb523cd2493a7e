import { equalBytes, mapEach, viewFrom, type Sha256 } from '@keepwatch/base';

/**
 * The Merkle tree of RFC 9162 §2.1 over the entries of one journal batch: leaf = SHA-256(0x00 ‖ entry),
 * node = SHA-256(0x01 ‖ left ‖ right). The two prefixes keep a node from ever passing for an entry.
 */
export interface MerkleTree {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The inclusion proof of the entry at `index`: sibling hashes, the lowest first (RFC 9162 §2.1.3). */
  path(index: number): readonly Uint8Array[];
}

/** What a path claims: that an entry stands at `index` in the tree of `size` entries with this root. */
export interface MerkleClaim {
  readonly index: number;
  readonly size: number;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** Hashes every entry once and keeps all levels, so that a path costs no hashing. An empty batch is a bug. */
export function createMerkleTree(sha256: Sha256, entries: readonly Uint8Array[]): MerkleTree {
  if (entries.length === 0) throw new RangeError('a Merkle tree has at least one entry');
  // RFC 9162 splits at the largest power of two below n. Pairing from the left and lifting an odd last node unchanged
  // builds the same tree level by level.
  const levels: Uint8Array[][] = [hashLeaves(sha256, entries)];
  const pair = newPair();
  for (let level = levels[0]!; level.length > 1;) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) above.push(hashPair(sha256, pair, level[i]!, level[i + 1]!));
    if (level.length % 2 === 1) above.push(level[level.length - 1]!);
    levels.push(above);
    level = above;
  }
  return {
    size: entries.length,
    root: levels[levels.length - 1]![0]!,
    path(index) {
      if (!Number.isInteger(index) || index < 0 || index >= entries.length) throw new RangeError('no such entry');
      const path: Uint8Array[] = [];
      let at = index;
      for (const level of levels) {
        const sibling = level[at ^ 1];
        if (sibling !== undefined) path.push(sibling);
        at >>>= 1;
      }
      return path;
    },
  };
}

/** Whether the claim holds for these entry bytes (RFC 9162 §2.1.3.2). Malformed claims are false, never an exception. */
export function verifyMerklePath(sha256: Sha256, entry: Uint8Array, claim: MerkleClaim): boolean {
  const { index, size, path, root } = claim;
  if (!Number.isSafeInteger(size) || !Number.isInteger(index) || index < 0 || index >= size) return false;
  const pair = newPair();
  let hash = hashLeaves(sha256, [entry])[0]!;
  let at = index;
  let last = size - 1;
  for (const sibling of path) {
    if (last === 0 || sibling.length !== 32) return false;
    if (at % 2 === 1 || at === last) {
      hash = hashPair(sha256, pair, sibling, hash);
      // An odd last node was lifted without a sibling: go up to where it was a right child.
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = hashPair(sha256, pair, hash, sibling);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(hash, root);
}

function hashLeaves(sha256: Sha256, entries: readonly Uint8Array[]): Uint8Array[] {
  let longest = 0;
  for (const entry of entries) longest = Math.max(longest, entry.length);
  const leaf = new Uint8Array(1 + longest); // leaf[0] stays 0x00
  return mapEach(entries, (entry) => {
    leaf.set(entry, 1);
    return sha256(viewFrom(leaf, 0, 1 + entry.length));
  });
}

function newPair(): Uint8Array {
  const pair = new Uint8Array(65);
  pair[0] = 1;
  return pair;
}

function hashPair(sha256: Sha256, pair: Uint8Array, left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 1);
  pair.set(right, 33);
  return sha256(pair);
}
