import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '@keepwatch/base';
import { readBlock } from './block.ts';
import { consensusOf } from './consensus.ts';
import { toDisplay, type InternalHash } from './hash.ts';
import { headerHash } from './header.ts';
import { layoutBlock, layoutTransaction, transactionBytes, type Layout } from './layout.ts';
import { merkleBranch, merkleRoot, provesInclusion, rootOfBranch, txids } from './merkle.ts';

const realBlock = Uint8Array.from(
  gunzipSync(readFileSync(new URL('./vectors/mainnet-block-702861.raw.gz', import.meta.url))),
);
const walked = layoutBlock(realBlock);
if (!walked.ok) throw new Error(walked.error);
const layout = walked.value;
const ids = txids(layout);
const root = realBlock.slice(36, 68) as InternalHash;
const expectation = { hash: headerHash(realBlock), height: 702_861, params: consensusOf('main') };

/** The definition, recursively and with another SHA-256: the oracle. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!;
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  const next: Uint8Array[] = [];
  for (let i = 0; i < leaves.length; i += 2) {
    next.push(hash(hash(concat(leaves[i]!, leaves[i + 1] ?? leaves[i]!))));
  }
  return naiveRoot(next);
}

describe('the merkle root', () => {
  it('of the real block is what its header says', () => {
    expect(merkleRoot(ids)).toEqual({ root, mutated: false });
  });

  it('equals the definition, and every leaf is led to it by its branch', () => {
    const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.uniqueArray(leaf, { minLength: 1, maxLength: 40, selector: toHex }), (leaves) => {
        const hashes = concat(...leaves);
        const made = merkleRoot(hashes);
        expect(toHex(made.root)).toBe(toHex(naiveRoot(leaves)));
        expect(made.mutated).toBe(false);
        for (const [i, hash] of leaves.entries()) {
          const branch = merkleBranch(hashes, i);
          expect(rootOfBranch(hash as InternalHash, branch, i)).toEqual(made.root);
          expect(rootOfBranch(hash as InternalHash, branch, i + 2 ** branch.length)).toBeUndefined();
          if (branch.length > 0 && i !== leaves.length - 1) {
            expect(rootOfBranch(hash as InternalHash, branch, i ^ 1)).not.toEqual(made.root);
          }
        }
      }),
    );
  });

  it('tells a list that was lengthened without changing the root (CVE-2012-2459)', () => {
    const leaf = (n: number) => new Uint8Array(32).fill(n);
    const three = concat(leaf(1), leaf(2), leaf(3));
    const four = concat(three, leaf(3));
    expect(merkleRoot(four).root).toEqual(merkleRoot(three).root);
    expect(merkleRoot(three).mutated).toBe(false);
    expect(merkleRoot(four).mutated).toBe(true);
    const six = concat(four.subarray(0, 96), leaf(4), leaf(5), leaf(6));
    const eight = concat(six, leaf(5), leaf(6));
    expect(merkleRoot(eight).root).toEqual(merkleRoot(six).root);
    expect(merkleRoot(eight).mutated).toBe(true);
  });
});

describe('a block whose bytes belong to its header', () => {
  it('is the real one', () => {
    const read = readBlock(realBlock, expectation);
    expect(read.ok && toDisplay(read.value.txids.slice(0, 32) as InternalHash)).toBe(
      toDisplay(ids.slice(0, 32) as InternalHash),
    );
  });

  it('is not one that was changed anywhere', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.nat({ max: realBlock.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = realBlock.slice();
        changed[at]! ^= flip;
        const read = readBlock(changed, expectation);
        seen.add(read.ok ? 'ok' : read.error);
        expect(read.ok).toBe(false);
      }),
      {
        numRuns: 60,
        examples: [
          [0, 1],
          [40, 1],
          [85, 1],
          [layout.txOutputsEnd[1]! + 10, 1],
        ],
      },
    );
    expect([...seen]).toEqual(expect.arrayContaining(['block_hash', 'merkle_root', 'witness_commitment']));
  });

  it('is not one without its witnesses, nor with the last transactions doubled', () => {
    const bare: Uint8Array[] = [realBlock.subarray(0, layout.txStart[0])];
    for (let tx = 0; tx < layout.txCount; tx++) bare.push(strippedOf(layout, tx));
    const stripped = readBlock(concat(...bare), expectation);
    expect(stripped).toEqual({ ok: false, error: 'witness_commitment' });
    // A list that ends oddly is made here: coinbase and two more, the last doubled.
    const few = [0, 1, 2].map((tx) => transactionBytes(layout, tx));
    const header = realBlock.slice(0, 80);
    const three = layoutBlock(concat(header, Uint8Array.of(3), ...few));
    if (!three.ok) throw new Error(three.error);
    header.set(merkleRoot(txids(three.value)).root, 36);
    const doubled = concat(header, Uint8Array.of(4), ...few, few[2]!);
    const read = readBlock(doubled, { ...expectation, hash: headerHash(header) });
    expect(read).toEqual({ ok: false, error: 'merkle_mutated' });
  });

  it('has no witnesses where nothing commits to them', () => {
    const read = readBlock(realBlock, { ...expectation, height: 481_823 });
    expect(read).toEqual({ ok: false, error: 'witness_unexpected' });
  });
});

describe('a proof that a transaction is in a block', () => {
  const txLayout = (tx: number): Layout => {
    const one = layoutTransaction(transactionBytes(layout, tx));
    if (!one.ok) throw new Error(one.error);
    return one.value;
  };
  const coinbase = { transaction: txLayout(0), branch: merkleBranch(ids, 0) };

  it('holds for each transaction at its place and nowhere else', () => {
    for (const position of [0, 1, 2, 1_000, layout.txCount - 1]) {
      const proof = { transaction: txLayout(position), branch: merkleBranch(ids, position), position, coinbase };
      expect(provesInclusion(proof, root)).toBe(true);
      expect(provesInclusion({ ...proof, position: position ^ 1 }, root)).toBe(false);
      expect(provesInclusion(proof, headerHash(realBlock))).toBe(false);
      expect(provesInclusion({ ...proof, branch: proof.branch.slice(1) }, root)).toBe(false);
    }
  });

  it('is not had from a transaction of 64 bytes that is an inner node (CVE-2017-12842)', () => {
    // 64 bytes: one input without script, one output with a script of four bytes. Its second half is taken for a txid.
    const short = fromHex(
      `02000000 01 ${'11'.repeat(32)} 00000000 00 ffffffff 01 0100000000000000 04 51515151 00000000`.replaceAll(
        ' ',
        '',
      ),
    )!;
    expect(short.length).toBe(64);
    const shortLayout = layoutTransaction(short);
    if (!shortLayout.ok) throw new Error(shortLayout.error);
    const shortId = txids(shortLayout.value);
    const first = txids(txLayout(0));
    const evilRoot = merkleRoot(concat(first, shortId)).root;
    const forgedLeaf = short.slice(32) as InternalHash;
    const forged = [short.slice(0, 32) as InternalHash, first as InternalHash];
    // The bare arithmetic is fooled: a leaf below the transaction leads to the root.
    expect(rootOfBranch(forgedLeaf, forged, 0b11)).toEqual(evilRoot);
    const honest = { transaction: txLayout(0), branch: [shortId as InternalHash] };
    expect(
      provesInclusion(
        { transaction: shortLayout.value, branch: [first as InternalHash], position: 1, coinbase: honest },
        evilRoot,
      ),
    ).toBe(false);
    expect(
      provesInclusion({ transaction: txLayout(0), branch: honest.branch, position: 0, coinbase: honest }, evilRoot),
    ).toBe(true);
    expect(
      provesInclusion({ transaction: txLayout(1), branch: forged, position: 0b11, coinbase: honest }, evilRoot),
    ).toBe(false);
  });
});

function strippedOf(from: Layout, tx: number): Uint8Array {
  const bytes = transactionBytes(from, tx);
  const outputsEnd = from.txOutputsEnd[tx]! - from.txStart[tx]!;
  const witness = bytes[4] === 0;
  return concat(bytes.subarray(0, 4), bytes.subarray(witness ? 6 : 4, outputsEnd), bytes.subarray(bytes.length - 4));
}
