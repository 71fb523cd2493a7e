import { describe, expect, it } from 'vitest';
import { COMMANDS } from './commands.ts';
import { walletInfo } from './methods.ts';
import { MAX_NAME_CHARS, name } from './shapes.ts';

describe('a name', () => {
  it.each([
    'a',
    'pay roll',
    'bot-1_x.y',
    'Søren',
    'Зарплата',
    '給与',
    'בוט',
    '9',
    `a${'b'.repeat(63)}`,
    '𝐀'.repeat(64),
  ])('may be %s', (text) => expect(name.safeParse(text).success).toBe(true));

  it.each([
    ['nothing', ''],
    ['a space', ' '],
    ['a space before it', ' bot'],
    ['a space behind it, which nobody sees', 'bot '],
    ['two spaces, which pages show as one', 'pay  roll'],
    ['a letter that shows nothing', 'bot\u3164'],
    ['another one', 'b\u115fot'],
    ['a half-width one', 'bot\uffa0'],
    ['a no-break space', 'pay\u00a0roll'],
    ['a zero-width joiner', 'b\u200dot'],
    ['a mark that turns the direction', 'b\u202eot'],
    ['an escape', 'b\u001b[2Jot'],
    ['a C1 control', 'b\u009bot'],
    ['a line feed', 'bot\n'],
    ['a combining mark', 'bo\u0301t'],
    ['65 letters', 'a'.repeat(65)],
    ['a dash before it, like an option', '-bot'],
  ])('is not %s', (_, text) => expect(name.safeParse(text).success).toBe(false));
});

describe('names of several wallets', () => {
  const { params } = COMMANDS['wallet.create'];
  const accepts = (wanted: string, count: number) => params.safeParse({ kind: 'random', name: wanted, count }).success;

  it('leave room for the number of each, so that every one is a name', () => {
    for (const [count, room] of [
      [1, 0],
      [2, 2],
      [9, 2],
      [10, 3],
      [100, 4],
    ] as const) {
      const longest = '𝐀'.repeat(MAX_NAME_CHARS - room);
      expect(accepts(longest, count)).toBe(true);
      expect(accepts(`${longest}a`, count)).toBe(false);
      const last = count === 1 ? longest : `${longest}-${count}`;
      expect(walletInfo.shape.name.safeParse(last).success).toBe(true);
    }
  });
});
