import { describe, expect, it } from 'vitest';
import { toDisplay, toInternal, type BlockHash, type InternalHash } from './hash.ts';

describe('the two orders of a hash', () => {
  it('are the reverse of each other (genesis block of the main chain)', () => {
    const display = '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f';
    const internal = toInternal(display)!;
    expect(internal[0]).toBe(0x6f);
    expect(internal[31]).toBe(0);
    expect(toDisplay<BlockHash>(internal)).toBe(display);
  });

  it('leave the bytes as they are, also those of a Buffer', () => {
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, i) => i)) as unknown as InternalHash;
    expect(toDisplay(bytes).slice(0, 4)).toBe('1f1e');
    expect(bytes[0]).toBe(0);
  });

  it('are read from exactly 64 lower-case digits', () => {
    for (const text of ['', '00', 'A'.repeat(64), `${'0'.repeat(63)}g`, '0'.repeat(66)]) {
      expect(toInternal(text)).toBeUndefined();
    }
  });
});
