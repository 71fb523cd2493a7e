/** What the call that names it was made with, and what the named command needs as well. */
export type Carried = Readonly<Record<string, string | undefined>>;

/**
 * A command that is named to a person, so that it works when it is pasted: with the options of this call that lead to the same
 * place, such as `--data`. `undefined` options are left out.
 */
export function nextCommand(command: string, options: Carried): string {
  const words = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, shellWord(value)],
  );
  return ['keepwatch', command, ...words].join(' ');
}

/** A word for a shell (POSIX): as it is, or in single quotes. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
