import { createHash } from 'node:crypto';
import { toBase64url, utf8, type Json } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMerkleTree } from './merkle.ts';
import { createReceiptReader, receiptText, wholeText, type EntryText, type ReceiptParts } from './receipt-stream.ts';

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

/** The receipts of a batch, as the keep has them. */
function batchOf(name: string, size: number): readonly ReceiptParts[] {
  const entries = Array.from({ length: size }, (_, i): EntryText => {
    // Each seventh is of another kind, in one piece.
    if (i % 7 === 6) return { form: [JSON.stringify({ batch: name, at: i, quoted: '"\\' })], fill: [] };
    return { form: [`{"kind":${i % 3},"batch":"${name}","at":`, ',"quoted":"', '"}'], fill: [`${i}`, '\\"\\\\'] };
  });
  const tree = createMerkleTree(
    sha256,
    entries.map((entry) => utf8(wholeText(entry))),
  );
  const head = JSON.stringify({ root: toBase64url(tree.root), size });
  return entries.map((entry, index) => ({
    ...{ entry, index, seq: 7 + index, head },
    path: tree.path(index).map(toBase64url),
  }));
}

const whole = ({ entry, seq, index, path, head }: ReceiptParts): Json => ({
  ...{ entry: wholeText(entry), seq, index, path },
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

  it('say neither the head nor the nodes nor the form again that the one before had', () => {
    const batch = batchOf('a', 8);
    const { entry, path } = batch[3]!;
    const fill = `"fill":${JSON.stringify(entry.fill)}`;
    const end = `"seq":10,"index":3,"path":["${path[0]!}","${path[1]!}"],"above":1}`;
    expect(receiptText(batch[3]!, batch[0]!)).toBe(`{${fill},${end}`);
    expect(receiptText(batch[3]!, batch[1]!)).toBe(`{"form":${JSON.stringify(entry.form)},${fill},${end}`);
    expect(receiptText(batch[6]!, batch[0]!)).toContain(`{"entry":${JSON.stringify(batch[6]!.entry.form[0])},`);
    expect(receiptText(batch[3]!, batchOf('b', 8)[0]!)).toContain('"head":');
  });

  const [first, , , second] = batchOf('a', 8) as readonly [ReceiptParts, ReceiptParts, ReceiptParts, ReceiptParts];
  const next = parsed(receiptText(second, first)) as Record<string, Json>;
  const form = ['{', '}', ''];

  it.each<[string, unknown, boolean]>([
    ['nothing before it', next, false],
    ['more nodes than there were', { ...next, above: 4 }, true],
    ['a negative number of nodes', { ...next, above: -1 }, true],
    ['a number of nodes that is none', { ...next, above: '1' }, true],
    ['a head of its own as well', { ...next, head: parsed(first.head) }, true],
    ['a member that is not known', { ...next, more: 1 }, true],
    ['no member that has to be there', { fill: next['fill'], seq: 8, path: [], above: 1 }, true],
    ['no list of nodes', { ...next, path: 'none' }, true],
    ['more nodes than any path has', { ...next, path: Array(40).fill(second.path[0]) as string[] }, true],
    ['neither an entry nor what fills one', { ...next, fill: undefined }, true],
    ['an entry as well as what fills one', { ...next, entry: '{}' }, true],
    ['fewer texts than the form has gaps', { ...next, fill: ['1'] }, true],
    ['more texts than the form has gaps', { ...next, fill: ['1', '2', '3'] }, true],
    ['a filling that is no text', { ...next, fill: ['1', 2] }, true],
    ['a filling that is no list', { ...next, fill: '12' }, true],
    ['a form that is no list of texts', { ...next, form: ['{', 1, '}'] }, true],
    ['a form that is no list', { ...next, form: '{}' }, true],
    ['a form that does not fit', { ...next, form: ['{', '}'] }, true],
    ['a form for an entry in one piece', { ...next, entry: '{}', fill: undefined, form }, true],
    ['a form and no path', { form, fill: ['1', '2'], seq: 8, index: 1, head: {}, paths: [] }, true],
  ])('are refused where they refer to another with %s', (_, receipt, after) => {
    const reader = createReceiptReader();
    if (after) reader.complete({ receipt: parsed(receiptText(first, null)) });
    expect(reader.complete({ receipt: parsed(JSON.stringify(receipt)) })).toBeUndefined();
  });

  it('are refused with a filling where the one before had no form', () => {
    const reader = createReceiptReader();
    reader.complete({ receipt: whole(first) });
    expect(reader.complete({ receipt: next })).toBeUndefined();
    expect(reader.complete({ receipt: { ...next, form } })).toMatchObject({ receipt: { head: parsed(first.head) } });
  });

  it('are what they are where nothing is referred to', () => {
    const reader = createReceiptReader();
    for (const result of [null, 1, [], { receipt: null }, { receipt: [] }, { receipt: { path: 1 } }] satisfies Json[]) {
      expect(reader.complete(result)).toBe(result);
    }
  });
});
