import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mapEach } from './map-each.ts';

it('gives what Array.prototype.map gives', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const placed = (item: number, i: number) => `${i}: ${item}`;
      expect(mapEach(items, placed)).toEqual(items.map(placed));
    }),
  );
});
