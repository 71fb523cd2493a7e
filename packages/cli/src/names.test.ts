import { describe, expect, it } from 'vitest';
import { pick } from './names.ts';

const things = [
  { id: 'AAAA', name: 'main' },
  { id: 'BBBB', name: 'bot' },
  { id: 'CCCC', name: 'bot' },
  { id: 'DDDD', name: 'AAAA' },
];
const choose = (word: string) => pick('client', word, things, (thing) => thing);

describe('pick', () => {
  it('finds by name and by id', () => {
    expect(choose('main').id).toBe('AAAA');
    expect(choose('BBBB').id).toBe('BBBB');
  });

  it('refuses a name that two things have, and says their ids', () => {
    expect(() => choose('bot')).toThrow(/BBBB, CCCC/);
  });

  it('refuses a word that is the id of one thing and the name of another', () => {
    expect(() => choose('AAAA')).toThrow(expect.objectContaining({ code: 'usage_ambiguous_name' }) as Error);
  });

  it('says what there is where nothing fits', () => {
    expect(() => choose('mian')).toThrow(
      expect.objectContaining({ code: 'usage_unknown_name', remedy: 'There are: main, bot, AAAA.' }) as Error,
    );
    expect(() => pick('wallet', 'x', [], (thing: never) => thing)).toThrow(
      expect.objectContaining({ remedy: 'There is no wallet at all yet.' }) as Error,
    );
    const listed = things.slice(0, 1);
    expect(() => pick('client', 'x', things, (thing) => thing, listed)).toThrow(
      expect.objectContaining({ remedy: 'There is: main.' }) as Error,
    );
  });
});
