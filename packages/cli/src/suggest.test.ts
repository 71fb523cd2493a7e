import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, suggest } from './suggest.ts';

describe('suggest', () => {
  const words = ['vault', 'operator', 'client', 'wallet', 'grant', 'journal', 'doctor'];

  it.each([
    ['valut', 'vault'],
    ['walet', 'wallet'],
    ['jornal', 'journal'],
    ['opreator', 'operator'],
  ])('takes “%s” for “%s”', (typed, meant) => expect(suggest(typed, words)).toBe(meant));

  it('keeps quiet where nothing is near', () => {
    expect(suggest('frobnicate', words)).toBeUndefined();
    expect(suggest('x', [])).toBeUndefined();
  });
});

describe('editDistance', () => {
  const text = fc.string({ maxLength: 12 });

  it('is zero for equal words alone, the same both ways, and never beyond the longer word', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });

  it('counts one for a letter more and for two exchanged neighbours', () => {
    expect(editDistance('seal', 'seale')).toBe(1);
    expect(editDistance('seal', 'sela')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });
});
