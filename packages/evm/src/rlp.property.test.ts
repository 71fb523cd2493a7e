import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromRlp, numberToHex, toHex, toRlp } from 'viem';
import { openList, readUint } from './rlp-reader.ts';
import { readTree } from './rlp-tree.fixture.ts';
import { encodeRlp, uintToBytes, type RlpItem } from './rlp.ts';

// viem is the oracle: another implementation of the same appendix, lenient where this one is strict.

type Hex = `0x${string}`;
type HexItem = Hex | readonly HexItem[];
const MAX_BYTES = 1 << 16;

const items = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'rlp' },
    fc.uint8Array({ maxLength: 70 }),
    fc.array(tie('item'), { maxLength: 5, depthIdentifier: 'rlp' }),
  ),
})).item;

function toHexItem(item: RlpItem): HexItem {
  return item instanceof Uint8Array ? toHex(item) : item.map(toHexItem);
}

it('encodes as viem does, and decodes what it encoded', () => {
  fc.assert(
    fc.property(items, (item) => {
      const encoded = encodeRlp(item);
      expect(toHex(encoded)).toBe(toRlp(toHexItem(item) as Hex));
      expect(readTree(encodeRlp([item]), MAX_BYTES)).toEqual([item]);
    }),
  );
});

it('accepts no byte string but the one encoding of its value', () => {
  let accepted = 0;
  const arbitrary = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.tuple(items, fc.nat(), fc.nat({ max: 255 })).map(([item, at, byte]) => {
      const encoded = encodeRlp([item, item]);
      encoded[at % encoded.length] = byte;
      return encoded;
    }),
  );
  fc.assert(
    fc.property(arbitrary, (bytes) => {
      const read = readTree(bytes, MAX_BYTES);
      if (typeof read === 'string') return;
      expect(encodeRlp(read)).toEqual(bytes);
      expect(toHexItem(read)).toEqual(fromRlp(bytes, 'hex'));
      accepted++;
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(100);
});

it('writes integers as viem does and reads them back', () => {
  const integer = fc.oneof(fc.bigInt({ min: 0n, max: 1n << 60n }), fc.bigInt({ min: 0n, max: (1n << 264n) - 1n }));
  fc.assert(
    fc.property(integer, (value) => {
      const bytes = uintToBytes(value);
      const digits = numberToHex(value).slice(2);
      expect(toHex(bytes)).toBe(value === 0n ? '0x' : `0x${digits.padStart(digits.length + (digits.length % 2), '0')}`);
      const reader = openList(encodeRlp([bytes]), 0, 100, 'not_a_list');
      expect(readUint(reader, 33, 'malformed', 'out_of_range')).toBe(value);
      expect(reader.error).toBe(null);
    }),
  );
});
