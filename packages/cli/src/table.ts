import { stripVTControlCharacters } from 'node:util';

const width = (text: string) => [...stripVTControlCharacters(text)].length;

/** Columns side by side, two spaces between them. Every row has the same number of cells. */
export function table(rows: readonly (readonly string[])[], paintHead?: (text: string) => string): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => width(row[i] ?? ''))));
  return rows
    .map((row, r) => {
      const cells = row.map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(widths[i]! - width(cell))));
      const line = cells.join('  ').trimEnd();
      return r === 0 && paintHead ? paintHead(line) : line;
    })
    .join('\n');
}

/** `name  value` lines; members that are `undefined` are left out. */
export function fields(members: readonly (readonly [string, string | undefined])[]): string {
  return table(members.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
