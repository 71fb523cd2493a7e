import { createHash } from 'node:crypto';
import { concat, fromHex, toHex, type Sha256 } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMerkleTree, verifyMerklePath } from './merkle.ts';

const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** RFC 9162 §2.1.1 word for word, as the oracle: recursive, hashing everything again. */
function mth(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 1) return sha256(concat(Uint8Array.of(0), entries[0]!));
  const k = split(entries.length);
  return sha256(concat(Uint8Array.of(1), mth(entries.slice(0, k)), mth(entries.slice(k))));
}

/** RFC 9162 §2.1.3.1. */
function inclusion(m: number, entries: readonly Uint8Array[]): Uint8Array[] {
  if (entries.length === 1) return [];
  const k = split(entries.length);
  return m < k
    ? [...inclusion(m, entries.slice(0, k)), mth(entries.slice(k))]
    : [...inclusion(m - k, entries.slice(k)), mth(entries.slice(0, k))];
}

function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

describe('Merkle tree', () => {
  // The eight entries and roots of the Certificate Transparency reference implementation (RFC 6962).
  const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  it.each([
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [4, 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    [5, '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    [6, '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('has the published root of %i entries', (size, root) => {
    const tree = createMerkleTree(
      sha256,
      entries.slice(0, size).map((hex) => fromHex(hex)!),
    );
    expect(toHex(tree.root)).toBe(root);
  });

  it('agrees with the recursive definition on every root and path', () => {
    const all = Array.from({ length: 70 }, (_, i) => Uint8Array.from({ length: i % 7 }, (_, j) => i + j));
    for (const size of [...Array.from({ length: 20 }, (_, i) => i + 1), 31, 32, 33, 63, 64, 65, 70]) {
      const some = all.slice(0, size);
      const tree = createMerkleTree(sha256, some);
      expect(toHex(tree.root)).toBe(toHex(mth(some)));
      for (let index = 0; index < size; index++) {
        const path = tree.path(index);
        expect(path.map(toHex)).toEqual(inclusion(index, some).map(toHex));
        expect(verifyMerklePath(sha256, some[index]!, { index, size, path, root: tree.root })).toBe(true);
      }
    }
  });

  it('accepts no other entry, index, size or path', () => {
    const distinct = fc.uniqueArray(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 40, selector: toHex });
    fc.assert(
      fc.property(distinct, fc.nat(), fc.nat(), fc.nat(255), (entries, pick, other, bit) => {
        const size = entries.length;
        const index = pick % size;
        const tree = createMerkleTree(sha256, entries);
        const path = tree.path(index);
        const entry = entries[index]!;
        const claim = { index, size, path, root: tree.root };
        expect(verifyMerklePath(sha256, concat(entry, Uint8Array.of(0)), claim)).toBe(false);
        const elsewhere = other % size;
        if (elsewhere !== index) {
          expect(verifyMerklePath(sha256, entry, { ...claim, index: elsewhere })).toBe(false);
          expect(verifyMerklePath(sha256, entries[elsewhere]!, claim)).toBe(false);
        }
        expect(verifyMerklePath(sha256, entry, { ...claim, path: [...path, sha256(entry)] })).toBe(false);
        expect(verifyMerklePath(sha256, entry, { ...claim, root: flip(tree.root, bit) })).toBe(false);
        if (path.length === 0) return;
        expect(verifyMerklePath(sha256, entry, { ...claim, path: path.slice(1) })).toBe(false);
        const bent = path.map((node, i) => (i === other % path.length ? flip(node, bit) : node));
        expect(verifyMerklePath(sha256, entry, { ...claim, path: bent })).toBe(false);
      }),
    );
  });

  it('does not take a node for an entry', () => {
    const entries = [Uint8Array.of(1), Uint8Array.of(2)];
    const tree = createMerkleTree(sha256, entries);
    const asEntry = concat(...tree.path(1), ...tree.path(0));
    expect(verifyMerklePath(sha256, asEntry, { index: 0, size: 1, path: [], root: tree.root })).toBe(false);
  });

  it.each([
    { index: -1, size: 1 },
    { index: 1, size: 1 },
    { index: 0.5, size: 1 },
    { index: 0, size: 0 },
    { index: 0, size: Number.NaN },
    { index: 0, size: 2 ** 60 },
  ])('says no to the malformed claim $index of $size', ({ index, size }) => {
    const tree = createMerkleTree(sha256, [Uint8Array.of(1)]);
    expect(verifyMerklePath(sha256, Uint8Array.of(1), { index, size, path: [], root: tree.root })).toBe(false);
  });

  it('has no empty tree and no entry outside', () => {
    expect(() => createMerkleTree(sha256, [])).toThrow(RangeError);
    expect(() => createMerkleTree(sha256, [Uint8Array.of(1)]).path(1)).toThrow(RangeError);
  });
});

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  out[bit >> 3]! ^= 1 << (bit & 7);
  return out;
}
