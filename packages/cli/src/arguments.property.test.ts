import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArguments, type OptionSpecs } from './arguments.ts';

const SPECS = {
  label: { value: 'NAME', words: '' },
  to: { value: 'ADDRESS', many: true, words: '' },
  random: { words: '' },
} as const satisfies OptionSpecs;

const usage = (code: string) => expect.objectContaining({ code: `usage_${code}` }) as Error;
/** Anything that does not look like an option. */
const word = fc.string({ minLength: 1 }).filter((text) => !text.startsWith('-'));

describe('parseArguments', () => {
  it('finds options and positionals wherever they stand, and keeps every value as it was typed', () => {
    fc.assert(
      fc.property(word, fc.array(word), fc.boolean(), word, fc.boolean(), (label, to, random, name, first) => {
        const options = [
          ...to.flatMap((each, i) => (i % 2 === 0 ? ['--to', each] : [`--to=${each}`])),
          '--label',
          label,
          ...(random ? ['--random'] : []),
        ];
        const args = first ? [name, ...options] : [...options, name];
        expect(parseArguments(args, SPECS, ['NAME'])).toEqual({ values: { label, to, random }, positionals: [name] });
      }),
    );
  });

  it('takes an id that begins with a dash for what it is, as a word and as a value', () => {
    for (const id of ['-ULDrlJ1SawlYCltADGeiQ', '--LDrlJ1SawlYCltADGeiQ', '-_______________________'.slice(0, 22)]) {
      const { values, positionals } = parseArguments([id, '--label', id, '--to', id, `--to=${id}`], SPECS, ['ID']);
      expect(positionals).toEqual([id]);
      expect(values).toEqual({ label: id, to: [id, id], random: false });
    }
    expect(() => parseArguments(['-ULDrlJ1SawlYCltADGei'], SPECS, ['ID'])).toThrow(usage('unknown_option'));
  });

  it('gives every option a value where none is given', () => {
    const { values } = parseArguments([], SPECS, []);
    expect(values).toEqual({ label: undefined, to: [], random: false });
  });

  it('never lets an unknown option through', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z-]{0,12}$/), (name) => {
        fc.pre(!Object.hasOwn(SPECS, name));
        expect(() => parseArguments([`--${name}`], SPECS, [])).toThrow(usage('unknown_option'));
      }),
    );
  });

  it.each([
    [['--lable', 'x'], 'unknown_option', 'Did you mean --label?'],
    [['-l'], 'unknown_option', undefined],
    [['--__proto__', 'x'], 'unknown_option', undefined],
    [['--random=yes'], 'option_without_value', undefined],
    [['--label'], 'option_needs_value', undefined],
    [['--label', '--random'], 'option_needs_value', undefined],
    [['--label', 'a', '--label', 'b'], 'option_repeated', undefined],
    [['one', 'two'], 'argument_left_over', undefined],
  ])('%j → %s', (args, code, remedy) => {
    expect(() => parseArguments(args, SPECS, ['NAME?'])).toThrow(
      expect.objectContaining({ code: `usage_${code}`, ...(remedy ? { remedy } : {}) }) as Error,
    );
  });

  it('misses a positional that is needed, and takes a lone dash and what stands after --', () => {
    expect(() => parseArguments([], SPECS, ['NAME'])).toThrow(usage('argument_missing'));
    expect(parseArguments(['--label', '-'], SPECS, []).values['label']).toBe('-');
    expect(parseArguments(['--', '--random'], SPECS, ['NAME']).positionals).toEqual(['--random']);
  });
});
