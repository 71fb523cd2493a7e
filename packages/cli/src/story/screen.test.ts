import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPaint } from '../terminal.ts';
import { createScreen, wrap } from './screen.ts';

describe('wrap', () => {
  const words = fc.array(fc.stringMatching(/^[a-z0-9]{1,30}$/), { minLength: 1, maxLength: 30 });

  it('keeps every word, and no line is longer than it may be unless it is a single word', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 60 }), (list, width) => {
        const lines = wrap(list.join(' '), width);
        expect(lines.join(' ')).toBe(list.join(' '));
        for (const line of lines) expect(line.length <= width || !line.includes(' ')).toBe(true);
      }),
    );
  });

  it('breaks only where the next word does not fit', () => {
    expect(wrap('aa bb cc dd', 5)).toEqual(['aa bb', 'cc dd']);
    expect(wrap('aa bb cc dd', 8)).toEqual(['aa bb cc', 'dd']);
  });

  it('counts what is seen and not the colours', () => {
    expect(wrap(`${createPaint(true).good('✔')} yes`, 5)).toHaveLength(1);
  });
});

describe('the screen', () => {
  it('numbers the steps and puts who speaks in a column of its own', () => {
    let shown = '';
    const screen = createScreen(
      (text) => (shown += text),
      createPaint(true),
      () => 40,
    );
    screen.step('First');
    screen.say('bot', 'asks for something that is longer than the line');
    screen.verdict('vault', false, 'no');
    expect(stripVTControlCharacters(shown)).toBe(
      [
        '',
        ' 1  First',
        '    bot     asks for something that is longer than',
        '            the line',
        '    vault   ✘ no',
        '',
      ].join('\n'),
    );
  });
});
