import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFilterMemory } from './filter-memory.ts';

it('keeps each filter as it was until all are given up, whatever becomes of the bytes that came', () => {
  const filter = fc.record({
    length: fc.oneof(fc.nat({ max: 300_000 }), fc.nat({ max: 50 })),
    fill: fc.nat({ max: 255 }),
  });
  fc.assert(
    fc.property(fc.array(fc.array(filter, { maxLength: 12 }), { maxLength: 4 }), (batches) => {
      const memory = createFilterMemory();
      for (const batch of batches) {
        memory.reset();
        const kept = batch.map(({ length, fill }) => {
          const came = new Uint8Array(length).fill(fill);
          const copy = memory.keep(came);
          came.fill(255 - fill);
          return copy;
        });
        for (const [i, { length, fill }] of batch.entries()) {
          expect(kept[i]!.length).toBe(length);
          expect(kept[i]!.every((byte) => byte === fill)).toBe(true);
        }
      }
    }),
    { numRuns: 30 },
  );
});

it('uses its memory again', () => {
  const memory = createFilterMemory();
  const first = memory.keep(new Uint8Array(1_000));
  memory.reset();
  expect(memory.keep(new Uint8Array(1_000)).buffer).toBe(first.buffer);
});
