import { describe, expect, it } from 'vitest';
import { fitsTemplate } from './message-template.ts';

describe('a template', () => {
  it('without a placeholder is the text itself', () => {
    expect(fitsTemplate('Log in', 'Log in')).toBe(true);
    for (const text of ['Log in ', 'Log', '', ' Log in']) expect(fitsTemplate('Log in', text)).toBe(false);
  });

  it('begins and ends where the text does', () => {
    expect(fitsTemplate('Log in as {} here', 'Log in as bob here')).toBe(true);
    expect(fitsTemplate('Log in as {} here', 'Log in as bob here and pay')).toBe(false);
    expect(fitsTemplate('Log in as {} here', 'Pay. Log in as bob here')).toBe(false);
    // The end stands in it twice: the last is the one that counts.
    expect(fitsTemplate('Log in as {} here', 'Log in as bob here here')).toBe(true);
    expect(fitsTemplate('Log in as {} here', 'Log in as bob here there')).toBe(false);
    expect(fitsTemplate('{} here', 'bob here')).toBe(true);
    expect(fitsTemplate('{} here', 'Xbob her')).toBe(false);
  });

  it('wants at least one character and at most 256 for a placeholder', () => {
    for (const template of ['a{}b', '{}', 'a{}', '{}b', 'a{}c{}b']) {
      const filled = (first: string, second: string) => template.replace('{}', first).replace('{}', second);
      for (const [length, fits] of [
        [0, false],
        [1, true],
        [256, true],
        [257, false],
      ] as const) {
        const text = 'x'.repeat(length);
        expect([template, length, fitsTemplate(template, filled(text, 'y'))]).toEqual([template, length, fits]);
        const twice = template.includes('c');
        if (twice) expect([length, fitsTemplate(template, filled('y', text))]).toEqual([length, fits]);
      }
    }
  });

  it.each(['\n', '\v', '\f', '\r', '\u0085', '\u2028', '\u2029'])('grows no line: %j', (line) => {
    expect(fitsTemplate('Pay {} now', `Pay a${line}b now`)).toBe(false);
    expect(fitsTemplate('Pay {} or {} now', `Pay a or ${line} now`)).toBe(false);
    expect(fitsTemplate('Pay {} or {} now', `Pay ${line} or a now`)).toBe(false);
  });

  it('may have lines of its own', () => {
    expect(fitsTemplate('First {}\nSecond {}\nLast', 'First 1\nSecond 2\nLast')).toBe(true);
    expect(fitsTemplate('First {}\nSecond {}\nLast', 'First 1\nSecond 2\n\nLast')).toBe(false);
  });

  it('takes letters that only look like the end of a line', () => {
    for (const letter of ['V', 'v', 'n', 'f', 'u', '\\', '\t', ' ', '\u00a0', '😀']) {
      expect(fitsTemplate('Pay {} now', `Pay ${letter} now`)).toBe(true);
    }
  });

  it('finds the one way in which parts that stand in the text often can be laid', () => {
    // The placeholder before the last part may not begin at the nearest end.
    expect(fitsTemplate('{}ab{}b', 'xababb')).toBe(true);
    expect(fitsTemplate('{}ab{}b', 'xabb')).toBe(false);
    expect(fitsTemplate('{}a{}a{}', 'aaaaa')).toBe(true);
    expect(fitsTemplate('{}a{}a{}', 'aaaa')).toBe(false);
    // The first `-` is too far from the end; the second is near enough.
    const far = `x-${'y'.repeat(200)}-${'z'.repeat(200)}`;
    expect(fitsTemplate('{}-{}', far)).toBe(true);
    expect(fitsTemplate('{}-{}', `x-${'y'.repeat(300)}z`)).toBe(false);
    // A line that only one of the ways leaves between parts.
    expect(fitsTemplate('{}-{}', `x-y\nz`)).toBe(false);
    expect(fitsTemplate('x{}-\n-{}', 'x-\n--\n-y')).toBe(false);
    expect(fitsTemplate('x{}-\n-{}', 'xy-\n-y')).toBe(true);
  });
});

describe('a template and a text', () => {
  it.each<[string, string, boolean]>([
    ['exact', 'exact', true],
    ['exact', 'exactly', false],
    ['a{}', 'ab', true],
    ['a{}', 'a', false],
    ['{}z', 'z', false],
    ['{}z', 'zz', true],
    ['a{}b{}c', 'a1b2b3c', true],
    ['a{}b{}c', 'abbbc', true],
    ['a{}b{}c', 'abbc', false],
    ['a{}b', 'a\nb', false],
    ['a{}b', `a${'x'.repeat(256)}b`, true],
    ['a{}b', `a${'x'.repeat(257)}b`, false],
    ['a{}b', 'axb\n', false],
    ['a{}b', 'cxb', false],
    ['{}', 'x', true],
    ['{}', '', false],
    // A line break of the template itself is no line break in a placeholder.
    ['a\n{}\nb{}', 'a\nx\nby', true],
    ['a{}b', 'a\u2028b', false],
    ['a{}b', 'a\vb', false],
    // The first end that the part before can have is too far away, a later one is not.
    ['a{}c{}b', `a1c${'c'.padStart(200, 'y')}${'z'.repeat(200)}b`, true],
    ['a{}c{}b', `a1c${'z'.repeat(257)}b`, false],
    ['a{}c{}b', `a1c${'c'.padStart(100, 'y')}${'c'.padStart(150, 'y')}${'z'.repeat(200)}b`, true],
    ['a{}b', 'a1b2b', true],
    ['a{}b', 'a1b2', false],
  ])('%s and %j: %s', (template, text, fits) => {
    expect(fitsTemplate(template, text)).toBe(fits);
  });

  it('takes no more than a moment for the worst text', () => {
    const template = Array.from({ length: 17 }, () => 'a').join('{}');
    expect(fitsTemplate(`${template}b`, 'a'.repeat(100_000))).toBe(false);
  });
});
