import { describe, expect, it } from 'vitest';
import { fields, table } from './table.ts';
import { createPaint } from './terminal.ts';

describe('table', () => {
  it('aligns columns by what is seen, not by colour codes', () => {
    const paint = createPaint(true);
    const rows = [
      ['NAME', 'STATE', 'ID'],
      ['bot', paint.good('registered'), '1'],
      ['Bücher', 'x', '22'],
    ];
    const plain = table(rows).replaceAll(/\u001b\[[0-9;]*m/g, '');
    expect(plain).toBe(['NAME    STATE       ID', 'bot     registered  1', 'Bücher  x           22'].join('\n'));
  });

  it('leaves out fields without a value', () => {
    expect(
      fields([
        ['vault', 'sealed'],
        ['frozen', undefined],
        ['id', 'x'],
      ]),
    ).toBe('vault  sealed\nid     x');
  });

  it('paints nothing where colour is off', () => {
    expect(createPaint(false).bad('no')).toBe('no');
  });
});
