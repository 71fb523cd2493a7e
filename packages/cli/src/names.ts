import { usageError } from './exit-codes.ts';

/** Something that people call by its name or its id. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

/**
 * The one thing that is meant. A word that fits several, by name or id, is an error and never a guess: names are chosen
 * by whoever asks to be registered. Where nothing fits, `listed` are the things that the error names.
 */
export function pick<T>(
  what: string,
  word: string,
  things: readonly T[],
  named: (thing: T) => Named,
  listed: readonly T[] = things,
): T {
  const fitting = things.filter((thing) => {
    const { id, name } = named(thing);
    return id === word || name === word;
  });
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length > 1) {
    throw usageError(
      'ambiguous_name',
      `“${word}” could be ${fitting.length} ${what}s: ${fitting.map((thing) => named(thing).id).join(', ')}.`,
      'Write the id instead of the name.',
    );
  }
  const names = [...new Set(listed.map((thing) => named(thing).name))];
  throw usageError(
    'unknown_name',
    `There is no ${what} “${word}”.`,
    names.length === 0
      ? `There is no ${what} at all yet.`
      : `There ${names.length === 1 ? 'is' : 'are'}: ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}.`,
  );
}
