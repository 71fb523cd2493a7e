import { createHash } from 'node:crypto';
import { toBase64url, utf8, type Json } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMerkleTree } from './merkle.ts';
import { createReceiptReader, receiptText, type ReceiptParts } from './receipt-stream.ts';

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

/** The receipts of a batch, as the keep has them. */
function batchOf(name: string, size: number): readonly ReceiptParts[] {
  const entries = Array.from({ length: size }, (_, i) => JSON.stringify({ batch: name, at: i, quoted: '"\\' }));
  const tree = createMerkleTree(sha256, entries.map(utf8));
  const head = JSON.stringify({ root: toBase64url(tree.root), size });
  return entries.map((entry, index) => ({
    ...{ entry, index, seq: 7 + index, head },
    path: tree.path(index).map(toBase64url),
  }));
}

const whole = ({ entry, seq, index, path, head }: ReceiptParts): Json => ({
  ...{ entry, seq, index, path },
  head: JSON.parse(head) as Json,
});

const parsed = (text: string) => JSON.parse(text) as Json;

describe('receipts of a session', () => {
  it('are read as they would have been in full, whatever came before them', () => {
    const batches = [batchOf('a', 1), batchOf('b', 2), batchOf('c', 13), batchOf('d', 64)];
    const step = fc.record({
      batch: fc.integer({ min: 0, max: 3 }),
      at: fc.nat({ max: 63 }),
      between: fc.constantFrom('nothing', 'another answer', 'a receipt in full'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const reader = createReceiptReader();
        let before: ReceiptParts | null = null;
        for (const { batch, at, between } of steps) {
          if (between === 'another answer') expect(reader.complete(['no receipt'])).toEqual(['no receipt']);
          if (between === 'a receipt in full') before = null;
          const receipt: ReceiptParts = batches[batch]![at % batches[batch]!.length]!;
          const answer = { hash: '0x', receipt: parsed(receiptText(receipt, before)) };
          expect(reader.complete(answer)).toEqual({ hash: '0x', receipt: whole(receipt) });
          before = receipt;
        }
      }),
    );
  });

  it('say neither the head nor the nodes again that the one before had', () => {
    const batch = batchOf('a', 8);
    expect(receiptText(batch[1]!, batch[0]!)).toBe(
      `{"entry":${JSON.stringify(batch[1]!.entry)},"seq":8,"index":1,"path":["${batch[1]!.path[0]!}"],"above":2}`,
    );
    expect(receiptText(batch[1]!, batchOf('b', 8)[0]!)).toContain('"head":');
  });

  const [first, second] = batchOf('a', 4) as [ReceiptParts, ReceiptParts];
  const next = parsed(receiptText(second, first)) as Record<string, Json>;

  it.each<[string, unknown, boolean]>([
    ['nothing before it', next, false],
    ['more nodes than there were', { ...next, above: 3 }, true],
    ['a negative number of nodes', { ...next, above: -1 }, true],
    ['a number of nodes that is none', { ...next, above: '1' }, true],
    ['a head of its own as well', { ...next, head: parsed(first.head) }, true],
    ['a member that is not known', { ...next, more: 1 }, true],
    ['no member that has to be there', { entry: '{}', seq: 8, path: [], above: 1 }, true],
    ['no list of nodes', { ...next, path: 'none' }, true],
    ['more nodes than any path has', { ...next, path: Array(40).fill(second.path[0]) as string[] }, true],
  ])('are refused where they refer to another with %s', (_, receipt, after) => {
    const reader = createReceiptReader();
    if (after) reader.complete({ receipt: whole(first) });
    expect(reader.complete({ receipt: receipt as Json })).toBeUndefined();
  });

  it('are what they are where nothing is referred to', () => {
    const reader = createReceiptReader();
    for (const result of [null, 1, [], { receipt: null }, { receipt: [] }, { receipt: { path: 1 } }] satisfies Json[]) {
      expect(reader.complete(result)).toBe(result);
    }
  });
});
