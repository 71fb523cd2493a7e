import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createHeaderIndex } from './header-index.ts';

it('finds what was added and nothing that was forgotten, also where hashes begin alike', () => {
  // Few marks, so that many share a slot, and enough nodes for the table to grow twice.
  const hash = fc.tuple(fc.nat(255), fc.nat(3), fc.nat(1), fc.nat(1), fc.nat(255)).map((each) => Uint8Array.from(each));
  const step = fc.record({
    add: fc.array(hash, { maxLength: 900, size: 'max' }),
    keep: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  let grown = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6, size: 'max' }), (steps) => {
      const index = createHeaderIndex();
      const nodes: Uint8Array[] = [];
      const is = (wanted: Uint8Array) => (node: number) => Buffer.compare(nodes[node]!, wanted) === 0;
      for (const { add, keep } of steps) {
        for (const each of add) {
          index.add(each, 0);
          nodes.push(each);
        }
        if (nodes.length > 768) grown++;
        const gone = nodes.splice(Math.floor(nodes.length * keep));
        index.shrink(nodes.length);
        expect(index.size).toBe(nodes.length);
        for (const each of nodes) expect(nodes[index.find(each, 0, is(each))]).toEqual(each);
        for (const each of gone) {
          const known = nodes.some((node) => Buffer.compare(node, each) === 0);
          expect(index.find(each, 0, is(each)) >= 0).toBe(known);
        }
      }
    }),
    { numRuns: 30 },
  );
  expect(grown).toBeGreaterThan(5);
});
